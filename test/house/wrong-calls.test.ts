// Every exported function and class, called as plain JavaScript can call it: one clear error, never a foreign exception
// and never a silent result.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as heed from '../../src/index.ts'
import * as adapt from './wrong-calls/adapt.ts'
import { complaint, damaged, type Sample } from './wrong-calls/damage.ts'
import * as data from './wrong-calls/data.ts'
import * as generate from './wrong-calls/generate.ts'
import * as files from './wrong-calls/io.ts'
import * as metrics from './wrong-calls/metrics.ts'
import * as models from './wrong-calls/models.ts'
import * as modules from './wrong-calls/modules.ts'
import * as rewards from './wrong-calls/rewards.ts'
import * as tensors from './wrong-calls/tensors.ts'
import * as train from './wrong-calls/train.ts'
import { WITHOUT_ROWS } from './wrong-calls/without-rows.ts'

describe.each<[string, readonly Sample[]]>([
  ['tensors', tensors.samples],
  ['modules and optimisers', modules.samples],
  ['metrics', metrics.samples],
  ['adapters', adapt.samples],
  ['generation', generate.samples],
  ['rewards', rewards.samples],
  ['files, tokenizers and pipelines', files.samples],
  ['models', models.samples],
  ['data', data.samples],
  ['training', train.samples],
])('%s', (_, samples) => {
  it.each(samples)('$name', async (sample) => {
    // The call itself is right.
    const result = await sample.call(...(sample.args.map(({ value }) => value) as never[]))
    if (isOpenFile(result)) await result.close()
    expect(await complaintsAbout(sample)).toEqual([])
  })
})

describe('calls of the hub, configs of models, and files of runs', () => {
  it.each([...files.hubSamples, ...models.wrongConfigs, ...train.wrongFolders])(
    '$name',
    async (sample) => {
      expect(await complaintsAbout(sample)).toEqual([])
    },
  )
})

const isOpenFile = (value: unknown): value is { close(): Promise<void> } =>
  typeof value === 'object' && value !== null && 'close' in value

async function complaintsAbout(sample: Sample): Promise<string[]> {
  const complaints: string[] = []
  for (const { text, run } of damaged(sample)) {
    const what = await complaint(run)
    if (what) complaints.push(`${text}: ${what}`)
  }
  return complaints
}

describe('the table has every', () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
  const entries = Object.keys(exports).filter((name) => name !== './package.json')

  it.each(entries)('function and class of %s', async (entry) => {
    const module = await import(`../../src/${entry.slice(2)}/index.ts`.replace('//', '/'))
    const functions = functionsOf(module)
    const known = [...(ROWS[entry] ?? []), ...(WITHOUT_ROWS[entry] ?? [])]
    expect(functions.filter((name) => !known.includes(name))).toEqual([])
    expect((WITHOUT_ROWS[entry] ?? []).filter((name) => !functions.includes(name))).toEqual([])
  })

  it('function of F', () => {
    const known = Object.keys(tensors.functional)
    const own = functionsOf(heed.F).filter(
      (name) => !/_|^[a-z\d]+$/.test(name) || known.includes(name),
    )
    expect(own.filter((name) => !known.includes(name))).toEqual([])
  })

  it('method of tensors', () => {
    const known = [...Object.keys(tensors.methods), ...tensors.plainMethods]
    expect(methodsOf(heed.Tensor.prototype).filter((name) => !known.includes(name))).toEqual([])
  })
})

const functionsOf = (module: object): string[] =>
  Object.entries(module).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))

/** The functions and classes that have rows, by entry point. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
  '.': [...Object.keys(tensors.functions), ...Object.keys(tensors.classes_)],
  './nn': [...Object.keys(modules.functions), ...Object.keys(modules.constructors)],
  './optim': [...Object.keys(modules.optimFunctions), ...Object.keys(modules.optimConstructors)],
  './metrics': Object.keys(metrics.functions),
  './adapt': adapt.names,
  './generate': Object.keys(generate.functions),
  './rewards': rewards.names,
  './io': [...Object.keys(files.ioFunctions), 'pullModel', 'pushModel'],
  './tokenizers': [...Object.keys(files.tokenizerFunctions), 'Tokenizer'],
  './pipelines': Object.keys(files.pipelineFunctions),
  './models': [...Object.keys(models.functions), ...models.modelClasses],
  './data': Object.keys(data.functions),
  './train': Object.keys(train.functions),
}

/** The public methods of a class and of those above it, without the names of PyTorch, which are writable answers. */
function methodsOf(prototype: object): string[] {
  const names: string[] = []
  for (
    let level = prototype;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  )
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level)))
      if (typeof value === 'function' && name !== 'constructor' && value.name === name)
        names.push(name)
  return names.filter((name) => !PRIVATE.includes(name))
}

const PRIVATE = ['binary', 'chosen', 'claim', 'cumulative', 'flatPlaces', 'floating', 'onLastAxis', 'ordered', 'reduce', 'scattered', 'triangle', 'unary'] // biome-ignore format: one line
