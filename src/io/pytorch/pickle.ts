// Reads Python pickles (protocols 2 to 5), with the instructions that state dicts need. Nothing in a pickle is run: its
// globals map to functions of the caller, which rejects unknown ones.
import { HeedError } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'

/** A Python tuple. Python lists become arrays. */
export class Tuple {
  readonly items: readonly unknown[]

  constructor(items: readonly unknown[]) {
    this.items = items
  }
}

/** A function that implements a global of a pickle. */
export type PickledFunction = (args: readonly unknown[]) => unknown

export interface PickleReader {
  /** Resolves a global. @throws HeedError for an unknown global */
  global(name: string): PickledFunction | object
  /** Resolves an object that is stored outside of the pickle. */
  persistent(id: unknown): unknown
}

/**
 * Reads the object in a pickle. Dictionaries become Maps, lists arrays. The object may contain itself.
 * @throws HeedError for a damaged pickle, and for instructions that state dicts do not need
 */
export function unpickle(bytes: Uint8Array, path: string, reader: PickleReader): unknown {
  return new Unpickler(bytes, path, reader).run()
}

const MARK = Symbol('mark')

/** Limit against exhausting memory: one byte can create an object. A tensor takes about six. */
const MAX_OBJECTS = 1e6

class Unpickler {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #path: string
  readonly #reader: PickleReader
  readonly #memo = new Map<number, unknown>()
  readonly #stack: unknown[] = []
  #at = 0
  #objects = 0

  constructor(bytes: Uint8Array, path: string, reader: PickleReader) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#path = path
    this.#reader = reader
  }

  run(): unknown {
    for (;;) {
      const code = this.#byte()
      if (code === STOP) break
      const step = steps[code]
      if (!step)
        this.fail(
          `the instruction 0x${code.toString(16).padStart(2, '0')} at byte ${this.#at - 1} does not occur in state dicts`,
        )
      step(this)
    }
    return this.pop()
  }

  // --- the stack

  push(value: unknown): void {
    this.#stack.push(value)
  }

  /** Pushes a new object. */
  create(object: Tuple | unknown[] | ReadonlyMap<unknown, unknown>): void {
    this.#count(1)
    this.push(object)
  }

  #count(objects: number): void {
    this.#objects += objects
    if (this.#objects > MAX_OBJECTS) this.fail(`it has more than ${MAX_OBJECTS} objects`)
  }

  pop(): unknown {
    const value = this.#stack.pop()
    if (value === MARK || (value === undefined && this.#stack.length === 0))
      this.fail('it pops more values than it pushed')
    return value
  }

  top(): unknown {
    const value = this.pop()
    this.push(value)
    return value
  }

  mark(): void {
    this.#stack.push(MARK)
  }

  /** Pops the values since the last mark. */
  popToMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK)
    if (at < 0) this.fail('it has no mark')
    const values = this.#stack.splice(at)
    return values.slice(1)
  }

  remember(index: number): void {
    this.#memo.set(index, this.top())
  }

  rememberNext(): void {
    this.remember(this.#memo.size)
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) this.fail(`it uses value ${index}, which is not in its memo`)
    this.push(this.#memo.get(index))
  }

  // --- objects

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') this.fail('a global has no name')
    this.push(this.#reader.global(`${module}.${name}`))
  }

  call(): void {
    const args = this.pop()
    const target = this.pop()
    if (!(args instanceof Tuple)) this.fail('the arguments of a call are not a tuple')
    // One list may be the argument of thousands of calls that each make a dictionary of all its items.
    this.#count(args.items.reduce<number>((sum, x) => sum + (Array.isArray(x) ? x.length : 0), 1))
    if (typeof target !== 'function') this.fail('it calls a value that is not a function')
    this.push(target(args.items))
  }

  /** Ignores attributes of a dictionary, such as `_metadata`. */
  build(): void {
    this.pop()
    if (!(this.top() instanceof Map))
      this.fail('it sets attributes of a value that is not a dictionary')
  }

  persistent(): void {
    this.push(this.#reader.persistent(this.pop()))
  }

  setItems(items: readonly unknown[]): void {
    const target = this.top()
    if (!(target instanceof Map)) this.fail('it sets items of a value that is not a dictionary')
    if (items.length % 2 !== 0) this.fail('a dictionary has a key without a value')
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1])
  }

  append(items: readonly unknown[]): void {
    const target = this.top()
    if (!Array.isArray(target)) this.fail('it appends to a value that is not a list')
    for (const item of items) target.push(item)
  }

  // --- arguments of instructions

  #byte(): number {
    return this.#view.getUint8(this.take(1))
  }

  uint8(): number {
    return this.#byte()
  }

  uint16(): number {
    return this.#view.getUint16(this.take(2), true)
  }

  int32(): number {
    return this.#view.getInt32(this.take(4), true)
  }

  uint32(): number {
    return this.#view.getUint32(this.take(4), true)
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.take(8), true))
  }

  float64(): number {
    return this.#view.getFloat64(this.take(8), false)
  }

  /** Reads an integer of any size in two's complement. */
  long(length: number): number {
    if (length > 8) this.fail('an integer has more than 64 bits')
    const begin = this.take(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[begin + i])
    const signed = Number(BigInt.asIntN(8 * length, value))
    if (!Number.isSafeInteger(signed)) this.fail('an integer has more than 53 bits')
    return signed
  }

  text(length: number): string {
    const begin = this.take(length)
    return new TextDecoder().decode(this.#bytes.subarray(begin, begin + length))
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end < 0) this.fail('it ends within a name')
    const text = this.text(end - this.#at)
    this.take(1)
    return text
  }

  /** Advances by `length` bytes and returns their position. */
  take(length: number): number {
    const begin = this.#at
    if (length > this.#bytes.length - begin) this.fail('it ends too early')
    this.#at = begin + length
    return begin
  }

  fail(problem: string): never {
    throw new HeedError(
      'corrupt-file',
      `${quote('data.pkl')} in ${this.#path} must be the pickle of a state dict, but ${problem}`,
      {
        value: this.#path,
        remedy:
          'Save only the state dict with torch.save(model.state_dict(), path), or use safetensors.',
      },
    )
  }
}

const STOP = 0x2e

type Step = (vm: Unpickler) => void

const tupleOf =
  (count: number): Step =>
  (vm) => {
    const items = Array.from({ length: count }, () => vm.pop())
    vm.create(new Tuple(items.reverse()))
  }

/** Instructions by code. Comments give the names in Python's pickletools. */
const steps: Readonly<Record<number, Step>> = {
  128: (vm) => vm.take(1), // PROTO
  149: (vm) => vm.take(8), // FRAME
  78: (vm) => vm.push(null), // NONE
  136: (vm) => vm.push(true), // NEWTRUE
  137: (vm) => vm.push(false), // NEWFALSE
  74: (vm) => vm.push(vm.int32()), // BININT
  75: (vm) => vm.push(vm.uint8()), // BININT1
  77: (vm) => vm.push(vm.uint16()), // BININT2
  138: (vm) => vm.push(vm.long(vm.uint8())), // LONG1
  71: (vm) => vm.push(vm.float64()), // BINFLOAT
  88: (vm) => vm.push(vm.text(vm.uint32())), // BINUNICODE
  140: (vm) => vm.push(vm.text(vm.uint8())), // SHORT_BINUNICODE
  141: (vm) => vm.push(vm.text(vm.uint64())), // BINUNICODE8
  85: (vm) => vm.push(vm.text(vm.uint8())), // SHORT_BINSTRING, of Python 2
  41: (vm) => vm.create(new Tuple([])), // EMPTY_TUPLE
  133: tupleOf(1), // TUPLE1
  134: tupleOf(2), // TUPLE2
  135: tupleOf(3), // TUPLE3
  116: (vm) => vm.create(new Tuple(vm.popToMark())), // TUPLE
  93: (vm) => vm.create([]), // EMPTY_LIST
  97: (vm) => {
    const item = vm.pop()
    vm.append([item])
  }, // APPEND
  101: (vm) => {
    const items = vm.popToMark()
    vm.append(items)
  }, // APPENDS
  125: (vm) => vm.create(new Map()), // EMPTY_DICT
  115: (vm) => {
    const value = vm.pop()
    const key = vm.pop()
    vm.setItems([key, value])
  }, // SETITEM
  117: (vm) => {
    const items = vm.popToMark()
    vm.setItems(items)
  }, // SETITEMS
  40: (vm) => vm.mark(), // MARK
  113: (vm) => vm.remember(vm.uint8()), // BINPUT
  114: (vm) => vm.remember(vm.uint32()), // LONG_BINPUT
  148: (vm) => vm.rememberNext(), // MEMOIZE
  104: (vm) => vm.recall(vm.uint8()), // BINGET
  106: (vm) => vm.recall(vm.uint32()), // LONG_BINGET
  99: (vm) => {
    const module = vm.line()
    vm.global(module, vm.line())
  }, // GLOBAL
  147: (vm) => {
    const name = vm.pop()
    vm.global(vm.pop(), name)
  }, // STACK_GLOBAL
  82: (vm) => vm.call(), // REDUCE
  98: (vm) => vm.build(), // BUILD
  81: (vm) => vm.persistent(), // BINPERSID
}
