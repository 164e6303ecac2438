// Every key that transformers saves is obeyed, known to have no effect, or named in a warning.
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import {
  answerOf,
  configKeysTable,
  imageAnswer,
  savedKeys,
  savedTokenizerKeys,
  sentenceAnswer,
  tokenizerAnswer,
} from '../../scripts/config-keys.ts'
import { ImageProcessor } from '../../src/data/index.ts'
import { GPT2, modelDefinition, modelTypes } from '../../src/models/index.ts'

const keys = savedKeys()
const tokenizerKeys = savedTokenizerKeys()

describe('the keys that transformers saves', () => {
  it.each(Object.keys(keys.models))('of %s all have an answer', (family) => {
    const unknown = Object.entries(keys.models[family])
      .filter(([key, value]) => answerOf(family, key, value) === undefined)
      .map(([key]) => key)
    expect(unknown).toEqual([])
  })

  it('include those of every family that transformers has', () => {
    const own = ['seq2seq_rnn', 'vit-hybrid'] // which transformers 5 does not have
    expect(Object.keys(keys.models).sort()).toEqual(modelTypes().filter((type) => !own.includes(type)).sort()) // biome-ignore format: one line
  })

  it('have the other names of transformers', () => {
    for (const [family, aliases] of Object.entries(keys.aliases))
      expect(modelDefinition(family).config.aliases, family).toMatchObject(aliases)
  })

  it('of images all have an answer', () => {
    expect(keys.images.filter((key) => imageAnswer(key) === undefined)).toEqual([])
  })

  it('of tokenizers all have an answer, for every class and version', () => {
    const unknown = Object.values(tokenizerKeys.tokenizers).flatMap((classes) =>
      Object.entries(classes).flatMap(([name, all]) =>
        all.filter((key) => tokenizerAnswer(key, name) === undefined),
      ),
    )
    expect(Object.keys(tokenizerKeys.tokenizers).map((version) => version.slice(0, 4))).toEqual(['4.57', '5.24']) // biome-ignore format: one line
    expect(unknown).toEqual([])
  })

  it('of sentence-transformers all have an answer', () => {
    for (const [part, all] of Object.entries(tokenizerKeys.sentences))
      expect(
        all.filter((key) => sentenceAnswer(part, key) === undefined),
        part,
      ).toEqual([])
  })

  it('are listed in docs/config-keys.md', () => {
    const table = readFileSync(new URL('../../docs/config-keys.md', import.meta.url), 'utf8')
    expect(table).toBe(configKeysTable(keys, tokenizerKeys))
  })
})

/** What is printed while `run` is called. */
function warningsOf(run: () => void): string[] {
  const spy = vi.spyOn(console, 'warn').mockImplementation(() => {})
  try {
    run()
    return spy.mock.calls.map(([text]) => String(text))
  } finally {
    spy.mockRestore()
  }
}

describe('a key that is not supported', () => {
  const tiny = { vocab_size: 5, n_positions: 4, n_embd: 4, n_layer: 1, n_head: 1 }

  it('is named in one warning, once', () => {
    const odd = { ...tiny, alpha_of_nobody: 1, beta_of_nobody: [2], gamma_of_nobody: null }
    const first = warningsOf(() => void new GPT2(odd))
    expect(first).toEqual([
      expect.stringMatching(/^heed: GPT-2: .* ignored: alpha_of_nobody, beta_of_nobody\.$/),
    ])
    expect(warningsOf(() => void new GPT2(odd))).toEqual([])
  })

  it('is named with the key that it is similar to', () => {
    const odd = { ...tiny, n_embed: 8, n_layers: 2, bert: 1 }
    expect(warningsOf(() => void new GPT2(odd))).toEqual([
      expect.stringMatching(/ n_embed \(.*n_embd\?\), n_layers \(.*n_layer\?\), bert\.$/),
    ])
  })

  it('is named with its value, where others have no effect', () => {
    const [line] = warningsOf(() => void new GPT2({ ...tiny, pruned_heads: { 0: [1] } } as object))
    expect(line).toContain('pruned_heads {"0":[1]}')
    expect(warningsOf(() => void new GPT2({ ...tiny, pruned_heads: {} } as object))).toEqual([])
  })

  it('of images is named, too', () => {
    const [line] = warningsOf(() => void new ImageProcessor({ do_pad: true, size_of_nobody: 3 }))
    expect(line).toContain('do_pad true, size_of_nobody')
  })
})
