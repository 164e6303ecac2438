import { cpSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Marian, savePretrained } from '../../src/models/index.ts'
import { pipeline } from '../../src/pipelines/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { openRun } from '../../src/train/open-run.ts'
import { reportRun } from '../../src/train/report/report-run.ts'
import { classed, parse, textOf } from '../report/parse.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, weightsOf, writeRows } from './support.ts'

const at = scratch()

const nouns = [['lamp', 'lampe'], ['door', 'porte'], ['pear', 'poire'], ['rose', 'rose']] // biome-ignore format: a list
const colours = [['red', 'rouge'], ['green', 'verte'], ['old', 'vieille'], ['small', 'petite']] // biome-ignore format: a list
const rows = nouns.flatMap(([noun, nom]) =>
  colours.flatMap(([colour, couleur]) => [
    { source: `the ${colour} ${noun}`, target: `la ${nom} ${couleur}` },
    { source: `a ${noun}, ${colour}`, target: `une ${nom}, ${couleur}` },
  ]),
)
const data = [writeRows(at('pairs.jsonl'), rows)]
const keys = { task: 'translation', data, tokenizer: 'bpe:400', dim: 32, dropout: 0, valFraction: 0.1, evalEvery: 0 } // biome-ignore format: one line
const rowOf = (values: Record<string, unknown>) => ({ values, file: 'x.jsonl', number: 1 })
const learnt = { epochs: 60, lr: 8e-3, warmup: 10, batch: 8 }

describe('translation', () => {
  it.each([
    ['seq2seq_rnn', { epochs: 120, layers: 1, set: { init_std: 0.3 } }],
    ['marian', {}],
    ['t5', {}],
  ])('is learnt by %s', async (model, own) => {
    const out = at(`learns-${model}`)
    await trainTiny(out, { ...keys, ...learnt, model, ...own })
    const { task, model: opened } = await openRun(out)
    const examples = (await Promise.all(rows.map((row) => task.encode(rowOf(row))))).flat()
    const { metrics, examples: shown } = await task.evaluate(opened, examples)
    expect(metrics.loss).toBeLessThan(0.5)
    expect(metrics.perplexity).toBeCloseTo(Math.exp(metrics.loss), 6)
    expect(metrics.bleu).toBeGreaterThan(80)
    expect(metrics.chrf).toBeGreaterThan(80)
    const right = shown.filter((one) => one.right)
    expect(right.length).toBeGreaterThan(24)
    const written = await task.predict(opened, [rowOf({ source: right[0].input })])
    expect(written).toEqual([{ translation: right[0].expected }])
    const translate = await pipeline('translation', out)
    expect(await translate(right[0].input)).toEqual([{ translation_text: right[0].expected }])

    const page = parse(readFileSync(await reportRun(out), 'utf8'))
    const cross = classed(page, 'view').filter((view) =>
      /looking at the encoder$/.test(textOf(view)),
    )
    expect(cross).toHaveLength(3)
    for (const view of cross) {
      const side = (style: string): string => classed(view, style).map(textOf).join(' ')
      expect(side('row')).toMatch(/\b(la|une|le|un)\b/i) // French is written
      expect(side('column')).toMatch(/\b(the|a)\b/i) // while English is looked at
    }
  })

  it('goes on bit for bit where it stopped', async () => {
    const settings = { ...keys, model: 'seq2seq_rnn', dropout: 0.2, steps: 8, saveEvery: 4 }
    await trainTiny(at('whole'), settings)
    const { finished } = await trainTiny(at('parts'), settings, { stopAt: 5 })
    expect(finished).toBe(false)
    await trainTiny(at('parts'), settings, { resume: true })
    expect(await weightsOf(at('parts'))).toEqual(await weightsOf(at('whole')))
    expect(linesOf(at('parts'))).toEqual(linesOf(at('whole')))
  })

  it('reads columns of languages, also within one column, and beams as wide as it is told', async () => {
    const file = writeRows(
      at('languages.jsonl'),
      rows.map(({ source, target }) => ({ translation: { en: source, fr: target } })),
    )
    const settings = { ...keys, data: [file], sourceColumn: 'en', targetColumn: 'fr', beams: 2, steps: 3 } // biome-ignore format: one line
    const { task, model } = await trainTiny(at('columns'), { ...settings, model: 'seq2seq_rnn' })
    const written = await task.predict(model, [rowOf({ en: 'the red lamp' })])
    expect(written).toEqual([{ translation: expect.any(String) }])
    expect(() => task.encode(rowOf({ en: 'the red lamp' }))).toThrow(
      heedError('invalid-data', { key: 'fr', mentions: "'en'" }),
    )
  })

  it('fine-tunes a Marian with a tokenizer for each language', async () => {
    const from = at('opus')
    cpSync(fileURLToPath(new URL('../fixtures/marian/tokenizer', import.meta.url)), from, {
      recursive: true,
    })
    const target = await Tokenizer.fromFile(from, { asTarget: true })
    const eos = target.eosTokenId as number
    const size = { d_model: 16, encoder_layers: 1, decoder_layers: 1, encoder_attention_heads: 2, decoder_attention_heads: 2, encoder_ffn_dim: 16, decoder_ffn_dim: 16, max_position_embeddings: 32 } // biome-ignore format: one line
    const ids = { vocab_size: target.vocabSize, pad_token_id: target.padTokenId, eos_token_id: eos }
    await savePretrained(new Marian({ ...size, ...ids }), from)
    const { tokenizer: _, dim: __, ...rest } = keys
    await trainTiny(at('tuned'), { ...rest, model: 'marian', from, steps: 2 })
    const { task, model } = await openRun(at('tuned'))
    const [example] = (await task.encode(rowOf(rows[0]))) as { labels: number[] }[]
    expect(example.labels).toEqual(target.encode(rows[0].target))
    expect(example.labels.at(-1)).toBe(eos)
    expect(await task.predict(model, [rowOf({ source: 'the rose' })])).toHaveLength(1)
  })
})
