// Long texts: the options of tasks on documents, and how documents are split for the context length of a model.
import { z } from 'zod'
import type { Tokenizer } from '../../tokenizers/index.ts'

/** The options of tasks on documents. */
export const documentOptions = {
  textColumn: z.string().default('text').describe('column of the text'),
  unit: z
    .enum(['line', 'paragraph', 'file'])
    .default('file')
    .describe('part of a text file that is a document: line, paragraph or file'),
}

/** Splits the tokens of a text into windows of about equal length, at most `length` each. */
export function windowsOf(ids: readonly number[], length: number): number[][] {
  const count = Math.ceil(ids.length / length)
  return Array.from({ length: count }, (_, i) =>
    ids.slice(Math.round((i * ids.length) / count), Math.round(((i + 1) * ids.length) / count)),
  )
}

/** Two consecutive parts of a text, for next-sentence prediction. */
export interface Segments {
  first: readonly number[]
  second: readonly number[]
}

/**
 * Splits a text into pairs of segments of whole sentences, with at most `length` tokens per pair (Devlin et al., 2019).
 * `cut` returns a number in [0, 1) that selects the sentence at which the n-th pair is split.
 */
export function segmentPairs(
  text: string,
  tokenizer: Tokenizer,
  length: number,
  cut: (n: number) => number,
): Segments[] {
  const pairs: Segments[] = []
  let chunk: number[][] = []
  let size = 0
  const close = (): void => {
    if (chunk.length > 1) {
      const at = 1 + Math.floor(cut(pairs.length) * (chunk.length - 1))
      pairs.push({ first: chunk.slice(0, at).flat(), second: chunk.slice(at).flat() })
    }
    chunk = []
    size = 0
  }
  for (const sentence of sentencesOf(text)) {
    for (const ids of windowsOf(
      tokenizer.encode(sentence, { addSpecialTokens: false }),
      length >> 1,
    )) {
      if (size + ids.length > length) close()
      chunk.push(ids)
      size += ids.length
    }
  }
  close()
  return pairs
}

/** Splits a text into sentences. Empty lines separate paragraphs; other line breaks are joined. */
export function sentencesOf(text: string): string[] {
  return text.split(/\n[ \t\r]*\n/).flatMap((paragraph) =>
    paragraph
      .replace(/\s+/g, ' ')
      .split(/(?<=[.!?…]["'”’)\]]?) (?=\S)/)
      .map((sentence) => sentence.trim())
      .filter((sentence) => sentence !== ''),
  )
}
