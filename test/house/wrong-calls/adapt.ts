// `heed/adapt`.
import { fileURLToPath } from 'node:url'
import * as adapt from '../../../src/adapt/index.ts'
import { fromPretrained } from '../../../src/models/index.ts'
import { Linear, Module, Sequential } from '../../../src/nn/index.ts'
import type { Tensor } from '../../../src/tensor/index.ts'
import { type Argument, arg, methodsOf, type Sample, samplesOf } from './damage.ts'

const folder = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url)) // biome-ignore format: one line
const llama = await fromPretrained(folder('llama/base'))
adapt.addAdapter(llama, 'lora:r=1', { name: 'first' })

/** A new model for each call, because a name is used once. */
class Fresh extends Module {
  layer = new Linear(2, 2)
  forward(x: Tensor): Tensor {
    return this.layer.forward(x)
  }
}
const notModels = [undefined, null, 3, 'x', {}]
const wrongNames = [null, 3, 'x', { nam: 'a' }, { name: 3 }, { name: '../a' }]
const wrongSpecs = [undefined, null, 3, '', 'lorra', 'lora:r=0', {}, { method: 'lora', rank: 2 }]

const functions: Readonly<Record<string, readonly Argument[]>> = {
  adapterMethod: [{ value: 'lora', wrong: [undefined, null, 3, 'lorra'] }],
  adaptersOf: [{ value: llama, wrong: notModels }],
  onLayers: [
    {
      value: { defaults: () => ({ targets: [] }), create: () => null },
      wrong: [undefined, null, 3, 'x', {}, { defaults: 3, create: 3 }],
    },
  ],
  parseAdapterSpec: [{ value: 'lora', wrong: wrongSpecs }],
  registerAdapter: [
    {
      value: undefined, // see below
      wrong: [null, 3, 'x', {}, { ...adapt.adapterMethod('lora'), modules: 3 }, adapt.adapterMethod('lora')], // biome-ignore format: one line
    },
  ],
  setAdapters: [
    { value: llama, wrong: notModels },
    { value: { first: 0.5 }, wrong: [undefined, null, 3, 'x', { second: 1 }, { first: 'x' }, { first: Number.NaN }] }, // biome-ignore format: one line
  ],
}

const calls: Sample[] = [
  {
    name: 'addAdapter',
    call: ((model: unknown, spec: never, options: never) =>
      adapt.addAdapter(model === llama ? new Sequential(new Fresh()) : (model as never), spec, options)) as never, // biome-ignore format: one line
    args: [
      { value: llama, wrong: notModels },
      { value: 'lora:targets=layer', wrong: wrongSpecs },
      { value: { name: 'a' }, wrong: wrongNames },
    ],
  },
  {
    name: 'loadAdapter',
    call: (async (model: unknown, dir: never, options: never) => {
      const whole = model === llama ? await fromPretrained(folder('llama/base')) : model
      await adapt.loadAdapter(whole as never, dir, options)
    }) as never,
    args: [
      { value: llama, wrong: notModels },
      { value: folder('adapters/llama-lora'), wrong: [undefined, null, 3, {}, folder('llama/base'), folder('absent')] }, // biome-ignore format: one line
      { value: { name: 'a' }, wrong: wrongNames },
    ],
  },
  {
    name: 'loadAdapters',
    call: (async (model: unknown, factors: never) => {
      const whole = model === llama ? await fromPretrained(folder('llama/base')) : model
      await adapt.loadAdapters(whole as never, factors)
    }) as never,
    args: [
      { value: llama, wrong: notModels },
      { value: { [folder('adapters/llama-lora')]: 0.5 }, wrong: [undefined, null, 3, 'x', [3], [folder('absent')], { [folder('absent')]: 1 }, { x: 'x' }] }, // biome-ignore format: one line
    ],
  },
  {
    name: 'mergeAdapters',
    call: (async (model: unknown) => {
      if (model !== llama) return adapt.mergeAdapters(model as never)
      const whole = new Sequential(new Fresh())
      adapt.addAdapter(whole, 'lora:targets=layer')
      await adapt.mergeAdapters(whole)
    }) as never,
    args: [{ value: llama, wrong: notModels }],
  },
]

export const names = [...Object.keys(functions), ...calls.map(({ name }) => name), 'AdapterLayer']

let count = 0
const registerNew = (method: unknown): void =>
  adapt.registerAdapter((method === undefined ? { ...adapt.adapterMethod('lora'), name: `wrong-calls-${count++}` } : method) as never) // biome-ignore format: one line

export const samples: Sample[] = [
  ...samplesOf({ ...adapt, registerAdapter: registerNew }, functions),
  ...calls,
  {
    name: 'AdapterLayer',
    call: ((place: never) => new (class Scale extends adapt.AdapterLayer {
      merged = () => ({ weight: this.place.weight() })
    })(place)) as never,
    args: [arg.object({})],
  },
  ...methodsOf(new Fresh(), {
    preHook: [{ value: 'layer', wrong: [undefined, null, 3, 'lyer'] }, arg.function(() => {})],
  }),
] // biome-ignore format: a table
