import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Packer, unpack } from '../../src/data/examples/pack.ts'
import {
  firstExamples,
  openExamples,
  type PackedExamples,
  selectExamples,
  writeExamples,
} from '../../src/data/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

function packed(value: unknown): Uint8Array<ArrayBuffer> {
  const packer = new Packer()
  packer.add(value)
  return packer.take()
}

describe('packed examples', () => {
  const name = fc.string().filter((key) => key !== '__proto__')
  const { example } = fc.letrec((tie) => ({
    example: fc.oneof(
      { depthSize: 'small' },
      fc.array(fc.integer()),
      fc.array(fc.integer({ min: 0, max: 70_000 })),
      fc.double(),
      fc.boolean(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(null, undefined, '', -0, [-0], [], {}, '\ud800', 'a\udc00b', 2 ** 40),
      fc.array(tie('example')),
      fc.dictionary(name, tie('example'), { noNullPrototype: true }),
    ),
  }))

  it('come back as they were', () => {
    fc.assert(
      fc.property(example, (value) => {
        expect(unpack(packed(value))).toStrictEqual(value)
      }),
    )
  })

  it('take little room', () => {
    const ids = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 30_000)
    expect(packed(ids).length).toBe(2003)
    expect(packed(ids.map((id) => id % 2)).length).toBe(1003)
    expect(packed(ids.map((id) => id * 100)).length).toBe(4003)
  })

  it('are refused when they are damaged, and never do harm', () => {
    const sound = packed({ ids: [1, 2, 70_000], text: 'a whale', tags: ['a', null, -1.5] })
    const changes = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1 })
    const cut = fc.nat(sound.length)
    fc.assert(
      fc.property(changes, cut, (places, end) => {
        const bytes = sound.slice(0, end)
        for (const [place, byte] of places) if (place < end) bytes[place] = byte
        try {
          unpack(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(HeedError)
        }
      }),
    )
    expect(() => unpack(sound.subarray(0, -1))).toThrow(HeedError)
    const poison = packed({ __prote__: { a: 1 } })
    poison[poison.indexOf('e'.charCodeAt(0), 8)] = 'o'.charCodeAt(0)
    expect(() => unpack(poison)).toThrow(HeedError)
    expect(() => unpack(new Uint8Array(1000).fill(7))).toThrow(HeedError) // a list in a list in …
  })

  it('are nested no deeper than they can be read', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 'a' : [nested(depth - 1)])
    expect(unpack(packed(nested(32)))).toEqual(nested(32))
    const cycle: unknown[] = []
    cycle.push(cycle)
    for (const value of [nested(33), cycle])
      expect(() => packed(value)).toThrow(heedError('invalid-data', { mentions: '32' }))
  })

  it('are data: nothing else can be packed', () => {
    for (const value of [() => 1, Symbol('a'), 1n, new Map(), new Uint8Array(2)])
      expect(() => packed([value])).toThrow(heedError('invalid-data', { mentions: 'JSON' }))
  })
})

describe('a file of examples', () => {
  const examples = Array.from({ length: 100 }, (_, i) => ({
    ids: Array.from({ length: i % 7 }, (_, j) => i * 100 + j),
    text: `the ${i}th`,
  }))

  async function* parts(): AsyncGenerator<PackedExamples> {
    for (let start = 0; start < examples.length; start += 30) {
      const part = examples.slice(start, start + 30)
      const each = part.map((one) => packed(one))
      yield {
        bytes: new Uint8Array(Buffer.concat(each)),
        sizes: Uint32Array.from(each, ({ length }) => length),
        lengths: Uint32Array.from(part, ({ ids }) => ids.length),
      }
    }
  }

  async function written(): Promise<string> {
    const path = join(await temporaryFolder(), 'a.examples')
    await writeExamples(path, 'key', parts())
    return path
  }

  it.each([0, 1 << 20])('gives back each of them, with %i bytes held', async (maxBytesInMemory) => {
    const file = await openExamples<(typeof examples)[0]>(await written(), 'key', {
      maxBytesInMemory,
    })
    if (!file) throw new Error('not opened')
    expect(firstExamples(file)).toEqual(examples)
    expect([...file.lengths]).toEqual(examples.map(({ ids }) => ids.length))
    expect(file.at(100)).toBeUndefined()
    const some = selectExamples(file, Uint32Array.of(9, 3))
    expect(firstExamples(some, 5)).toEqual([examples[9], examples[3]])
    expect(some.lengths).toEqual(Uint32Array.of(2, 3))
    await file.close()
  })

  it('counts only whole, unchanged and under its own key', async () => {
    const path = await written()
    const sound = await readFile(path)
    expect(await openExamples(path, 'another key')).toBeUndefined()
    expect(await openExamples(`${path}.none`, 'key')).toBeUndefined()
    for (const length of [0, 3, 4, 200, sound.length - 1]) {
      await truncate(path, length)
      expect(await openExamples(path, 'key'), `${length} bytes`).toBeUndefined()
      await writeFile(path, sound)
    }
    for (let at = 0; at < sound.length; at += 41) {
      const changed = Buffer.from(sound)
      changed[at] ^= 1 << (at % 8)
      await writeFile(path, changed)
      expect(await openExamples(path, 'key'), `byte ${at}`).toBeUndefined()
    }
    await writeFile(path, sound)
    expect(await openExamples(path, 'key')).toBeDefined()
  })

  it('says so when it is cut while it is used', async () => {
    const path = await written()
    const file = await openExamples(path, 'key', { maxBytesInMemory: 0 })
    await truncate(path, 50)
    expect(() => file?.at(99)).toThrow(heedError('corrupt-file', { mentions: 'shorter' }))
    await file?.close()
  })

  it('does not appear when its examples end with an error', async () => {
    const folder = await temporaryFolder()
    async function* broken(): AsyncGenerator<PackedExamples> {
      yield* parts()
      throw new HeedError('invalid-data', 'a row is wrong')
    }
    await expect(writeExamples(join(folder, 'a'), 'key', broken())).rejects.toThrow(
      heedError('invalid-data', { mentions: 'row' }),
    )
    expect(await readdir(folder)).toEqual([])
  })
})
