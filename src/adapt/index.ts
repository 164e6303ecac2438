// heed/adapt: parameter-efficient tuning.
import './open.ts'

export { type Adapter, type AddAdapterOptions, adaptersOf, addAdapter, setAdapters } from './adapter.ts' // biome-ignore format: one line
export type { AdapterBase } from './base.ts'
export { type LoadAdapterOptions, loadAdapter, loadAdapters } from './load.ts'
export { mergeAdapters } from './merge.ts'
export {
  type AdapterDefaults,
  AdapterLayer,
  type AdapterMethod,
  adapterMethod,
  adapterMethods,
  type LowRank,
  type Merged,
  type PeftFormat,
  registerAdapter,
  type UnifiedView,
} from './method.ts'
export type { Place } from './places.ts'
export { type AdapterSpec, type ParsedSpec, parseAdapterSpec } from './spec.ts'
export type { Selection, Targets } from './targets.ts'
