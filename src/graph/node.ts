// A node is one operation on other nodes. Nothing is computed when one is made.
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

/** Memory of a device, as far as the graph has to know about it. */
export interface Memory {
  /** Counts the assignments; a leaf made before the newest one is stale. */
  version: number
}

/** Where a computed value lies. */
export interface Place {
  readonly memory: Memory
  readonly version: number
}

/** Runs on the host, between two halves of a program. */
export type HostFunction = (inputs: TypedArray[]) => TypedArray | Promise<TypedArray>

/** What a node of each operation says about its own gradient (see grad/). */
export type CustomRule = (node: Node, grads: (Node | null)[]) => (Node | null)[]

let nextId = 0

/** The id of the node that is made next: all that are there are below it. */
export const upcomingId = (): number => nextId

export class Node<O extends Op = Op> implements Form {
  /** Ids grow as user code runs, so sorting by id is an order in which the graph can be computed. */
  readonly id = nextId++
  readonly op: O
  inputs: readonly Node[]
  readonly attrs: OpAttrs[O]
  readonly shape: Shape
  readonly dtype: DType
  /** Present when the node has several outputs, which `pick` nodes then select. */
  readonly forms: readonly Form[] | undefined
  /** Module path at the time of making (`h.3.attn`); errors and profiles print it. */
  readonly scope: string
  /** The user's line, only with HEED_DEBUG=1. */
  readonly source: string | undefined

  /** Whether a gradient may flow through: some input is tracked and nothing forbids it. */
  tracked: boolean
  /** The inputs were let go, so that a kept value does not keep its whole history. */
  released = false

  /** Where the value lies once it is computed; such a node is a leaf from then on. */
  place: Place | null = null
  /** A leaf's contents until a device first needs them. */
  data: TypedArray | null = null
  /** A `scalar`'s number, when the node was made. */
  value = 0
  /** A `scalar` of a held program is read again here at each run. */
  read: (() => number) | null = null
  /** The tensor whose state this node is. If tracked, gradients stop here and belong to it. */
  variable: object | null = null
  /** State: computed once, on its own, before the first program that needs it. */
  persistent = false
  /** Programs that have computed this node without keeping it. */
  runs = 0
  /** The last walk of `trace` (runtime/trace.ts) that came here, and the number that it gave. */
  traceWalk = 0
  index = 0
  /** The last walk of `gradients` (grad/backward.ts) that came here. */
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

  /** Operation, attributes, shape and dtype as one interned number: made when it is asked for. */
  get signature(): number {
    this.interned ??= intern(this.op, this.attrs, this)
    return this.interned
  }

  /** Forgets how the value came about; it is a plain leaf from then on. */
  release(): void {
    this.inputs = []
    this.rule = null
    this.released = true
  }
}

/** Where two versions of Heed are installed, a tensor of one can be given to the other. */
function ofOtherCopy(op: Op): HeedError {
  const folders = [...new Set(copies)].join(' and ')
  return new HeedError(
    'invalid-option',
    `${op}: all tensors must be of one copy of Heed, got tensors of several (${folders})`,
    { remedy: 'Install one version of heed for all: `npm ls heed` shows who depends on which.' },
  )
}

function anyTracked(inputs: readonly Node[]): boolean {
  for (const input of inputs) if (input.tracked) return true
  return false
}

let tracking = true

/** Runs `body` with no gradients through what it makes. */
export function untracked<T>(body: () => T): T {
  const outer = tracking
  tracking = false
  try {
    return body()
  } finally {
    tracking = outer
  }
}

/** Narrows a node to one operation, and with it the type of its attributes. */
export function isOp<O extends Op>(node: Node, op: O): node is Node<O> {
  return node.op === op
}

let currentScope = ''

/** Runs `body` with `path` as the scope of every node that it makes. */
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

/** The first line of the stack that lies outside Heed. */
function callerLine(): string | undefined {
  const lines = (new Error().stack ?? '').split('\n').slice(1)
  const own = here?.replace(/(?:util\/)?[^/]*$/, '')
  return lines.find((line) => !(own && line.includes(own)) && !line.includes('node:'))?.trim()
}

const signatures = new Map<string, number>()

/**
 * Equal structure, equal number. Multi-output nodes need only their first form here, because the
 * inputs and attributes determine the others.
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

/** The signature of a node whose value is there: however it came about, only its form counts. */
export function leafSignature(node: Node): number {
  if (node.dtype !== 'f32') return intern('buffer', {}, node)
  // Versions of one state share their shape object, so this is found again at each step.
  let signature = leafSignatures.get(node.shape)
  if (signature === undefined) {
    signature = intern('buffer', {}, node)
    leafSignatures.set(node.shape, signature)
  }
  return signature
}

/** How a node is named in messages: `h.3.attn.c_proj: matmul -> (8, 256, 384) f32`. */
export function describe(node: Node): string {
  const where = node.scope ? `${node.scope}: ` : ''
  const line = node.source ? ` ${node.source}` : ''
  return `${where}${node.op} -> (${node.shape.join(', ')}) ${node.dtype}${line}`
}
