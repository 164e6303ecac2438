// Long texts: what a task on them is told, and how they are cut for a model that sees only so much.
import { z } from 'zod'
import type { Tokenizer } from '../../tokenizers/index.ts'

/** The keys of tasks on whole texts. */
export const documentOptions = {
  textColumn: z.string().default('text').describe('the column of the text'),
  unit: z
    .enum(['line', 'paragraph', 'file'])
    .default('file')
    .describe('what a document is in text files'),
}

/** Splits the tokens of a text into windows of about equal length, at most `length` each. */
export function windowsOf(ids: readonly number[], length: number): number[][] {
  const count = Math.ceil(ids.length / length)
  return Array.from({ length: count }, (_, i) =>
    ids.slice(Math.round((i * ids.length) / count), Math.round(((i + 1) * ids.length) / count)),
  )
}

/** Two parts of a text that follow each other, for next-sentence prediction. */
export interface Segments {
  first: readonly number[]
  second: readonly number[]
}

/**
 * A text as pairs of segments of whole sentences, together at most `length` tokens (Devlin et al.,
 * 2019). `cut` in [0, 1) chooses the sentence at which the n-th pair is parted.
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

/** Sentences of paragraphs, which empty lines set apart; lines that are broken otherwise are joined. */
export function sentencesOf(text: string): string[] {
  return text.split(/\n[ \t\r]*\n/).flatMap((paragraph) =>
    paragraph
      .replace(/\s+/g, ' ')
      .split(/(?<=[.!?…]["'”’)\]]?) (?=\S)/)
      .map((sentence) => sentence.trim())
      .filter((sentence) => sentence !== ''),
  )
}
