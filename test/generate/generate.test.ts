import { beforeAll, describe, expect, it } from 'vitest'
import {
  Decoder,
  type GenerateTokensOptions,
  generate,
  generateBatch,
  generateSteps,
  generateTokens,
  generateTokensBatch,
  logProbabilities,
  suppressTokens,
} from '../../src/generate/index.ts'
import { manualSeed, stats, tensor } from '../../src/index.ts'
import { GPT2 } from '../../src/models/index.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const config = {
  vocab_size: 12,
  n_positions: 64,
  n_embd: 8,
  n_layer: 2,
  n_head: 2,
  initializer_range: 0.6,
}
let model: GPT2

async function tokensOf(prompt: number[], options: GenerateTokensOptions): Promise<number[]> {
  const made: number[] = []
  for await (const token of generateTokens(model, prompt, options)) made.push(token)
  return made
}

/** The slow, readable twin: the whole text through the model for each token. */
async function slowGreedy(prompt: number[], count: number, window = 64): Promise<number[]> {
  const text = [...prompt]
  const modes = model.training
  model.eval()
  for (let i = 0; i < count; i++) {
    const logits = model.forward(tensor([text.slice(-window)], { dtype: 'i32' }))
    text.push(await logits.select(1, -1).argmax().item())
  }
  model.train(modes)
  return text.slice(prompt.length)
}

onEach(allDevices, () => {
  beforeAll(() => {
    manualSeed(11)
    model = new GPT2(config)
  })

  describe('generateTokens', () => {
    it('writes what the model without a cache writes', async () => {
      for (const prompt of [[3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7]])
        expect(await tokensOf(prompt, { temperature: 0, maxTokens: 12 })).toEqual(
          await slowGreedy(prompt, 12),
        )
    })

    it('leaves the mode of the model alone, and drops nothing out', async () => {
      expect(model.training).toBe(true)
      const greedy = { temperature: 0, maxTokens: 10 }
      expect(await tokensOf([1], greedy)).toEqual(await tokensOf([1], greedy))
      expect(model.transformer.drop.training).toBe(true)
    })

    it('compiles nothing for a token, a longer prompt of the same bucket, or a second text', async () => {
      await tokensOf([1, 2], { maxTokens: 30, seed: 1 })
      const { compilations } = stats()
      await tokensOf([1, 2, 3, 4, 5], { maxTokens: 40, seed: 2 })
      expect(stats().compilations).toBe(compilations)
    })

    it('repeats itself with a seed', async () => {
      const options = { maxTokens: 20, seed: 5, topK: 8, topP: 0.95 }
      expect(await tokensOf([1], options)).toEqual(await tokensOf([1], options))
      expect(await tokensOf([1], options)).not.toEqual(await tokensOf([1], { ...options, seed: 6 }))
    })

    it('goes on when the context is full: the last half is read again', async () => {
      const prompt = [1, 2, 3, 4, 5]
      const made = await tokensOf(prompt, { temperature: 0, maxTokens: 30, contextLength: 16 })
      expect(made).toHaveLength(30)
      // 5 + 11 tokens fill the context; then the last 8 stay, and 8 more fill it again.
      const first = await slowGreedy(prompt, 12)
      expect(made.slice(0, 12)).toEqual(first)
      const kept = [...prompt, ...first].slice(-8)
      expect(made.slice(12, 20)).toEqual(await slowGreedy(kept, 8))
    })

    it('reads the end of a prompt that is longer than the context', async () => {
      const prompt = Array.from({ length: 100 }, (_, i) => (i * 7) % 12)
      const made = await tokensOf(prompt, { temperature: 0, maxTokens: 1 })
      expect(made).toEqual(await slowGreedy(prompt.slice(-64), 1))
    })

    it('ends at a stop token, at the limit, and when it is told to', async () => {
      const all = await tokensOf([1], { temperature: 0, maxTokens: 9 })
      const stop = all[4]
      expect(await tokensOf([1], { temperature: 0, maxTokens: 9, stopTokens: [stop] })).toEqual(
        all.slice(0, all.indexOf(stop)),
      )
      expect(await tokensOf([1], { maxTokens: 0 })).toEqual([])
      const controller = new AbortController()
      const made: number[] = []
      const run = async (): Promise<void> => {
        for await (const token of generateTokens(model, [1], { signal: controller.signal })) {
          made.push(token)
          if (made.length === 3) controller.abort(new Error('enough'))
        }
      }
      await expect(run()).rejects.toThrow('enough')
      expect(made).toHaveLength(3)
    })

    it('writes several texts at once, each as it would be alone, each with its own end', async () => {
      const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9]]
      const greedy = { temperature: 0, maxTokens: 12 }
      const alone = await Promise.all(prompts.map((prompt) => tokensOf(prompt, greedy)))
      expect(await generateTokensBatch(model, prompts, greedy)).toEqual(alone)
      const ending = { ...greedy, stopTokens: [alone[0][3]] }
      const ended = await Promise.all(prompts.map((prompt) => tokensOf(prompt, ending)))
      expect(new Set(ended.map((text) => text.length)).size).toBeGreaterThan(1)
      expect(await generateTokensBatch(model, prompts, ending)).toEqual(ended)
      const sampled = { maxTokens: 12, seed: 4 }
      const texts = await generateTokensBatch(model, [[1], [1]], sampled)
      expect(texts[0]).toEqual(await tokensOf([1], sampled))
      expect(texts[1]).not.toEqual(texts[0])
    })

    it('keeps what a text has in common with the one before', async () => {
      const decoder = new Decoder(model, 64)
      const options = { temperature: 0, maxTokens: 5, decoder }
      const prompt = [1, 2, 3, 4, 5]
      const first = await tokensOf(prompt, options)
      expect(first).toEqual(await tokensOf(prompt, { ...options, decoder: undefined }))
      for (const next of [[...prompt, ...first, 7, 8], [1, 2, 9], prompt]) {
        const before = decoder.tokensRead
        const shared = decoder.tokens.findIndex((token, i) => token !== next[i])
        const kept = Math.min(shared < 0 ? decoder.tokens.length : shared, next.length - 1)
        expect(await tokensOf(next, options)).toEqual(await slowGreedy(next, 5))
        expect(decoder.tokensRead - before).toBe(next.length - kept + 4)
      }
      expect(() => decoder.rewind(99)).toThrow(
        heedError('invalid-option', { key: 'length', value: 99 }),
      )
    })

    it('gives the logits of each choice, whatever a processor makes of them', async () => {
      const [never] = await tokensOf([1], { temperature: 0, maxTokens: 1 })
      const options = { temperature: 0, maxTokens: 1, processors: [suppressTokens([never])] }
      for await (const { token, logits } of generateSteps(model, [1], options)) {
        expect(token).not.toBe(never)
        const { top, logprob } = logProbabilities(logits, token, 2)
        expect(top.map((one) => one.token)).toEqual([never, token])
        expect(top[1].logprob).toBe(logprob)
      }
    })

    it('says what it cannot start from', async () => {
      await expect(tokensOf([12], {})).rejects.toThrow(
        heedError('invalid-option', { key: 'prompt', value: 12, mentions: '(12)' }),
      )
      await expect(tokensOf([], {})).rejects.toThrow(
        heedError('invalid-option', { key: 'prompt', value: 0 }),
      )
      expect(() => new Decoder(model, 1)).toThrow(
        heedError('invalid-option', { key: 'contextLength', value: 1, mentions: 'from 2' }),
      )
    })
  })

  describe('generate', () => {
    const letters = 'abcdefghijkl'
    const tokenizer = {
      encode: (text: string) => [...text].map((c) => letters.indexOf(c)),
      decodeStream: () => {
        let held = ''
        return {
          // As of characters of two tokens each.
          push: (id: number) => {
            held += letters[id]
            const whole = held.length === 2 ? held : ''
            if (whole) held = ''
            return whole
          },
          end: () => held,
        }
      },
      eosTokenId: undefined as number | undefined,
      bosTokenId: undefined as number | undefined,
      tokenToId: (token: string) => (token.length === 1 ? letters.indexOf(token) : undefined),
      idToToken: (id: number) => letters[id],
      isSpecial: () => false,
    }
    const textOf = async (prompt: string, options: object, tok = tokenizer): Promise<string[]> => {
      const pieces: string[] = []
      for await (const piece of generate(model, tok, prompt, options)) pieces.push(piece)
      return pieces
    }

    it('gives text in pieces as characters become whole', async () => {
      const pieces = await textOf('bc', { temperature: 0, maxTokens: 5 })
      expect(pieces.map((piece) => piece.length)).toEqual([2, 2, 1])
      const tokens = await tokensOf([1, 2], { temperature: 0, maxTokens: 5 })
      expect(pieces.join('')).toBe(tokens.map((t) => letters[t]).join(''))
    })

    it('stops at the end of the text, unless it is told not to', async () => {
      const tokens = await tokensOf([1], { temperature: 0, maxTokens: 6 })
      const ending = { ...tokenizer, eosTokenId: tokens[2] }
      const stopped = await textOf('b', { temperature: 0, maxTokens: 6 }, ending)
      expect(stopped.join('')).toHaveLength(tokens.indexOf(tokens[2]))
      const whole = await textOf('b', { temperature: 0, maxTokens: 6, stopAtEnd: false }, ending)
      expect(whole.join('')).toHaveLength(6)
    })

    it('shows nothing of a stop string, and holds back only what may become one', async () => {
      const all = (await textOf('b', { temperature: 0, maxTokens: 12 })).join('')
      const stop = all.slice(5, 8)
      const options = { temperature: 0, maxTokens: 12, stop: [stop, 'zz'] }
      const pieces = await textOf('b', options)
      expect(pieces.join('')).toBe(all.slice(0, all.indexOf(stop)))
      const batch = await generateBatch(model, tokenizer, ['b', 'cde'], options)
      expect(batch[0]).toBe(pieces.join(''))
      expect(batch[1]).toBe((await textOf('cde', options)).join(''))
    })

    it('starts an empty prompt from the token that begins texts', async () => {
      const start = { ...tokenizer, bosTokenId: 4 }
      expect((await textOf('', { temperature: 0, maxTokens: 4 }, start)).join('')).toHaveLength(4)
      await expect(textOf('', {})).rejects.toThrow(
        heedError('invalid-option', { key: 'prompt', value: '' }),
      )
    })
  })
})
