import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { parseTrainConfig } from '../../src/train/config.ts'
import { type TrainEvent, type TrainOutcome, trainModel } from '../../src/train/train-model.ts'
import { withoutMeasured } from '../support/measured.ts'

/** A folder that goes away with the test file. */
export function scratch(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'heed-train-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return (name) => join(folder, name)
}

export function writeRows(path: string, rows: readonly object[]): string {
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

/** Trains a tiny model; with `stopAt`, stops as Ctrl-C does once that step has been reported. */
export async function trainTiny(
  out: string,
  keys: Record<string, unknown>,
  {
    stopAt,
    resume,
    on: told,
  }: { stopAt?: number; resume?: boolean; on?: (event: TrainEvent) => void } = {},
): Promise<TrainOutcome> {
  const small = keys.from === undefined ? { layers: 2, heads: 2, dim: 16 } : {}
  const config = parseTrainConfig({ ...small, context: 32, batch: 8, logEvery: 1, ...keys })
  const stop = new AbortController()
  const on = (event: TrainEvent): void => {
    told?.(event)
    if (event.type === 'step' && stopAt && event.result.step >= stopAt) stop.abort()
  }
  return trainModel({ config, out, resume, signal: stop.signal, on })
}

export async function weightsOf(run: string): Promise<Map<string, number[]>> {
  const file = await openSafetensors(join(run, 'model.safetensors'))
  const out = new Map<string, number[]>()
  for (const name of file.names) out.set(name, [...(await file.read(name, { as: 'f32' }))])
  await file.close()
  return out
}

/** metrics.jsonl, without speed and memory. */
export const linesOf = (run: string): Record<string, number>[] =>
  withoutMeasured(readFileSync(join(run, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
