import { beforeAll, describe, expect, it } from 'vitest'
import { BatchDecoder, Decoder } from '../../src/generate/index.ts'
import { manualSeed, tensor } from '../../src/index.ts'
import { GPT2 } from '../../src/models/index.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const vocab = 12
let model: GPT2

/** The logits behind a text that the decoder of single texts gives. */
const alone = async (text: number[]): Promise<number[]> => [
  ...(await new Decoder(model, 32).start([text])),
]

function expectRows(logits: ArrayLike<number>, rows: number[][]): void {
  for (const [i, x] of Array.from(logits).entries()) expect(x).toBeCloseTo(rows.flat()[i], 4)
}

onEach(allDevices, () => {
  beforeAll(() => {
    manualSeed(3)
    model = new GPT2({
      vocab_size: vocab,
      n_positions: 32,
      n_embd: 8,
      n_layer: 2,
      n_head: 2,
      initializer_range: 0.6,
    })
  })

  describe('BatchDecoder', () => {
    it('gives each row what it would get alone, padded or not', async () => {
      for (const texts of [
        [[1, 2, 3], [4], [5, 6, 7, 8, 9]],
        [
          [1, 2],
          [3, 4],
        ],
      ]) {
        const decoder = new BatchDecoder(model, { maxTokens: 10 })
        expectRows(await decoder.start(texts), await Promise.all(texts.map(alone)))
        const longer = texts.map((text, i) => [...text, i])
        expectRows(await decoder.next(texts.map((_, i) => i)), await Promise.all(longer.map(alone)))
      }
    })

    it('reads tokens that all texts share once, with the same logits', async () => {
      const texts = [[1, 2, 3, 4, 9], [1, 2, 3], [1, 2, 3, 7]] // biome-ignore format: one line
      const decoder = new BatchDecoder(model, { maxTokens: 10, sharePrefix: true })
      for (const prompts of [texts, texts.map((text) => [5, ...text])]) {
        expectRows(await decoder.start(prompts), await Promise.all(prompts.map(alone)))
        const longer = prompts.map((text, i) => [...text, i])
        expectRows(await decoder.next([0, 1, 2]), await Promise.all(longer.map(alone)))
      }
    })

    it('goes on from other rows in a given order, their padding with them', async () => {
      const texts = [[1, 2, 3], [4], [5, 6, 7, 8, 9]]
      const decoder = new BatchDecoder(model, { maxTokens: 10 })
      await decoder.start(texts)
      const logits = await decoder.next([7, 8, 9], [2, 2, 1])
      const made = [
        [...texts[2], 7],
        [...texts[2], 8],
        [...texts[1], 9],
      ]
      expectRows(logits, await Promise.all(made.map(alone)))
      const next = await decoder.next([0, 0, 0])
      expectRows(next, await Promise.all(made.map((text) => alone([...text, 0]))))
    })

    it('says what it cannot do', async () => {
      const decoder = new BatchDecoder(model, { maxTokens: 20 })
      await expect(decoder.start([])).rejects.toThrow(
        heedError('invalid-option', { mentions: 'got none' }),
      )
      await expect(decoder.start([[1], []])).rejects.toThrow(
        heedError('invalid-option', { mentions: 'Text 1 ' }),
      )
      await expect(decoder.start([new Array(13).fill(1)])).rejects.toThrow(
        heedError('invalid-option', {
          key: 'maxTokens',
          value: 20,
          mentions: ['19', '32', '13 tokens'],
        }),
      )
      await expect(decoder.next([1])).rejects.toThrow(
        heedError('invalid-state', { mentions: ['`next`', '`start`'] }),
      )
    })
  })

  describe('attentionMask', () => {
    it('makes a padded text what it is alone, on either side', async () => {
      const text = [1, 2, 3]
      const all = await model
        .eval()
        .forward(tensor([text], { dtype: 'i32' }))
        .data()
      const padded = tensor(
        [
          [9, 9, ...text],
          [...text, 9, 9],
        ],
        { dtype: 'i32' },
      )
      const attentionMask = tensor([
        [false, false, true, true, true],
        [true, true, true, false, false],
      ])
      const logits = model.forward(padded, { attentionMask })
      model.train()
      const left = await logits.narrow(0, 0, 1).narrow(1, 2, 3).data()
      const right = await logits.narrow(0, 1, 1).narrow(1, 0, 3).data()
      for (let i = 0; i < all.length; i++) {
        expect(left[i]).toBeCloseTo(all[i], 5)
        expect(right[i]).toBeCloseTo(all[i], 5)
      }
      expect(() => model.forward(padded, { attentionMask: attentionMask.narrow(1, 0, 4) })).toThrow(
        heedError('shape', { mentions: ['attentionMask', 'bool', '(2, 5)', 'bool (2, 4)'] }),
      )
    })
  })
})
