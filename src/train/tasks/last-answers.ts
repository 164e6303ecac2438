// The last answers of conversations in a batch, which a student or a teacher may write instead.
import type { Batch } from '../../data/index.ts'
import { isCounted } from './conversation.ts'

/** The tokens before the last answer of each row of a batch (B, T), and a number of tokens for which all rows have room. */
export function promptsIn({ inputs, targets }: Batch): { prompts: number[][]; maxTokens: number } {
  const [rows, length] = inputs.shape
  const prompts = Array.from({ length: rows }, (_, row) => {
    const part = ({ data }: Batch[string]): number[] =>
      Array.from(data.subarray(row * length, (row + 1) * length), Number)
    const expected = part(targets)
    const end = expected.findLastIndex(isCounted)
    const start = expected.slice(0, end + 1).lastIndexOf(-100) + 1
    return part(inputs).slice(0, start + 1)
  })
  const longest = prompts.reduce((most, prompt) => Math.max(most, prompt.length), 0)
  return { prompts, maxTokens: 2 ** Math.floor(Math.log2(length - longest + 1)) } // few lengths, few programs
}

/** Replaces the last answers. Only their tokens count. */
export function withAnswers(batch: Batch, answers: readonly (readonly number[])[]): Batch {
  const [rows, length] = batch.inputs.shape
  const ids = new Int32Array(rows * length)
  const targets = new Int32Array(ids.length).fill(-100)
  promptsIn(batch).prompts.forEach((prompt, row) => {
    const answer = answers[row]
    ids.set([...prompt, ...answer.slice(0, -1)], row * length)
    targets.set(answer, row * length + prompt.length - 1)
  })
  const { shape } = batch.inputs
  return { inputs: { data: ids, shape }, targets: { data: targets, shape } }
}
