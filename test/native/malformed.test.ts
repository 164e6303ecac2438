import { describe, expect, test } from 'vitest'
import type { Addon } from '../../src/runtime/cpu/addon.ts'
import { addons } from '../support/addons.ts'
import { sampleCommands } from './samples.ts'
import { binary, command, type View } from './words.ts'

// A program comes from our own scheduler, but a mistake there must end in an error, not in a crash: no
// program that is accepted may touch memory outside its buffers.

describe.each(addons)('malformed programs: $name', ({ addon }) => {
  test('there is a well-formed command of every kernel', async () => {
    const all = sampleCommands(addon)
    expect(Object.keys(all)).toEqual([...addon.kernels])
    for (const words of Object.values(all))
      await runWithZeros(addon, addon.program(Float64Array.from(words)))
  })

  const view: View = { buffer: 2, shape: [3, 4] }
  const softmax = (x: Partial<View>, y: Partial<View> = {}, log = 0) =>
    command(
      addon,
      'softmax',
      [
        { ...view, ...x },
        { ...view, ...y },
      ],
      [log],
    )
  const index: View = { buffer: 3, shape: [3], dtype: 'i32' }
  test.each<[string, () => number[], string]>([
    ['an unknown kernel', () => [99, 0, 0], 'the kernel is 99'],
    ['half a command', () => [0, 2], 'ends before the number of attrs'],
    ['more views than words', () => [0, 1e9, 0], 'ends before its views'],
    ['a fraction', () => [0.5, 0, 0], 'the kernel is 0.5'],
    ['not a number', () => [Number.NaN, 0, 0], 'the kernel is nan'],
    ['infinity', () => [0, Number.POSITIVE_INFINITY, 0], 'the number of views is inf'],
    ['too few views', () => command(addon, 'softmax', [view], [0]), 'the operand `y` is missing'],
    [
      'too few attrs',
      () => command(addon, 'sort', [view, view, view], []),
      '`descending` is missing',
    ],
    ['a bad flag', () => softmax({}, {}, 2), '`logarithm` must be an integer in [0, 1], got 2'],
    ['a bad dtype', () => softmax({ dtype: 'u8' }), '`x` must be f32, got u8'],
    [
      'shapes that differ',
      () => softmax({}, { shape: [3, 5] }),
      '`y` must have shape [3,4], got [3,5]',
    ],
    [
      'an axis too far',
      () => command(addon, 'cumulative', [view, view], [0, 2]),
      '`axis` must be an axis of rank 2, got 2',
    ],
    ['an output that is broadcast', () => softmax({}, { stride: [0, 1] }), 'stride 0'],
    ['a start before the buffer', () => softmax({ stride: [-4, 1] }), 'begins before'],
    ['an endless view', () => softmax({ stride: [2 ** 50, 1] }), 'too large'],
    [
      'an unknown instruction',
      () => command(addon, 'elementwise', [view], [0, 1, 1, 9999, 0, 0, 0, 0, 0]),
      'the program has 9999',
    ],
    [
      'an unknown register',
      () => command(addon, 'elementwise', [view], [0, 1, 0, 256]),
      'the program has 256',
    ],
    [
      'a window too wide',
      () => command(addon, 'foldWindow', [view, { buffer: 3, shape: [5] }], [1, 1, 1, 1]),
      'past the end',
    ],
    [
      'an index that the output overwrites',
      () => command(addon, 'take', [view, index, { buffer: 3, shape: [3, 4] }], [0]),
      'the output `out` overlaps `index`',
    ],
  ])('%s is refused', (_, words, message) => {
    const program = () => addon.program(Float64Array.from(words()))
    expect(program).toThrow(expect.objectContaining({ code: 'ERR_HEED_PROGRAM' }))
    expect(program).toThrow(message)
  })

  test('the error names the command', () => {
    const words = [
      ...binary(addon, 'add_f32', 3, [2, 2, 2]),
      ...command(addon, 'softmax', [view], [0]),
    ]
    expect(() => addon.program(Float64Array.from(words))).toThrow(
      'command 1 (softmax): the operand `y` is missing',
    )
    expect(() => addon.program([0] as never)).toThrow(TypeError)
    expect(() => addon.program(new Float32Array(3) as never)).toThrow('Float64Array')
  })

  test('random words are refused', () => {
    const random = generator(1)
    const special = [
      -1,
      0.5,
      1e300,
      -1e300,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      2 ** 50,
      -(2 ** 50),
    ]
    for (let i = 0; i < 20_000; i++) {
      const words = Float64Array.from({ length: 1 + random(40) }, () =>
        random(8) ? random(12) : special[random(9)],
      )
      expect(() => addon.program(words)).toThrow()
    }
  })

  test('well-formed commands with a few words changed are refused or run', async () => {
    const random = generator(2)
    const all = Object.values(sampleCommands(addon))
    let accepted = 0
    for (let i = 0; i < 6_000; i++) {
      const words = Float64Array.from(all[random(all.length)])
      for (let changes = 1 + random(2); changes > 0; changes--) {
        const at = 3 + random(words.length - 3)
        words[at] = random(4) ? words[at] + random(5) - 2 : random(20)
      }
      const program = accept(addon, words)
      if (!program) continue
      accepted++
      await runWithZeros(addon, program)
    }
    expect(accepted).toBeGreaterThan(100)
  })
})

function accept(addon: Addon, words: Float64Array) {
  try {
    return addon.program(words)
  } catch {
    return null
  }
}

// With buffers exactly as large as the program wants them. What the kernels say of the data is theirs.
async function runWithZeros(addon: Addon, program: ReturnType<Addon['program']>): Promise<void> {
  const buffers: ReturnType<Addon['allocate']>[] = []
  let [arena, scalars] = [0, 0]
  for (;;) {
    try {
      await addon.run(program, arena, null, new Uint8Array(scalars), buffers).catch(() => {})
      break
    } catch (error) {
      const message = (error as Error).message
      const [, which, index, need] =
        /^(the arena|the scalars|buffer (\d+)) .*needs (\d+)$/.exec(message) ?? []
      if (!which) throw error
      if (which === 'the arena') arena = Number(need)
      else if (which === 'the scalars') scalars = Number(need)
      else buffers[Number(index)] = addon.allocate(Number(need))
    }
  }
  for (const handle of [program, ...buffers]) addon.dispose(handle)
}

function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
