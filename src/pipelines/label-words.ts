// Labels the words of texts that are already split. Each word gets the label of its first token (Devlin et al., 2019).
import type { TokenClassifier } from '../models/index.ts'
import type { Encoding, Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { runExamples } from './run-examples.ts'
import { encoderInputs, textBatching } from './text-examples.ts'

/** The words of a sentence, or of a part of a sentence that is too long for the model. */
export interface WordExample {
  words: readonly string[]
  ids: readonly number[]
  /** The first token of each word. */
  firsts: readonly number[]
}

/**
 * Encodes the words of a sentence as examples of at most `maxLength` tokens. A longer sentence is split in half.
 * @throws HeedError for a word without tokens
 */
export function encodeWords(
  tokenizer: Tokenizer,
  words: readonly string[],
  maxLength: number,
): WordExample[] {
  const encoding = tokenizer.encodeWithOffsets(words.join(' '))
  if (encoding.ids.length > maxLength && words.length > 1) {
    const middle = words.length >> 1
    return [words.slice(0, middle), words.slice(middle)].flatMap((half) =>
      encodeWords(tokenizer, half, maxLength),
    )
  }
  const firsts = firstTokens(encoding, words)
  const lost = firsts.indexOf(-1)
  if (lost >= 0)
    throw new HeedError(
      'invalid-data',
      `every word must have a token, but the tokenizer has none for '${words[lost]}'`,
      {
        value: words[lost],
        remedy: 'Remove the word, or use a tokenizer that contains its characters.',
      },
    )
  return [{ words, ids: encoding.ids.slice(0, maxLength), firsts }]
}

/** Predicts the label of each word of each example. */
export function labelWords(
  model: TokenClassifier,
  tokenizer: Tokenizer,
  examples: readonly WordExample[],
  batchSize = 16,
): Promise<string[][]> {
  return runExamples(examples, {
    batching: textBatching(tokenizer),
    model,
    batchSize,
    forward: (batch) => [model.forward(batch.input_ids, encoderInputs(batch)).argmax(-1)],
    read: ([guesses], row, { firsts }, length) =>
      firsts.map((place) => model.labels[guesses[row * length + Math.min(place, length - 1)]]),
  })
}

/** The first token of each word of the text; -1 for a word without tokens. */
function firstTokens({ offsets, sequenceIds }: Encoding, words: readonly string[]): number[] {
  const firsts: number[] = []
  let start = 0
  let token = 0
  for (const word of words) {
    const end = start + word.length
    // a token may begin with the space before its word
    while (token < offsets.length && (sequenceIds[token] === null || offsets[token][1] <= start))
      token++
    firsts.push(token < offsets.length && offsets[token][0] < end ? token : -1)
    start = end + 1
  }
  return firsts
}
