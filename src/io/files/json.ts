import { HeedError } from '../../util/errors.ts'
import { fileError, formatBytes } from './file-error.ts'
import { type JsonObject, type JsonValue, parseJson } from './json-parse.ts'
import { openForReading, readFully, shrunk } from './open-file.ts'
import { refuseOtherFormats } from './wrong-format.ts'

export { isJsonObject, type JsonObject, type JsonValue, parseJson } from './json-parse.ts'

export interface ReadJsonOptions {
  /** Maximum size of the file in bytes. Default 256 MB; tokenizers reach 35 MB. */
  maxBytes?: number
}

/** Reads a JSON file. @throws HeedError with the file, line and column */
export async function readJson(path: string, options: ReadJsonOptions = {}): Promise<JsonValue> {
  return parseJsonBytes(await readJsonBytes(path, options), path)
}

/** Parses the bytes of a JSON file. @throws HeedError with the file, line and column */
export function parseJsonBytes(bytes: Uint8Array, path: string): JsonValue {
  return parseJson(decodeUtf8(bytes, path), path)
}

/** Reads a JSON file that must be an object. */
export async function readJsonObject(
  path: string,
  options: ReadJsonOptions = {},
): Promise<JsonObject> {
  const value = await readJson(path, options)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  const kind = Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 40)
  throw new HeedError('corrupt-file', `${path} must be a JSON object ({ … }), got ${kind}`, {
    value: path,
    expected: 'a JSON object',
    remedy: 'Check that this is the right file.',
  })
}

/** Decodes UTF-8. @throws HeedError that names `source` if the bytes are invalid */
export function decodeUtf8(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new HeedError('corrupt-file', `Cannot read ${source}: it is not UTF-8 text`, {
      expected: 'UTF-8 text',
      remedy: 'Convert it to UTF-8, or download it again.',
      cause: error,
    })
  }
}

/** Reads the bytes of a JSON file without parsing them. @throws HeedError if it is too large or in another format */
export async function readJsonBytes(
  path: string,
  { maxBytes = 256e6 }: ReadJsonOptions = {},
): Promise<Uint8Array> {
  const { handle, size } = await openForReading(path)
  try {
    if (size > maxBytes) {
      throw new HeedError(
        'unsupported',
        `${path} must have at most ${formatBytes(maxBytes)}, got ${formatBytes(size)}`,
        { value: size, remedy: 'Check that this is the right JSON file.' },
      )
    }
    const bytes = new Uint8Array(size)
    if (!(await readFully(handle, bytes, 0))) throw shrunk(path)
    refuseOtherFormats(path, 'a JSON file', bytes, ['json'])
    return bytes
  } catch (error) {
    throw fileError(error, 'read', path)
  } finally {
    await handle.close()
  }
}
