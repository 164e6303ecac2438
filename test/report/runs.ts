// Tiny runs whose reports are tested.
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { forgetHashes } from '../../src/io/files/hashes.ts'
import { trainTiny, writeRows } from '../train/support.ts'

/** Labels, and texts of the data, that must be shown and not obeyed. */
export const HOSTILE = '<img src=x onerror="alert(1)">&amp;</script><script>alert(2)</script>'
export const LABELS = ['good', '</script><b>bad</b>']
const BIDI = 'left \u202eright\u202c \u0007 \u2028 end'

/** A classifier of hostile texts with several labels. */
export async function trainClassifier(
  at: (name: string) => string,
  name = 'labels',
): Promise<string> {
  // biome-ignore format: one line
  const rows = Array.from({ length: 60 }, (_, i) => ({
    text: `${['lovely', 'awful'][i % 2]} ${HOSTILE} ${BIDI} ${i % 7}`,
    label: LABELS[i % 2],
  }))
  const data = [writeRows(at("rows & 'a'.jsonl"), rows)]
  await trainTiny(at(name), { model: 'bert', task: 'text-classification', data, tokenizer: 'char', steps: 12, evalEvery: 4, dropout: 0, valFraction: 0.5, lr: 4e-3, warmup: 2, context: 128 }) // biome-ignore format: one line
  return at(name)
}

/** A language model. */
export async function trainWriter(
  at: (name: string) => string,
  name = 'text',
  steps = 10,
): Promise<string> {
  // biome-ignore format: one line
  writeFileSync(at('text.txt'), 'the whale swam and "the ship" sailed over the sea. '.repeat(40))
  await trainTiny(at(name), {
    model: 'gpt2',
    data: [at('text.txt')],
    steps,
    lr: 4e-3,
    evalEvery: 5,
  })
  return at(name)
}

/** A copy of a run with another metrics.jsonl. */
export async function withMetrics(run: string, copy: string, metrics: string): Promise<string> {
  cpSync(run, copy, { recursive: true })
  await forgetHashes(copy, ['metrics.jsonl'])
  writeFileSync(join(copy, 'metrics.jsonl'), metrics)
  return copy
}

/** 100,000 steps with a spike. */
export function longLog(): string {
  const lines = Array.from({ length: 100_000 }, (_, i) => {
    const step = i + 1
    const loss = step === 43_210 ? 77.5 : 3 / Math.sqrt(1 + i / 1000) + 0.1 * Math.sin(i)
    return `{"step":${step},"loss":${loss},"lr":${1e-3 * Math.cos(i / 1e5)},"grad_norm":${1 + Math.random()},"tokens_per_second":${50_000 + (i % 77)},"memory_bytes":${2e8 + i}}${step % 100 === 0 ? `\n{"step":${step},"val_loss":${loss + 0.2},"val_accuracy":${i / 1e5}}` : ''}` // biome-ignore format: one line
  })
  return `${lines.join('\n')}\n`
}
