import { HeedError } from '../../util/errors.ts'
import { describeContent, type FileFormat, formatOf } from './file-format.ts'

/**
 * The error for a file in another format than expected. The message names the actual format.
 * @param expected expected format with its article: "a GGUF file"
 */
export function wrongFormat(path: string, expected: string, head: Uint8Array): HeedError {
  const { title, remedy = 'Check that this is the right file.' } = describeContent(head)
  return new HeedError('corrupt-file', `${path} must be ${expected}, got ${title}`, {
    value: path,
    expected,
    remedy,
  })
}

/**
 * Throws if a file has a known format that is not one of these. Unknown formats pass, because their reader gives more
 * specific errors.
 */
export function refuseOtherFormats(
  path: string,
  expected: string,
  head: Uint8Array,
  formats: readonly FileFormat[],
): void {
  const format = formatOf(head)
  if (format !== null && !formats.includes(format)) throw wrongFormat(path, expected, head)
}
