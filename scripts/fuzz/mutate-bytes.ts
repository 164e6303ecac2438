import type { Dice } from './dice.ts'

/** Changes one thing in a file. `other` is a file of the same kind. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, dice: Dice): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(dice.below(256))
  return dice.pick(CHANGES)(bytes, dice, other)
}

type Change = (bytes: Uint8Array, dice: Dice, other: Uint8Array) => Uint8Array

/** Sizes and offsets at the limits of their types, and numbers that are critical for parsers. */
const NUMBERS = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
]

const flipBits: Change = (bytes, dice) => {
  const copy = bytes.slice()
  for (let i = dice.size(8); i > 0; i--) copy[dice.below(copy.length)] ^= 1 << dice.below(8)
  return copy
}

const setByte: Change = (bytes, dice) => {
  const copy = bytes.slice()
  copy[dice.below(copy.length)] = dice.pick([0, 1, 0x7f, 0x80, 0xff, 0x22, 0x0a, dice.below(256)])
  return copy
}

const addToByte: Change = (bytes, dice) => {
  const copy = bytes.slice()
  copy[dice.below(copy.length)] += dice.pick([-1, 1, 16, -16])
  return copy
}

/** Replaces a whole number of 2, 4 or 8 bytes: by a limit, the size of the file, or a slightly different number. */
const setNumber: Change = (bytes, dice) => {
  const width = dice.pick([2, 4, 8])
  if (bytes.length < width) return setByte(bytes, dice, bytes)
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  const aligned = dice.chance(0.5) ? width : 1
  const at = Math.floor(dice.below(bytes.length - width + 1) / aligned) * aligned
  const near = BigInt(bytes.length + dice.below(9) - 4)
  const value = dice.chance(0.8) ? dice.pick(NUMBERS) : near
  const little = dice.chance(0.75)
  if (width === 2) view.setUint16(at, Number(value & 0xffffn), little)
  else if (width === 4) view.setUint32(at, Number(value & 0xffffffffn), little)
  else view.setBigUint64(at, BigInt.asUintN(64, value), little)
  return copy
}

const truncate: Change = (bytes, dice) =>
  bytes.slice(0, dice.chance(0.5) ? dice.below(bytes.length) : bytes.length - dice.size(16))

const removePart: Change = (bytes, dice) => {
  const at = dice.below(bytes.length)
  return joined(bytes.subarray(0, at), bytes.subarray(at + dice.size(bytes.length - at)))
}

const repeatPart: Change = (bytes, dice) => {
  const [at, part] = partOf(bytes, dice)
  const times = Math.min(dice.size(1000), Math.floor(MOST_ADDED / part.length))
  const parts = Array.from({ length: times }, () => part)
  return joined(bytes.subarray(0, at), ...parts, bytes.subarray(at))
}

const movePart: Change = (bytes, dice) => {
  const [, part] = partOf(bytes, dice)
  const copy = bytes.slice()
  copy.set(part, dice.below(bytes.length - part.length + 1))
  return copy
}

const insertRandom: Change = (bytes, dice) => {
  const at = dice.below(bytes.length + 1)
  const added = Uint8Array.from({ length: dice.size(64) }, () => dice.below(256))
  return joined(bytes.subarray(0, at), added, bytes.subarray(at))
}

const fillPart: Change = (bytes, dice) => {
  const copy = bytes.slice()
  const at = dice.below(bytes.length)
  return copy.fill(dice.pick([0, 0xff, 0x20, dice.below(256)]), at, at + dice.size(64))
}

/** Joins the beginning of one file and the end of another. */
const splice: Change = (bytes, dice, other) =>
  joined(bytes.subarray(0, dice.below(bytes.length)), other.subarray(dice.below(other.length + 1)))

const insertOther: Change = (bytes, dice, other) => {
  if (other.length === 0) return bytes.slice()
  const at = dice.below(bytes.length + 1)
  const [, part] = partOf(other, dice)
  return joined(bytes.subarray(0, at), part, bytes.subarray(at))
}

const CHANGES: readonly Change[] = [
  flipBits,
  flipBits,
  setByte,
  setByte,
  addToByte,
  setNumber,
  setNumber,
  setNumber,
  truncate,
  removePart,
  repeatPart,
  movePart,
  insertRandom,
  fillPart,
  splice,
  insertOther,
]

const MOST_ADDED = 1 << 16

function partOf(bytes: Uint8Array, dice: Dice): [at: number, part: Uint8Array] {
  const at = dice.below(bytes.length)
  return [at, bytes.subarray(at, at + dice.size(bytes.length - at))]
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
