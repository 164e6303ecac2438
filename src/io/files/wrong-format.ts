import { HeedError } from '../../util/errors.ts'
import { describeContent, type FileFormat, formatOf } from './file-format.ts'

/**
 * The error for a file whose content is not what its reader expects: it names what the file is instead.
 * @param expected with its article: "a GGUF file"
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
 * Refuses a file that is recognised as another format than these. Bytes of no known format pass: the reader says what is
 * wrong with them.
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
