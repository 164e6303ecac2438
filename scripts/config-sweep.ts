// Opens tiny models with each key of config.json set to each kind of value, in transformers and here, and compares.
//
//   HEED_PYTHON=… npm run sweep:configs [-- FAMILY…]
//
// Prints the keys for which one of both opens a folder and the other refuses it, or the numbers differ, and for each
// family the keys that are proven to change the result as in transformers.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Tensor, tensor } from 'heed'
import { fromPretrained } from 'heed/models'

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

const warnings: string[] = []
console.warn = (text: string) => void warnings.push(text)

const python = process.env.HEED_PYTHON
if (!python) throw new Error('HEED_PYTHON must name a Python with transformers')
const given = process.env.HEED_SWEEP
const out = given ?? mkdtempSync(join(tmpdir(), 'heed-configs-'))
if (!given) {
  const script = new URL('fixtures/config_sweep.py', import.meta.url).pathname
  const { status } = spawnSync(python, [script, out, ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error(`${script} failed`)
}
let differing = 0
for (const file of readdirSync(out)
  .filter((name) => name.endsWith('.json'))
  .sort())
  differing += await compare(JSON.parse(readFileSync(join(out, file), 'utf8')))
console.log(`${differing} differences`)
if (!given) rmSync(out, { recursive: true })

async function compare(sweep: Sweep): Promise<number> {
  const { family, head, cases } = sweep
  const folder = join(out, `${family}.${head}`)
  const path = join(folder, 'config.json')
  const config = readFileSync(path, 'utf8')
  const base = cases[0].numbers ?? []
  const proven = new Set<string>()
  const stricter: string[] = []
  const laxer: string[] = []
  const wrong: string[] = []
  for (const { set, numbers, refused } of cases) {
    writeFileSync(path, JSON.stringify({ ...JSON.parse(config), ...set }))
    const text = JSON.stringify(set).slice(1, -1)
    const found = await run(folder, sweep)
    if (typeof found === 'string') {
      if (numbers) stricter.push(`${text}: ${found}`)
    } else if (!numbers) laxer.push(`${text}: ${refused}`)
    else if (!isNear(found, numbers))
      wrong.push(`${text}: ${found.slice(0, 3)} and ${numbers.slice(0, 3)}`)
    else if (!isNear(numbers, base)) for (const key of Object.keys(set)) proven.add(key)
  }
  writeFileSync(path, config)
  console.log(`\n${family} ${head}: ${cases.length} cases; proven: ${[...proven].join(', ')}`)
  show('refused here alone', stricter)
  show('other numbers', wrong)
  show('opened here alone', laxer)
  return stricter.length + wrong.length + laxer.length
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
    return Array.from(output.slice(0, 40))
  } catch (error) {
    return (error as Error).message.replaceAll('\n', ' ').slice(0, 200)
  }
}

const isNear = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((x, i) => Math.abs(x - b[i]) <= 1e-4 * Math.max(1, Math.abs(b[i])))

function show(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(`  ${title} (${lines.length}):\n    ${lines.join('\n    ')}`)
}
