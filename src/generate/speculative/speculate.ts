import type { TypedArray } from '../../graph/dtype.ts'
import type { Decoder } from '../decoder.ts'
import { checkMaxTokens, isComplete, processed } from '../processors/processor.ts'
import { createSampler } from '../sampling.ts'
import type { WriteOptions, Written } from '../write-tokens.ts'
import { acceptOrDraw } from './accept.ts'
import { type Draft, type Drafter, foreignToken } from './drafter.ts'

/**
 * Generates one text like `writeTokens`, with several tokens per run of the model if drafts are accepted (Leviathan et
 * al., 2023). The text is the same at temperature 0, and has the same distribution at other temperatures.
 */
export async function* speculate(
  decoder: Decoder,
  prompt: readonly number[],
  drafter: Drafter,
  options: WriteOptions = {},
): AsyncGenerator<Written, void, undefined> {
  const { maxTokens = 100, stopTokens = [], processors = [], signal, ...sampling } = options
  checkMaxTokens(maxTokens)
  const sampler = createSampler(sampling)
  const text = { tokens: [...prompt], promptLength: prompt.length, maxTokens, stopTokens }
  const left = (): number => maxTokens - (text.tokens.length - text.promptLength)
  let drafts: Draft[] = []
  let logits: TypedArray[] = []
  while (left() > 0) {
    signal?.throwIfAborted()
    if (logits.length === 0) logits = [await decoder.start([prompt])]
    else {
      const last = text.tokens[text.tokens.length - 1]
      // Drafts need room in the cache after the last token, which is not cached yet.
      const count = Math.min(decoder.capacity - decoder.tokens.length - 1, left() - 1)
      drafts = count > 0 ? await drafter.propose(text, count, { sampling, processors }) : []
      drafts = drafts.slice(0, Math.max(0, count))
      checkVocabulary(drafts, logits[0].length)
      logits = await read(decoder, last, drafts)
    }
    drafter.proposed += drafts.length
    const before = decoder.tokens.length - drafts.length
    for (let i = 0; i <= drafts.length; i++) {
      const scores = processed(logits[i], processors, text)
      const { token, accepted } =
        i < drafts.length
          ? acceptOrDraw(sampler.candidates(scores), drafts[i], sampler.random)
          : { token: sampler.choose(scores), accepted: false }
      if (accepted) drafter.accepted++
      else decoder.rewind(before + i)
      if (stopTokens.includes(token)) return
      text.tokens.push(token)
      yield { token, logits: logits[i] }
      if (isComplete(processors, text)) return
      if (!accepted) break
    }
  }
}

/** The logits after the last token of the text and after each draft. */
async function read(decoder: Decoder, last: number, drafts: Draft[]): Promise<TypedArray[]> {
  const full = decoder.tokens.length === decoder.capacity
  return full
    ? [await decoder.next([last])]
    : decoder.extend([last, ...drafts.map(({ token }) => token)])
}

function checkVocabulary(drafts: readonly Draft[], size: number): void {
  const wrong = drafts.find(({ token }) => token >= size)
  if (wrong) throw foreignToken('drafter', 'model', size, wrong.token)
}
