// Sentence embeddings against sentence-transformers: see scripts/fixtures/sentences.py.
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stats } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { BertModel, SentenceEncoder } from '../../src/models/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const root = join(FIXTURES, 'sentences')
let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'heed-sentences-'))
})
afterAll(() => rm(scratch, { recursive: true }))

interface Told {
  text: string
  vector: number[]
}

const toldOf = async (name: string): Promise<Told[]> =>
  (await readJsonObject(join(root, name, 'expected.json'))).texts as unknown as Told[]

const farthest = (got: readonly Float32Array[], want: readonly ArrayLike<number>[]): number =>
  Math.max(
    ...got.flatMap((row, i) => {
      expect(row.length).toBe(want[i].length)
      return Array.from(row, (x, j) => Math.abs(x - want[i][j]))
    }),
  )

onEach(oneOfEach, () => {
  it.each([
    ['mean', 1],
    ['mean', 3],
    ['several', 32],
  ])('%s, %i at a time: the vectors of sentence-transformers', async (name, batchSize) => {
    const told = await toldOf(name)
    const encoder = await SentenceEncoder.fromPretrained(join(root, name))
    const got = await encoder.embed(
      told.map(({ text }) => text),
      { batchSize },
    )
    expect(got[0].length).toBe(encoder.dimension)
    const want = told.map(({ vector }) => vector)
    expect(farthest(got, want)).toBeLessThan(1e-4)
  })
})

describe('prompts', () => {
  it('are applied as sentence-transformers does it', async () => {
    const json = await readJsonObject(join(root, 'prompts.json'))
    const { texts, prompts, vectors } = json as unknown as {
      texts: string[]
      prompts: object
      vectors: Record<string, number[][]>
    }
    const dir = join(scratch, 'prompts')
    await cp(join(root, 'mean'), dir, { recursive: true })
    const settings = { prompts, default_prompt_name: 'query' }
    await writeFile(join(dir, 'config_sentence_transformers.json'), JSON.stringify(settings))
    for (const [name, wanted] of Object.entries(vectors)) {
      const [pooling_mode, include, promptName] = name.split(' ')
      const pooled = { pooling_mode, include_prompt: include === 'True' }
      await writeFile(join(dir, '1_Pooling', 'config.json'), JSON.stringify(pooled))
      const encoder = await SentenceEncoder.fromPretrained(dir)
      expect(farthest(await encoder.embed(texts, { promptName }), wanted), name).toBeLessThan(1e-4)
    }
    const encoder = await SentenceEncoder.fromPretrained(dir)
    await expect(encoder.embed(texts, { promptName: 'title' })).rejects.toThrow(
      heedError('invalid-option', {
        key: 'promptName',
        value: 'title',
        mentions: 'query, document',
      }),
    )
    await encoder.save(join(scratch, 'saved-prompts'))
    const back = await SentenceEncoder.fromPretrained(join(scratch, 'saved-prompts'))
    expect(back.config).toMatchObject({ ...encoder.config, maxTokens: encoder.maxTokens })
    expect(await back.embed(texts)).toEqual(await encoder.embed(texts))
  })
})

describe('a sentence encoder', () => {
  it('comes back as it was saved', async () => {
    for (const name of ['mean', 'several']) {
      const encoder = await SentenceEncoder.fromPretrained(join(root, name))
      const dir = join(scratch, name)
      await encoder.save(dir)
      const back = await SentenceEncoder.fromPretrained(dir)
      expect(back.config).toEqual({ ...encoder.config, maxTokens: encoder.maxTokens })
      const texts = ['the old cat', 'a dog sat on the mat and on an old cat']
      expect(await back.embed(texts)).toEqual(await encoder.embed(texts))
    }
  })

  it('compiles few programs, and none for texts of lengths that it has seen', async () => {
    const encoder = await SentenceEncoder.fromPretrained(join(root, 'mean'))
    const texts = Array.from({ length: 40 }, (_, i) => 'cat '.repeat(i % 20))
    await encoder.embed(texts, { batchSize: 8 })
    const { compilations } = stats()
    await encoder.embed([...texts].reverse(), { batchSize: 8 })
    expect(stats().compilations).toBe(compilations)
  })

  it('gives no vectors for no texts, and each text its own whatever stands beside it', async () => {
    const encoder = await SentenceEncoder.fromPretrained(join(root, 'mean'))
    expect(await encoder.embed([])).toEqual([])
    const [alone] = await encoder.embed(['the cat'])
    const [, beside] = await encoder.embed(['a dog sat on the old mat and on a house', 'the cat'])
    expect(farthest([beside], [alone])).toBeLessThan(1e-5)
  })

  it('computes as for evaluation while its model is being trained', async () => {
    const encoder = await SentenceEncoder.fromPretrained(join(root, 'mean'))
    const config = { ...(encoder.model.config as object), hidden_dropout_prob: 0.5 }
    const model = new BertModel(config)
    model.loadStateDict(encoder.model.stateDict())
    const other = new SentenceEncoder(model.train(), encoder.tokenizer)
    expect(await other.embed(['the cat'])).toEqual(await encoder.embed(['the cat']))
    expect(model.embeddings.dropout.training).toBe(true)
  })

  it('is the mean of the states where a folder does not say', async () => {
    const dir = join(scratch, 'plain')
    await cp(join(root, 'mean'), dir, { recursive: true })
    await rm(join(dir, 'modules.json'))
    const { config } = await SentenceEncoder.fromPretrained(dir)
    expect(config).toMatchObject({ pooling: ['mean'], normalize: false })
  })

  it('refuses what it cannot compute', async () => {
    const dir = join(scratch, 'strange')
    await cp(join(root, 'mean'), dir, { recursive: true })
    const modules = async (list: unknown): Promise<SentenceEncoder> => {
      await writeFile(join(dir, 'modules.json'), JSON.stringify(list))
      return SentenceEncoder.fromPretrained(dir)
    }
    const dense = { type: 'sentence_transformers.models.Dense', path: '2_Dense' }
    await expect(modules([dense])).rejects.toThrow(
      heedError('unsupported', { key: 'type', value: 'sentence_transformers.models.Dense' }),
    )
    const outside = { type: 'sentence_transformers.models.Pooling', path: '../../etc' }
    await expect(modules([outside])).rejects.toThrow(heedError('invalid-config', { key: '0.path' }))
    await expect(modules({})).rejects.toThrow(
      heedError('invalid-config', { key: '', mentions: 'modules.json' }),
    )
    await modules([{ type: 'sentence_transformers.models.Pooling', path: '1_Pooling' }])
    await writeFile(join(dir, '1_Pooling', 'config.json'), '{"pooling_mode": "median"}')
    await expect(SentenceEncoder.fromPretrained(dir)).rejects.toThrow(
      heedError('invalid-config', { key: 'pooling_mode' }),
    )
    const encoder = await SentenceEncoder.fromPretrained(join(root, 'mean'))
    await expect(encoder.embed(['a'], { batchSize: 0 })).rejects.toThrow(
      heedError('invalid-option', { key: 'batchSize', value: 0 }),
    )
    const small = new BertModel({ ...(encoder.model.config as object), vocab_size: 9 })
    expect(() => new SentenceEncoder(small, encoder.tokenizer)).toThrow(
      heedError('invalid-config', { mentions: '(9)' }),
    )
  })
})

const minilm = process.env.HEED_MINILM

describe.skipIf(!minilm)('all-MiniLM-L6-v2', () => {
  it('finds 20 pairs as alike as sentence-transformers does', async () => {
    const { pairs } = (await readJsonObject(join(FIXTURES, 'minilm.json'))) as unknown as {
      pairs: { a: string; b: string; similarity: number }[]
    }
    const encoder = await SentenceEncoder.fromPretrained(minilm as string)
    const vectors = await encoder.embed(pairs.flatMap(({ a, b }) => [a, b]))
    pairs.forEach(({ similarity }, i) => {
      const [a, b] = vectors.slice(2 * i, 2 * i + 2)
      expect(a.reduce((sum, x, j) => sum + x * b[j], 0)).toBeCloseTo(similarity, 3)
    })
  })
})
