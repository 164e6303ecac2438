// A node is one operation on other nodes. Creating one computes nothing.
import { copies } from '../util/copies.ts'
import { HeedError } from '../util/errors.ts'
import { here } from '../util/here.ts'
import { setting } from '../util/settings.ts'
import type { DType, TypedArray } from './dtype.ts'
import type { Op, OpAttrs } from './ops.ts'
import type { Shape } from './shape.ts'

/** Shape and dtype of a value, without the value. */
export interface Form {
  readonly shape: Shape
  readonly dtype: DType
}

/** The part of a device's memory that the graph needs to know about. */
export interface Memory {
  /** Number of assignments so far. A leaf with a lower version is stale. */
  version: number
}

/** Where a computed value is stored. */
export interface Place {
  readonly memory: Memory
  readonly version: number
}

/** A JavaScript function that runs between two halves of a program. */
export type HostFunction = (inputs: TypedArray[]) => TypedArray | Promise<TypedArray>

/** The gradient rule of a `customVjp` node: takes the gradients of the outputs, returns those of the inputs. */
export type CustomRule = (node: Node, grads: (Node | null)[]) => (Node | null)[]

let nextId = 0

/** The id that the next node will get. All existing nodes have lower ids. */
export const upcomingId = (): number => nextId

/** An operation in the graph with its inputs. Creating a node computes nothing. */
export class Node<O extends Op = Op> implements Form {
  /** Ids increase with creation, so nodes sorted by id are in topological order. */
  readonly id = nextId++
  readonly op: O
  inputs: readonly Node[]
  readonly attrs: OpAttrs[O]
  readonly shape: Shape
  readonly dtype: DType
  /** Present when the node has several outputs; `pick` nodes select one. */
  readonly forms: readonly Form[] | undefined
  /** Path of the module that created the node (`h.3.attn`). Errors and profiles print it. */
  readonly scope: string
  /** The line of user code that created the node; set only with HEED_DEBUG=1. */
  readonly source: string | undefined

  /** Whether gradients flow through this node: an input is tracked, and gradients are enabled. */
  tracked: boolean
  /** The inputs were dropped, so that a kept value does not keep its whole history alive. */
  released = false

  /** Where the value is stored once it has been computed. The node is a leaf from then on. */
  place: Place | null = null
  /** Contents of a leaf until a device first needs them. */
  data: TypedArray | null = null
  /** The number of a `scalar` at the time of creation. */
  value = 0
  /** For a `scalar` of a held program: returns its number at each run. */
  read: (() => number) | null = null
  /** The tensor whose state this node is. If tracked, backward() stops here and the gradient belongs to that tensor. */
  variable: object | null = null
  /** Pending state: computed once, in its own program, before the first program that needs it. */
  persistent = false
  /** Number of programs that have computed this node without keeping it. */
  runs = 0
  /** The last walk of `trace` (runtime/trace.ts) that visited this node, and the number that it assigned. */
  traceWalk = 0
  index = 0
  /** The last walk of `gradients` (grad/backward.ts) that visited this node. */
  gradientWalk = 0
  rule: CustomRule | null = null
  host: HostFunction | null = null
  private interned: number | null = null

  constructor(op: O, inputs: readonly Node[], attrs: OpAttrs[O], forms: Form | readonly Form[]) {
    for (const input of inputs) if (!(input instanceof Node)) throw ofOtherCopy(op)
    this.op = op
    this.inputs = inputs
    this.attrs = attrs
    const many = Array.isArray(forms)
    const first = many ? forms[0] : (forms as Form)
    this.shape = first.shape
    this.dtype = first.dtype
    this.forms = many ? forms : undefined
    this.scope = currentScope
    this.source = debugging ? callerLine() : undefined
    this.tracked = tracking && op !== 'stopGradient' && first.dtype === 'f32' && anyTracked(inputs)
  }

  /** Operation, attributes, shape and dtype as one interned number, computed on first use. */
  get signature(): number {
    this.interned ??= intern(this.op, this.attrs, this)
    return this.interned
  }

  /** Drops the inputs and the gradient rule. The node is a plain leaf from then on. */
  release(): void {
    this.inputs = []
    this.rule = null
    this.released = true
  }
}

/** If two versions of Heed are installed, a tensor of one may be passed to the other. */
function ofOtherCopy(op: Op): HeedError {
  const folders = [...new Set(copies)].join(' and ')
  return new HeedError(
    'invalid-option',
    `${op}: all tensors must come from the same copy of Heed, got tensors of several copies (${folders})`,
    {
      remedy:
        'Install a single version of heed: `npm ls heed` shows which package depends on which version.',
    },
  )
}

function anyTracked(inputs: readonly Node[]): boolean {
  for (const input of inputs) if (input.tracked) return true
  return false
}

let tracking = true

/** Runs `body` with gradients disabled: the nodes that it creates are not tracked. */
export function untracked<T>(body: () => T): T {
  const outer = tracking
  tracking = false
  try {
    return body()
  } finally {
    tracking = outer
  }
}

/** Narrows the type of a node, and of its attributes, to one operation. */
export function isOp<O extends Op>(node: Node, op: O): node is Node<O> {
  return node.op === op
}

let currentScope = ''

/** Runs `body` with `path` as the scope of every node that it creates. */
export function inScope<T>(path: string, body: () => T): T {
  const outer = currentScope
  currentScope = path
  try {
    return body()
  } finally {
    currentScope = outer
  }
}

export const scopeNow = (): string => currentScope

const debugging = setting('HEED_DEBUG') === '1'

/** The first line of the stack trace outside Heed. */
function callerLine(): string | undefined {
  const lines = (new Error().stack ?? '').split('\n').slice(1)
  const own = here?.replace(/(?:util\/)?[^/]*$/, '')
  return lines.find((line) => !(own && line.includes(own)) && !line.includes('node:'))?.trim()
}

const signatures = new Map<string, number>()

/**
 * Returns the same number for equal structures. The first form of a node with several outputs is
 * enough, because inputs and attributes determine the others.
 */
function intern(op: Op, attrs: object, form: Form): number {
  let text = `${op} ${form.dtype} ${form.shape.join()}`
  for (const key in attrs) text += ` ${String((attrs as Record<string, unknown>)[key])}`
  let signature = signatures.get(text)
  if (signature === undefined) {
    signature = signatures.size
    signatures.set(text, signature)
  }
  return signature
}

const leafSignatures = new WeakMap<Shape, number>()

/** The signature of a node whose value exists. It depends on shape and dtype only, not on the operation. */
export function leafSignature(node: Node): number {
  if (node.dtype !== 'f32') return intern('buffer', {}, node)
  // All versions of a state share one shape object, so each step finds its signature here.
  let signature = leafSignatures.get(node.shape)
  if (signature === undefined) {
    signature = intern('buffer', {}, node)
    leafSignatures.set(node.shape, signature)
  }
  return signature
}

/** Describes a node for messages: `h.3.attn.c_proj: matmul -> (8, 256, 384) f32`. */
export function describe(node: Node): string {
  const where = node.scope ? `${node.scope}: ` : ''
  const line = node.source ? ` ${node.source}` : ''
  return `${where}${node.op} -> (${node.shape.join(', ')}) ${node.dtype}${line}`
}
