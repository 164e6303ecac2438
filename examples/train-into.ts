// A training run of an example, with its time.
import { rmSync } from 'node:fs'
import { parseTrainConfig, trainModel } from 'heed/train'
import { showProgress } from './progress.ts'

/**
 * Trains a model into `folder`, whose earlier contents are removed.
 * @param name for the lines of progress; none are printed without it
 */
export async function trainInto(
  folder: string,
  keys: Record<string, unknown>,
  name?: string,
): Promise<{ seconds: number; model: Awaited<ReturnType<typeof trainModel>>['model'] }> {
  rmSync(folder, { recursive: true, force: true })
  const config = parseTrainConfig(keys)
  const on = name === undefined ? undefined : showProgress(name)
  const started = performance.now()
  const { model } = await trainModel({ config, out: folder, on })
  return { model, seconds: (performance.now() - started) / 1000 }
}
