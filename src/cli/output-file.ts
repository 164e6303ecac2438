import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { HeedError } from '../util/errors.ts'

/** @throws HeedError for a file to write that is also read: its contents would be lost */
export async function checkOutput(out: string, inputs: readonly string[]): Promise<void> {
  const [target, ...sources] = await Promise.all([out, ...inputs].map(realPath))
  if (sources.includes(target))
    throw new HeedError(
      'invalid-option',
      `\`out\` must differ from the data, got ${out} for both`,
      {
        key: 'out',
        value: out,
        remedy: 'Write to another file.',
      },
    )
}

const realPath = (path: string): Promise<string> => realpath(path).catch(() => resolve(path))
