// heed/adapt: parameter-efficient tuning.
export { type Adapter, type AddAdapterOptions, adaptersOf, addAdapter, setAdapters } from './adapter.ts' // biome-ignore format: one line
export { loadAdapter } from './load.ts'
export { mergeAdapters } from './merge.ts'
export {
  type AdapterDefaults,
  AdapterLayer,
  type AdapterMethod,
  adapterMethod,
  adapterMethods,
  type Merged,
  type PeftFormat,
  registerAdapter,
} from './method.ts'
export type { Place } from './places.ts'
export { type AdapterSpec, type ParsedSpec, parseAdapterSpec } from './spec.ts'
export type { Selection, Targets } from './targets.ts'
