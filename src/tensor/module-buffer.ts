import { alias } from '../graph/build.ts'
import type { TypedArray } from '../graph/dtype.ts'
import { optionKinds } from '../util/options.ts'
import { nodeOf } from './arguments.ts'
import { isHeld, type Operand } from './core.ts'
import { realize } from './submit.ts'
import { Tensor } from './tensor.ts'

/** Options of `ModuleBuffer`. */
export interface ModuleBufferOptions {
  /** Whether a checkpoint may lack it. Default false. */
  optional?: boolean
}

const MODULE_BUFFER = optionKinds<ModuleBufferOptions>({ optional: 'flag?' })

/**
 * State of a module that is not trained, such as running statistics and counters. Modules list it as a buffer and state
 * dicts contain it. The next optimiser step, or the held program that contains the forward pass, computes the values
 * that the forward pass assigns.
 */
export class ModuleBuffer extends Tensor {
  /** Whether a checkpoint may lack it. */
  readonly optional: boolean

  /** Creates state with the values of `initial`, which is not changed. */
  constructor(initial: Tensor, options: ModuleBufferOptions = {}) {
    const node = nodeOf(initial, 'ModuleBuffer', 'initial')
    super(node.place ? alias(node) : node)
    MODULE_BUFFER.check('ModuleBuffer', options)
    this.optional = options.optional ?? false
    this.becomeState()
  }

  override assign(value: Operand): this {
    super.assign(value)
    if (!isHeld()) pending.add(this)
    return this
  }

  /** Computes all pending buffers together, because the new value of one may depend on that of another. */
  override async data(): Promise<TypedArray> {
    if (pending.has(this)) await realize(pendingBuffers())
    return super.data()
  }
}

const pending = new Set<ModuleBuffer>()

/**
 * Returns the pending buffers and clears the list. They must be computed before parameters change, because their new
 * values depend on the old parameters.
 */
export function pendingBuffers(): ModuleBuffer[] {
  const all = [...pending]
  pending.clear()
  return all
}
