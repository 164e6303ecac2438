import { alias } from '../graph/build.ts'
import type { TypedArray } from '../graph/dtype.ts'
import { optionKinds } from '../util/options.ts'
import { nodeOf } from './arguments.ts'
import { isHeld, type Operand } from './core.ts'
import { realize } from './submit.ts'
import { Tensor } from './tensor.ts'

export interface ModuleBufferOptions {
  /** Whether a checkpoint may lack it. Default false. */
  optional?: boolean
}

const MODULE_BUFFER = optionKinds<ModuleBufferOptions>({ optional: 'flag?' })

/**
 * State of a module that is not trained: running statistics, counters. Modules list it, state dicts
 * hold it. What a forward pass assigns to it is computed by the next step of an optimiser, or by the
 * held program that the pass is a part of.
 */
export class ModuleBuffer extends Tensor {
  /** Whether a checkpoint may lack it. */
  readonly optional: boolean

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

  /** What waits is computed together: the new value of one may come from that of another. */
  override async data(): Promise<TypedArray> {
    if (pending.has(this)) await realize(pendingBuffers())
    return super.data()
  }
}

const pending = new Set<ModuleBuffer>()

/**
 * Buffers that wait to be computed, none from now on. Before parameters change they have to be:
 * their new values come from the old parameters.
 */
export function pendingBuffers(): ModuleBuffer[] {
  const all = [...pending]
  pending.clear()
  return all
}
