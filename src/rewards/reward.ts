/**
 * Judges an answer: a number, larger for better answers.
 * @param prompt the last message of the prompt
 * @param answer the text of the answer, without special tokens
 * @param row the columns of the row, such as `answer`
 */
export type Reward = (
  prompt: string,
  answer: string,
  row: Readonly<Record<string, unknown>>,
) => number | Promise<number>
