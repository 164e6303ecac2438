// heed/adapt: parameter-efficient tuning.
import './open.ts'

export { type Adapter, type AddAdapterOptions, adaptersOf, addAdapter, setAdapters } from './adapter.ts' // biome-ignore format: one line
export type { AdapterBase } from './base.ts'
export { type LoadAdapterOptions, loadAdapter, loadAdapters } from './load.ts'
export { mergeAdapters } from './merge.ts'
export {
  type AdapterDefaults,
  type AdapterMethod,
  adapterMethod,
  adapterMethods,
  type LayerMethod,
  type MethodSpec,
  type ModuleContext,
  type OnLayers,
  onLayers,
  type PeftFormat,
  registerAdapter,
  type SelectionKey,
  type TextEncoding,
  type UnifiedView,
  type WrittenAdapter,
} from './method.ts'
export {
  AdapterLayer,
  AdapterModule,
  type LowRank,
  type Merged,
  type Merging,
  type WeightEncoder,
} from './module.ts'
export type { Place } from './places.ts'
export { type AdapterSpec, type ParsedSpec, parseAdapterSpec } from './spec.ts'
export type { Selection, Targets } from './targets.ts'
