import { describe, expect, it } from 'vitest'
import { generateSeq2Seq, Seq2SeqDecoder, seq2SeqBeams } from '../../src/generate/index.ts'
import { manualSeed, stats } from '../../src/index.ts'
import { Marian } from '../../src/models/index.ts'
import { loadSeq2Seq, type Seq2SeqFixture } from '../models/seq2seq-fixture.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const folders = ['t5/tied', 't5/gated', 'marian/shared', 'marian/separate', 'marian/untied']

/** The tokens of each text that count. */
async function sourcesOf({ input, attentionMask }: Seq2SeqFixture): Promise<number[][]> {
  const ids = (await input.tolist()) as number[][]
  const mask = (await attentionMask.tolist()) as boolean[][]
  return ids.map((row, i) => row.filter((_, j) => mask[i][j]))
}

onEach(oneOfEach, () => {
  describe.each(folders)('%s', (folder) => {
    it('writes what transformers writes, in one program', async () => {
      const fixture = await loadSeq2Seq(folder, folder.split('/')[1])
      const { model, greedy = [] } = fixture
      const sources = await sourcesOf(fixture)
      const decoder = new Seq2SeqDecoder(model)
      // Nothing ended the texts of the fixture.
      const generationConfig = { forced_eos_token_id: null }
      const options = { maxTokens: 20, decoder, stopAtEnd: false, generationConfig }
      const [made] = await generateSeq2Seq(model, [sources[1]], options)
      expect(made).toEqual(greedy)
      const { compilations } = stats()
      const again = await generateSeq2Seq(model, [sources[1]], options)
      expect(again).toEqual([greedy])
      expect(stats().compilations).toBe(compilations)
      const all = await generateSeq2Seq(model, sources, options)
      expect(all[1]).toEqual(greedy)
    })

    it('finds the beams that transformers finds', async () => {
      const fixture = await loadSeq2Seq(folder, folder.split('/')[1])
      const sources = await sourcesOf(fixture)
      // Its positions count padding in front, where ours has none.
      const count = folder.startsWith('marian') ? 2 : 3
      for (const { options, sequences, scores } of fixture.beams ?? []) {
        const found = await seq2SeqBeams(fixture.model, sources.slice(0, count), {
          generationConfig: options,
          best: options.num_beams,
        })
        expect(found.map((each) => each.map(({ tokens }) => tokens))).toEqual(
          sequences.slice(0, count),
        )
        found.forEach((each, i) => {
          each.forEach(({ score }, j) => {
            expect(score).toBeCloseTo(scores[i][j], 4)
          })
        })
      }
    })
  })

  it('goes on when its first memory is full', async () => {
    manualSeed(5)
    const size = { encoder_layers: 1, decoder_layers: 2, d_model: 16, max_position_embeddings: 100 }
    const heads = { encoder_attention_heads: 2, decoder_attention_heads: 4, vocab_size: 30 }
    const ffn = { encoder_ffn_dim: 16, decoder_ffn_dim: 16, pad_token_id: 2, init_std: 0.7 }
    const model = new Marian({ ...size, ...heads, ...ffn }).eval()
    const sources = [
      [3, 4, 5],
      [6, 7, 8, 9],
    ]
    const [long, other] = await generateSeq2Seq(model, sources, { maxTokens: 300 })
    expect([long.length, other.length]).toEqual([99, 99])
    const first = [model.decoderStartTokenId, ...long]
    for (const at of [31, 32, 33, 64, 65, 98]) {
      const { tensor } = await import('../../src/index.ts')
      const ids = (row: number[]) => tensor([row], { dtype: 'i32' })
      const logits = model.forward(ids(sources[0]), ids(first.slice(0, at + 1))).select(1, at)
      expect(await logits.argmax(-1).item()).toBe(long[at])
    }
  })
})

describe('an encoder-decoder that writes', () => {
  const tiny = { vocab_size: 11, d_model: 8, encoder_layers: 1, decoder_layers: 1 }
  const more = { encoder_attention_heads: 2, decoder_attention_heads: 2, pad_token_id: 2 }
  const model = new Marian({ ...tiny, ...more, max_position_embeddings: 12 }).eval()

  it('says what it cannot read', async () => {
    const long = Array(13).fill(3)
    await expect(generateSeq2Seq(model, [[3], long])).rejects.toThrow(
      heedError('invalid-option', { mentions: ['Text 1 ', '1 to 12 tokens', 'got 13'] }),
    )
    await expect(generateSeq2Seq(model, [])).rejects.toThrow(
      heedError('invalid-option', { mentions: 'got none' }),
    )
    await expect(generateSeq2Seq(model, [[]])).rejects.toThrow(
      heedError('invalid-option', { mentions: 'got 0' }),
    )
    await expect(generateSeq2Seq(model, [[-1]])).rejects.toThrow(
      heedError('invalid-option', { mentions: ['11', 'got -1'] }),
    )
  })

  it('draws the same with the same seed', async () => {
    const options = { temperature: 1.5, maxTokens: 8, seed: 3 }
    const one = await generateSeq2Seq(
      model,
      [
        [3, 4],
        [5, 6, 7],
      ],
      options,
    )
    expect(
      await generateSeq2Seq(
        model,
        [
          [3, 4],
          [5, 6, 7],
        ],
        options,
      ),
    ).toEqual(one)
    expect(await generateSeq2Seq(model, [[3, 4]], options)).toEqual([one[0]])
  })
})
