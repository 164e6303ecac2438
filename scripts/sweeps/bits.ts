// Flips random bits in files that Heed has written: in finished runs and in caches.
//
//   npm run sweep:bits -- [FLIPS] [SEED]      (default 10 1: ten bits in each file, each in a copy of the folder)
//
// `heed verify RUN` must find each flip in a run and name the file. Every use of the folder of a run or a cache must then
// fail with a HeedError, give the same result as before (a damaged file is created again), or warn about the damage.
import { createHash } from 'node:crypto'
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchHubData } from '../../src/data/hub-data.ts'
import { pipeline } from '../../src/index.ts'
import { pullModel } from '../../src/io/hub/pull.ts'
import { convertModel } from '../../src/models/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import {
  evaluateRun,
  parseTrainConfig,
  predictRun,
  RunFolder,
  reportRun,
  trainModel,
} from '../../src/train/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { randomUniform } from '../../src/util/random.ts'
import { heed } from '../../test/cli/in-process.ts'
import { startHub } from '../../test/io/hub-server.ts'
import { flipBit } from '../../test/support/flip-bit.ts'
import { withoutMeasured } from '../../test/support/measured.ts'

const [flips, seed] = [10, 1].map((usual, i) => Number(process.argv[2 + i] ?? usual))
const root = mkdtempSync(join(tmpdir(), 'heed-bits-'))
const problems: string[] = []
let draws = 0
const random = (below: number): number => Math.floor(below * randomUniform(seed, 0, draws++))

/** A use of a folder; returns its result as text. */
type Use = (folder: string) => Promise<string>

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort()

/** A SHA-256 of the files below a folder and of their names. */
const contentOf = (folder: string): string => {
  const hash = createHash('sha256')
  for (const name of filesBelow(folder)) hash.update(name).update(readFileSync(join(folder, name)))
  return hash.digest('hex')
}

/** Calls `work` with a copy that has the same folder name. */
async function inCopy<T>(folder: string, work: (copy: string) => Promise<T>): Promise<T> {
  const parent = mkdtempSync(join(root, 'copy-'))
  const copy = join(parent, basename(folder))
  cpSync(folder, copy, { recursive: true })
  try {
    return await work(copy)
  } finally {
    rmSync(parent, { recursive: true })
  }
}

function flip(path: string): string {
  const [at, bit] = [random(statSync(path).size), random(8)]
  flipBit(path, at, bit)
  return `bit ${bit} of byte ${at}`
}

/** Flips bits in each file of a folder, one at a time, and runs all uses of the folder after each flip. */
async function sweep(
  name: string,
  folder: string,
  uses: Record<string, Use>,
  check: (folder: string, file: string) => Promise<string | undefined> = async () => undefined,
): Promise<void> {
  const list = Object.entries(uses)
  const expected = new Map<string, string>()
  for (const [way, use] of list) expected.set(way, await inCopy(folder, use))
  const files = filesBelow(folder).filter((file) => statSync(join(folder, file)).size > 0)
  const counts = { found: 0, equal: 0, problems: 0 }
  let turn = 0
  for (const file of files)
    for (let i = 0; i < flips; i++) {
      const [way, use] = list[turn++ % list.length]
      await inCopy(folder, async (copy) => {
        const where = `${name}: ${file}, ${flip(join(copy, file))}`
        const unfound = await check(copy, file)
        if (unfound !== undefined) problems.push(`${where}: ${unfound}`)
        const result = await outcome(use, copy, file, expected.get(way) as string)
        if (result === 'found' || result === 'equal') counts[result]++
        else {
          counts.problems++
          problems.push(`${where}: ${way}: ${result}`)
        }
      })
    }
  console.log(`${name}: ${files.length} files, ${JSON.stringify(counts)}`)
}

async function outcome(use: Use, folder: string, file: string, expected: string): Promise<string> {
  const { warn } = console
  let warnings = ''
  console.warn = (line) => {
    warnings += `${line}\n`
  }
  try {
    if ((await use(folder)) === expected) return 'equal'
    const isNamed = warnings.includes('damaged') && warnings.includes(basename(file))
    return isNamed ? 'found' : 'another result'
  } catch (error) {
    return error instanceof HeedError ? 'found' : String((error as Error).stack)
  } finally {
    console.warn = warn
  }
}

async function verified(run: string, file: string): Promise<string | undefined> {
  const { out, mistake } = await heed('verify', run)
  if (mistake === '') return 'heed verify finds nothing'
  const isNamed = `${out}\n${mistake}`.includes(basename(file))
  // A flip in the list of hashes can change the name of a file there.
  return isNamed || basename(file) === 'hashes.json' ? undefined : 'heed verify does not name it'
}

/** Weights and metrics of a run, without times. */
const resultsOf = (run: string): string =>
  createHash('sha256')
    .update(readFileSync(join(run, 'model.safetensors')))
    .digest('hex') + withoutMeasured(readFileSync(join(run, 'metrics.jsonl'), 'utf8'))

const words = 'ada grace rome oslo lamp door pear rose red green old blue is was it'.split(' ')
const textOf = (i: number): string =>
  Array.from({ length: 3 + (i % 5) }, (_, j) => words[(i * 7 + j * 3) % words.length]).join(' ')

function writeRows(name: string, count: number, row: (i: number) => object): string {
  const path = join(root, name)
  const lines = Array.from({ length: count }, (_, i) => `${JSON.stringify(row(i))}\n`)
  writeFileSync(path, lines.join(''))
  return path
}

/** 40 images of 8 x 8 in the files of MNIST. */
function writeImages(): string {
  const images = Buffer.alloc(16 + 40 * 64, 0)
  const labels = Buffer.alloc(8 + 40)
  images.set([0, 0, 8, 3])
  labels.set([0, 0, 8, 1])
  for (const [i, size] of [40, 8, 8].entries()) images.writeUInt32BE(size, 4 + 4 * i)
  labels.writeUInt32BE(40, 4)
  for (let n = 0; n < 40; n++) {
    labels[8 + n] = n % 2
    for (let i = 0; i < 64; i++) images[16 + n * 64 + i] = (n % 2) * 100 + ((n * 31 + i * 17) % 90)
  }
  writeFileSync(join(root, 'bars-labels-idx1-ubyte'), labels)
  writeFileSync(join(root, 'bars-images-idx3-ubyte'), images)
  return join(root, 'bars-images-idx3-ubyte')
}

const text = join(root, 'text.txt')
writeFileSync(text, Array.from({ length: 200 }, (_, i) => `${textOf(i)}.`).join(' '))

// With a constant learning rate, steps that run again in an extended run give the same result.
const schedule = { schedule: 'constant', warmup: 0 }
const small = { layers: 1, heads: 2, dim: 16, batch: 8, ...schedule, seed: 1, logEvery: 1 }
const runs: Record<string, { keys: Record<string, unknown>; row: object; hasTokenizer: boolean }> =
  {
    'text-generation': {
      keys: { model: 'gpt2', data: [text], tokenizer: 'bpe:270', context: 16 },
      row: { text: 'ada', prompt: 'ada' },
      hasTokenizer: true,
    },
    'text-classification': {
      keys: {
        model: 'bert',
        task: 'text-classification',
        data: [writeRows('labels.jsonl', 60, (i) => ({ text: textOf(i), label: `l${i % 3}` }))],
        context: 16,
      },
      row: { text: textOf(3) },
      hasTokenizer: true,
    },
    'feature-extraction': {
      keys: {
        model: 'distilbert',
        task: 'feature-extraction',
        data: [
          writeRows('pairs.jsonl', 60, (i) => ({ sentence1: textOf(i), sentence2: textOf(i + 4) })),
        ],
        context: 16,
      },
      row: { text: textOf(3), sentence1: textOf(3) },
      hasTokenizer: true,
    },
    translation: {
      keys: {
        model: 'marian',
        task: 'translation',
        data: [
          writeRows('parallel.jsonl', 60, (i) => ({ source: textOf(i), target: textOf(i + 4) })),
        ],
        context: 16,
      },
      row: { source: textOf(3) },
      hasTokenizer: true,
    },
    'image-classification': {
      keys: { model: 'vit', task: 'image-classification', data: [writeImages()], patchSize: 4 },
      row: {},
      hasTokenizer: false,
    },
  }

/** Extends the run. */
const resume: Use = async (out) => {
  const folder = new RunFolder(out)
  const before = (await folder.state())?.config ?? (await folder.configuration())
  await trainModel({ config: parseTrainConfig({ ...before, steps: 8 }), out, resume: true })
  return resultsOf(out)
}

const usesOf = ({ row, keys, hasTokenizer }: (typeof runs)[string]): Record<string, Use> => ({
  async resume(out) {
    const saved = await new RunFolder(out).state()
    await trainModel({
      config: parseTrainConfig({ ...saved?.config, steps: 8 }),
      out,
      resume: true,
    })
    return resultsOf(out)
  },
  async predict(run) {
    if (!hasTokenizer) return JSON.stringify(await evaluateRun(run))
    const rows = [{ values: row, place: '' }]
    const outputs: unknown[] = []
    for await (const { output } of predictRun(run, rows as never)) outputs.push(output)
    return JSON.stringify(outputs)
  },
  async predictBest(run) {
    return JSON.stringify(await evaluateRun(join(run, 'best'), keys.data as string[]))
  },
  async report(run) {
    return readFileSync(await reportRun(run, { out: join(dirname(run), 'page.html') }), 'utf8')
  },
  async convert(run) {
    const target = join(dirname(run), 'converted')
    await convertModel(run, target, { dtype: 'f16' })
    return contentOf(target)
  },
  ...(hasTokenizer && {
    async tokenize(run) {
      const tokenizer = await Tokenizer.fromFile(run)
      const ids = tokenizer.encode(textOf(2))
      return JSON.stringify([ids, tokenizer.decode(ids)])
    },
  }),
})

process.env.HEED_CACHE = join(root, 'cache')
for (const [name, run] of Object.entries(runs)) {
  const out = join(root, name)
  const config = parseTrainConfig({ ...small, ...run.keys, steps: 6, saveEvery: 2, evalEvery: 2 })
  await trainModel({ config, out })
  await sweep(`run of ${name}`, out, usesOf(run), verified)
}

const begun = join(root, 'begun')
await new RunFolder(begun).begin(
  parseTrainConfig({ ...small, ...runs['text-generation'].keys, steps: 6 }),
)
await sweep('run before its first checkpoint', begun, { resume }, verified)

/** Trains with a cache. */
const training =
  (keys: Record<string, unknown>): Use =>
  async (cache) => {
    process.env.HEED_CACHE = cache
    const out = join(dirname(cache), 'run')
    await trainModel({ config: parseTrainConfig({ ...small, ...keys, steps: 2 }), out })
    return resultsOf(out)
  }

const many = writeRows('many.jsonl', 5000, (i) => ({
  text: `${textOf(i)} ${'of '.repeat(300)}`,
  label: `l${i % 3}`,
}))
const trainings: Record<string, Record<string, unknown>> = {
  tokens: runs['text-generation'].keys,
  examples: { ...runs['text-classification'].keys, data: [many] },
}
for (const [name, keys] of Object.entries(trainings)) {
  const cache = join(root, `cache-of-${name}`)
  await inCopy(join(root, 'text.txt'), async (copy) => {
    rmSync(copy)
    await training(keys)(join(dirname(copy), 'cache'))
    cpSync(join(dirname(copy), 'cache'), cache, { recursive: true })
  })
  await sweep(`cache of ${name}`, cache, { train: training(keys) })
}

const model = fileURLToPath(new URL('../../test/fixtures/pipelines/masked-lm', import.meta.url))
const hubFiles = Object.fromEntries(
  [...filesBelow(model).map((name) => join(model, name)), many].map((path) => [
    basename(path),
    { content: readFileSync(path), lfs: path.endsWith('.safetensors') },
  ]),
)
const { hub, close } = await startHub(hubFiles)
process.env.HF_ENDPOINT = hub.endpoint

const cached: Use = async (cacheDir) => {
  const fill = await pipeline('fill-mask', 'org/model', { cacheDir })
  return JSON.stringify(await fill('a [MASK]'))
}
await cached(join(root, 'models'))
await sweep('cache of models', join(root, 'models'), { pipeline: cached })

const pulled: Use = async (folder) => {
  await pullModel('org/model', folder)
  return contentOf(folder)
}
await pulled(join(root, 'pulled'))
await sweep('folder of heed pull', join(root, 'pulled'), { pull: pulled })

const fetched: Use = async (cache) => {
  process.env.HEED_CACHE = cache
  const files = await fetchHubData('hub:org/model', (file) => file.endsWith('.jsonl'))
  return files.map((file) => readFileSync(file, 'utf8')).join()
}
await fetched(join(root, 'cache-of-data'))
await sweep('cache of data sets', join(root, 'cache-of-data'), { fetch: fetched })
close()

for (const problem of problems) console.log(problem)
console.log(problems.length === 0 ? 'No problems.' : `${problems.length} problems`)
rmSync(root, { recursive: true })
process.exitCode = problems.length === 0 ? 0 : 1
