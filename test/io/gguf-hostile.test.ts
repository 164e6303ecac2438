import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openGGUF } from '../../src/io/gguf/gguf.ts'
import { writeGGUF } from '../../src/io/gguf/write.ts'
import { HeedError } from '../../src/util/errors.ts'
import { heedError } from '../support/heed-error.ts'
import { temporaryFolder } from './temporary-folder.ts'

type Part = Uint8Array | string | number | bigint

/** Numbers are u32, bigints u64, strings have their length before them. */
function bytes(...parts: readonly Part[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (part instanceof Uint8Array) return part
      if (typeof part === 'string')
        return Buffer.concat([u64(BigInt(part.length)), Buffer.from(part)])
      return typeof part === 'bigint' ? u64(part) : u32(part)
    }),
  )
}

function u32(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32LE(value)
  return out
}

function u64(value: bigint): Buffer {
  const out = Buffer.alloc(8)
  out.writeBigUInt64LE(value)
  return out
}

const MAGIC = Buffer.from('GGUF')
const zeros = (count: number): Uint8Array => new Uint8Array(count)

/** A file with this metadata and these tensors, and so many bytes of data at a multiple of 32. */
function file(entries: Part[][], tensors: Part[][], dataBytes = 64): Uint8Array {
  const counts = [BigInt(tensors.length), BigInt(entries.length)]
  const head = bytes(MAGIC, 3, ...counts, ...entries.flat(), ...tensors.flat())
  return Buffer.concat([head, zeros((32 - (head.length % 32)) % 32), zeros(dataBytes)])
}

const entry = (...parts: Part[]): Uint8Array => file([parts], [])
const [U8, U32, BOOL, STRING, ARRAY] = [0, 4, 7, 8, 9]
const [F32, Q8_0] = [0, 8]
const w = (size: bigint, offset: bigint, name = 'w'): Part[] => [name, 1, size, F32, offset]
const HUGE = 2n ** 64n - 1n

const HOSTILE: [what: string, bytes: Uint8Array, mentions: RegExp][] = [
  ['an empty file', zeros(0), /four bytes/],
  ['another magic', bytes(Buffer.from('GGML'), 3, 0n, 0n), /GGUF file.*47 47 4d 4c/],
  ['2^64 - 1 tensors', bytes(MAGIC, 3, HUGE, 0n), /tensors .*18446744073709551615/],
  ['many tensors', bytes(MAGIC, 3, 1000n, 0n), /tensors .*1000, .*8 bytes/],
  ['2^64 - 1 entries', bytes(MAGIC, 3, 0n, HUGE), /entries .*1844/],
  ['many entries', bytes(MAGIC, 3, 0n, 9n), /entries .*9, .*0 bytes/],
  ['a key past the end', entry(2n ** 40n), /key .*entry 0 .*1099511627776/],
  ['a key of 2^64 - 1', entry(HUGE), /key .*entry 0 .*18446744073709551615/],
  ['a key of no text', entry(2n, Buffer.from([0xff, 0xfe]), U8, zeros(1)), /UTF-8/],
  ['an unknown type', entry('k', 13), /"k" .*type 13/],
  ['a string past the end', entry('k', STRING, 10n ** 9n), /"k" .*1000000000/],
  ['a truth value of 2', entry('k', BOOL, Buffer.from([2])), /"k" .*boolean.* 2/],
  ['a list past the end', entry('k', ARRAY, U32, 2n ** 33n), /"k" .*8589934592/],
  ['a list of 2^64 - 1', entry('k', ARRAY, U8, HUGE), /"k" .*1844/],
  ['a list of strings past the end', entry('k', ARRAY, STRING, 99n), /"k" .*99,/],
  ['a list of unknown type', entry('k', ARRAY, 99, 0n), /"k" .*type 99/],
  [
    'lists in lists in lists',
    entry('k', ARRAY, ...Array.from({ length: 50 }, (): Part[] => [ARRAY, 1n]).flat(), U8, 0n),
    /"k" .*4 lists/,
  ],
  [
    'a key twice',
    file(
      [
        ['k', U32, 1],
        ['k', U32, 1],
      ],
      [],
    ),
    /"k" .*twice/,
  ],
  ['an alignment of 0', entry('general.alignment', U32, 0), /alignment .*\b0/],
  ['an alignment of 48', entry('general.alignment', U32, 48), /alignment .*48/],
  ['an alignment of 2^31', entry('general.alignment', U32, 2 ** 31), /alignment .*2147483648/],
  [
    'an alignment in words',
    entry('general.alignment', STRING, '32'),
    /alignment.*number, got "32"/,
  ],
  ['five dimensions', file([], [['w', 5, 1n, 1n, 1n, 1n, 1n, F32, 0n]]), /"w" .*5 dimensions/],
  ['2^32 - 1 dimensions', file([], [['w', 0xffffffff]]), /"w" .*4294967295 dimensions/],
  ['an unknown tensor type', file([], [['w', 1, 1n, 77, 0n]]), /"w" .*type 77/],
  ['a type that was removed', file([], [['w', 1, 32n, 4, 0n]]), /"w" .*type 4\b/],
  ['a size of 2^64 - 1', file([], [w(HUGE, 0n)]), /"w" .*18446744073709551615/],
  [
    'sizes whose product overflows',
    file([], [['w', 2, 2n ** 32n, 2n ** 32n, F32, 0n]]),
    /"w".* larger/,
  ],
  ['half a block', file([], [['w', 1, 33n, Q8_0, 0n]]), /\b33, .*\b32/],
  ['half a block a row', file([], [['w', 2, 16n, 2n, Q8_0, 0n]]), /\b16\b/],
  ['a tensor out of range', file([], [w(17n, 0n)]), /"w" .*byte 68\b.*\b64/],
  ['one far out of range', file([], [w(1n, 2n ** 50n)]), /"w" .*byte 1125899906842628/],
  ['an offset of 2^64 - 1', file([], [w(1n, HUGE)]), /offset .*"w" .*1844/],
  ['an offset aside', file([], [w(1n, 8n)]), /byte 8\b.*\b32/],
  ['an overlap', file([], [w(9n, 0n, 'a'), w(1n, 32n, 'b')]), /"b" .*byte 32 overlaps/],
  ['the same bytes twice', file([], [w(1n, 0n, 'a'), w(1n, 0n, 'b')]), /"b" .*byte 0 overlaps/],
  ['a name twice', file([], [w(1n, 0n), w(1n, 32n)]), /tensor "w" .*twice/],
  ['a name with control characters', file([], [['\u001b[2J', 9]]), /tensor "\\u001b\[2J" .*9 d/],
]

const UNSUPPORTED: typeof HOSTILE = [
  ['version 1', bytes(MAGIC, 1, 0, 0), /\b2 or 3, got version 1/],
  ['version 4', bytes(MAGIC, 4, 0n, 0n), /got version 4/],
  ['big-endian', bytes(MAGIC, 0x03000000, 0n, 0n), /big-endian/],
]

describe('openGGUF refuses', () => {
  it.each([
    ...HOSTILE.map((row) => ['corrupt-file', ...row] as const),
    ...UNSUPPORTED.map((row) => ['unsupported', ...row] as const),
  ])('%s: %s', async (code, _what, content, mentions) => {
    const path = join(await temporaryFolder(), 'x.gguf')
    await writeFile(path, content)
    const error = await openGGUF(path).catch((e: unknown) => e)
    expect(error).toEqual(heedError(code, { mentions }))
    expect(error).toHaveProperty('message', expect.stringContaining(path))
  })

  it('a file cut short at any byte', async () => {
    const path = join(await temporaryFolder(), 'x.gguf')
    const strings = { type: 'array', of: 'string', value: ['a', 'bc'] } as const
    const tensor = { name: 'w', type: 'f32', shape: [3], data: zeros(12) } as const
    await writeGGUF(path, { k: { type: 'u32', value: 1 }, strings }, [tensor])
    const whole = await readFile(path)
    const padding = 20 // behind the last tensor: readers can do without
    for (let length = 0; length < whole.length - padding; length++) {
      await writeFile(path, whole.subarray(0, length))
      await expect(openGGUF(path), `${length} bytes`).rejects.toThrow(HeedError)
    }
    await writeFile(path, whole.subarray(0, whole.length - padding))
    await (await openGGUF(path)).close()
  })

  it('no name that objects have by themselves', async () => {
    const path = join(await temporaryFolder(), 'x.gguf')
    await writeFile(
      path,
      file([['__proto__', U32, 1]], [w(1n, 0n, '__proto__'), w(1n, 32n, 'constructor')]),
    )
    const found = await openGGUF(path)
    expect(found.names).toEqual(['__proto__', 'constructor'])
    expect(found.metadata.number('__proto__')).toBe(1)
    expect(found.metadata.has('constructor')).toBe(false)
    expect(() => found.info('toString')).toThrow(
      heedError('unknown-name', { key: 'name', value: 'toString' }),
    )
    await found.close()
  })

  it('a header that is cut at the end of what is read first', async () => {
    const path = join(await temporaryFolder(), 'x.gguf')
    const value = Array.from({ length: 300_000 }, (_, i) => `token ${i}`)
    const tokens = { type: 'array', of: 'string', value } as const
    await writeGGUF(path, { tokens }, [])
    const found = await openGGUF(path)
    expect(found.metadata.strings('tokens')).toEqual(value)
    await found.close()
  })
})
