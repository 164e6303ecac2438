import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  BatchDecoder,
  type BeamOptions,
  beamSearch,
  type LogitsProcessor,
  minNewTokens,
  noRepeatNgrams,
  repetitionPenalty,
} from '../../src/generate/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

interface Options {
  num_beams: number
  length_penalty?: number
  early_stopping?: boolean | 'never'
  no_repeat_ngram_size?: number
  repetition_penalty?: number
  min_new_tokens?: number
}
interface Case {
  options: Options
  stopTokens: number[]
  prompts: number[][]
  maxTokens: number
  expected: { tokens: number[]; score: number | null }[][]
}
const { beams: cases } = (await readJsonObject(join(FIXTURES, 'generation.json'))) as unknown as {
  beams: Case[]
}

onEach(oneOfEach, () => {
  describe('beamSearch', () => {
    let model: CausalLM
    beforeAll(async () => {
      model = await fromPretrained(join(FIXTURES, 'gpt2', 'base'))
    })
    const search = (prompts: number[][], options: BeamOptions) =>
      beamSearch(new BatchDecoder(model, { maxTokens: options.maxTokens ?? 100 }), prompts, options)

    it.each(cases)('finds what transformers finds: $options, ends $stopTokens', async (one) => {
      const found = await search(one.prompts, optionsOf(one))
      expect(found.map((texts) => texts.map((text) => text.tokens))).toEqual(
        one.expected.map((texts) => texts.map((text) => text.tokens)),
      )
      for (const [i, { score }] of found.flat().entries()) {
        const expected = one.expected.flat()[i].score
        if (expected !== null) expect(score / expected).toBeCloseTo(1, 4)
      }
    })

    it('finds for prompts of different lengths what it finds for each alone', async () => {
      const prompts = [[3, 14, 15, 9], [2], [58, 9, 7]]
      const options = { beams: 3, best: 2, maxTokens: 8, stopTokens: [18, 11] }
      const together = await search(prompts, options)
      for (const [i, prompt] of prompts.entries()) {
        const [alone] = await search([prompt], options)
        expect(together[i].map(({ tokens }) => tokens)).toEqual(alone.map(({ tokens }) => tokens))
      }
    })

    it('refuses options that mean nothing', async () => {
      await expect(search([[1]], { beams: 0 })).rejects.toThrow(
        heedError('invalid-option', { key: 'beams', value: 0 }),
      )
      await expect(search([[1]], { beams: 2, best: 3 })).rejects.toThrow(
        heedError('invalid-option', { key: 'best', value: 3, mentions: ['`beams`', '(2)'] }),
      )
      await expect(search([[1]], { beams: 2, lengthPenalty: Number.NaN })).rejects.toThrow(
        heedError('invalid-option', { key: 'lengthPenalty', value: Number.NaN }),
      )
    })
  })
})

function optionsOf({ options, stopTokens, maxTokens }: Case): BeamOptions {
  const processors: LogitsProcessor[] = []
  if (options.repetition_penalty) processors.push(repetitionPenalty(options.repetition_penalty))
  if (options.no_repeat_ngram_size) processors.push(noRepeatNgrams(options.no_repeat_ngram_size))
  if (options.min_new_tokens) processors.push(minNewTokens(options.min_new_tokens, stopTokens))
  return {
    beams: options.num_beams,
    best: options.num_beams,
    lengthPenalty: options.length_penalty,
    earlyStopping: options.early_stopping ?? false,
    maxTokens,
    stopTokens,
    processors,
  }
}
