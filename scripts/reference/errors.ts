// The page of error codes, from the table in util/error-codes.ts.
import { errorCodes } from '../../src/util/error-codes.ts'
import { page, plain } from './markdown.ts'

export const errorsPage = (): string =>
  page(
    'Error codes',
    'An error that you can correct is a `HeedError` with four fields: `code`, `message` (what must be and what was given), `remedy` (what to do) and `details` (`key`, `value`, `expected` and values to `try`, for programs). Compare codes, not messages: the wording may change. The command line prints message and remedy and exits with code 2.',
    EXAMPLE,
    ...Object.entries(errorCodes).flatMap(([name, { meaning, remedy }]) => [
      `## ${name}`,
      plain(meaning),
      `What to do: ${plain(remedy)}`,
    ]),
    '## Other errors',
    'An error without a code is a fault of Heed. The command line prints `heed: internal error` with the stack and exits with code 1. Please report it.',
  )

const EXAMPLE = `\`\`\`ts [errors.ts]
import { HeedError, tensor } from 'heed'

try {
  tensor([1, 2, 3]).reshape(2, 2)
} catch (error) {
  if (error instanceof HeedError) console.log(error.code, error.message)
}
\`\`\`

\`\`\`text
shape reshape: (2, 2) must have the 3 elements of (3), got 4
\`\`\``
