import { HeedError } from '../../util/errors.ts'
import { fileError, formatBytes } from './file-error.ts'
import { type JsonObject, type JsonValue, parseJson } from './json-parse.ts'
import { openForReading, readFully } from './open-file.ts'

export { isJsonObject, type JsonObject, type JsonValue, parseJson } from './json-parse.ts'

export interface ReadJsonOptions {
  /** Larger files are refused before a byte is read. Default 256 MB: tokenizers reach 35 MB. */
  maxBytes?: number
}

/** Reads a JSON file. Errors name the file, the line and the column. */
export async function readJson(path: string, options: ReadJsonOptions = {}): Promise<JsonValue> {
  const bytes = await readBytes(path, options.maxBytes ?? 256e6)
  return parseJson(decodeUtf8(bytes, path), path)
}

/** Reads a JSON file whose outermost value must be an object. */
export async function readJsonObject(
  path: string,
  options: ReadJsonOptions = {},
): Promise<JsonObject> {
  const value = await readJson(path, options)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  const kind = Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 40)
  throw new HeedError('corrupt-file', `${path} must hold a JSON object ({ … }), it holds ${kind}`)
}

/** UTF-8 bytes as text; anything else is refused by name. */
export function decodeUtf8(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new HeedError('corrupt-file', `cannot read ${source}: it is not UTF-8 text`, {
      cause: error,
    })
  }
}

async function readBytes(path: string, maxBytes: number): Promise<Uint8Array> {
  const { handle, size } = await openForReading(path)
  try {
    if (size > maxBytes) {
      const sizes = `it has ${formatBytes(size)}, the limit here is ${formatBytes(maxBytes)}`
      const remedy = 'Check that this is the JSON file that you meant.'
      throw new HeedError('corrupt-file', `cannot read ${path}: ${sizes}`, { remedy })
    }
    const bytes = new Uint8Array(size)
    if (await readFully(handle, bytes, 0)) return bytes
    throw new HeedError('corrupt-file', `cannot read ${path}: it became shorter while it was read`)
  } catch (error) {
    throw fileError(error, 'read', path)
  } finally {
    await handle.close()
  }
}
