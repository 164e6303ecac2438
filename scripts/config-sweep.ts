// Opens tiny models with each key of config.json set to each kind of value, in transformers and in Heed, and compares.
//
//   HEED_PYTHON=… npm run sweep:configs [-- FAMILY…]
//
// Prints the keys for which only one of the two opens a folder, or the outputs differ, and for each family the keys that
// are proven to change the output as in transformers.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Tensor, tensor } from 'heed'
import { fromPretrained } from 'heed/models'
import { exceptionOf } from './config-exceptions.ts'

interface Case {
  set: Record<string, unknown>
  numbers?: number[]
  refused?: string
}

interface Sweep {
  family: string
  head: string
  inputs: Record<string, [number[], number[]]>
  cases: Case[]
}

const HEADS: Readonly<Record<string, string>> = {
  ForCausalLM: 'causal-lm',
  LMHeadModel: 'causal-lm',
  ForMaskedLM: 'masked-lm',
  ForSequenceClassification: 'sequence-classification',
  ForTokenClassification: 'token-classification',
  ForConditionalGeneration: 'seq2seq-lm',
  MTModel: 'seq2seq-lm',
  ForImageClassification: 'image-classification',
}

const reasons = new Map<string, number>()
const warnings: string[] = []
console.warn = (text: string) => void warnings.push(text)

async function main(): Promise<void> {
  const python = process.env.HEED_PYTHON
  if (!python) throw new Error('HEED_PYTHON must name a Python with transformers')
  const given = process.env.HEED_SWEEP
  const out = given ?? mkdtempSync(join(tmpdir(), 'heed-configs-'))
  if (!given) {
    const script = fileURLToPath(new URL('fixtures/config_sweep.py', import.meta.url))
    const { status } = spawnSync(python, [script, out, ...process.argv.slice(2)], {
      stdio: 'inherit',
    })
    if (status !== 0) throw new Error(`${script} failed`)
  }
  let differing = 0
  for (const file of readdirSync(out)
    .filter((name) => name.endsWith('.json'))
    .sort())
    differing += await compare(out, JSON.parse(readFileSync(join(out, file), 'utf8')))
  for (const [reason, count] of reasons) console.log(`${count} cases: ${reason}`)
  console.log(`${differing} differences`)
  if (!given) rmSync(out, { recursive: true })
}

async function compare(out: string, sweep: Sweep): Promise<number> {
  const { family, head, cases } = sweep
  const folder = join(out, `${family}.${head}`)
  const path = join(folder, 'config.json')
  const config = readFileSync(path, 'utf8')
  const base = cases[0].numbers ?? []
  const proven = new Set<string>()
  const lines: string[] = []
  for (const { set, numbers, refused } of cases) {
    writeFileSync(path, JSON.stringify({ ...JSON.parse(config), ...set }))
    const text = JSON.stringify(set).slice(1, -1)
    const found = await run(folder, sweep)
    const [[key, value] = ['', null]] = Object.entries(set)
    const kind = typeof found === 'string' ? 'refused' : numbers ? 'different' : 'opened'
    const agrees = typeof found === 'string' ? !numbers : numbers && isNear(found, numbers)
    if (agrees) {
      if (numbers && !isNear(numbers, base)) proven.add(key)
      continue
    }
    const reason = exceptionOf(kind, family, key, value)
    const about =
      typeof found === 'string'
        ? found
        : (refused ?? `${found.slice(0, 3)}, not ${numbers?.slice(0, 3)}`)
    if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    else lines.push(`${kind} here: ${text}: ${about}`)
  }
  writeFileSync(path, config)
  console.log(`\n${family} ${head}: ${cases.length} cases; proven: ${[...proven].join(', ')}`)
  for (const line of lines) console.log(`  ${line}`)
  return lines.length
}

async function run(folder: string, { head, inputs }: Sweep): Promise<number[] | string> {
  try {
    const name = HEADS[head] ?? ('pixel_values' in inputs ? 'image-features' : 'encoder')
    const model = await fromPretrained(folder, name as 'encoder')
    const [first, second] = Object.values(inputs).map(
      ([shape, data]): Tensor =>
        tensor(data, { shape, dtype: 'pixel_values' in inputs ? 'f32' : 'i32' }),
    )
    const forward = model.forward as (...args: unknown[]) => Tensor
    const isSeq2Seq = 'decoder_input_ids' in inputs
    const output = await forward(first, ...(isSeq2Seq ? [second] : [])).data()
    return Array.from(output.slice(-40))
  } catch (error) {
    return (error as Error).message.replaceAll('\n', ' ').slice(0, 200)
  }
}

const isNear = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((x, i) => Math.abs(x - b[i]) <= 1e-4 * Math.max(1, Math.abs(b[i])))

await main()
