import { isJsonObject, type JsonValue } from '../../io/files/json.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'

/** Whether a value is an article of SQuAD (Rajpurkar et al., 2016), which has paragraphs with questions. */
export function isArticle(value: JsonValue): boolean {
  return isJsonObject(value) && Array.isArray(value.paragraphs)
}

/**
 * Yields a row for each question of an article, with the columns of the data set on the hub: id, title, context,
 * question, answers {text, answer_start}. Rows are numbered by question, starting at `first`.
 * @returns the next row number
 */
export function* questionRows(
  article: JsonValue,
  file: string,
  first: number,
  mistakes: Mistakes,
): Generator<Row, number> {
  const { title = '', paragraphs } = article as { title?: JsonValue; paragraphs: JsonValue[] }
  let number = first
  for (const paragraph of paragraphs) {
    const { context, qas } = isJsonObject(paragraph) ? paragraph : {}
    if (!Array.isArray(qas)) {
      mistakes.add({ file, number }, 'the paragraph must have a list of questions, `qas`')
      continue
    }
    for (const asked of qas) {
      const place = { file, number: number++ }
      if (!isJsonObject(asked)) mistakes.add(place, 'a question must be an object ({ … })')
      else {
        const { id, question, answers } = asked
        yield { values: { id, title, context, question, answers: inColumns(answers) }, ...place }
      }
    }
  }
  return number
}

/** Converts a list of answers to lists of texts and positions. Other values are returned unchanged. */
function inColumns(answers: JsonValue | undefined): unknown {
  if (!Array.isArray(answers) || !answers.every(isJsonObject)) return answers
  return {
    text: answers.map(({ text }) => text),
    answer_start: answers.map(({ answer_start }) => answer_start),
  }
}
