// Public API of `heed`: tensors, gradients, and devices.
export type { DType, TypedArray } from './graph/dtype.ts'
export type { Composite } from './graph/ops.ts'
export { pipeline } from './lazy-pipeline.ts'
export { type ChromeTrace, chromeTrace } from './runtime/chrome-trace.ts'
export { CpuDevice, type CpuOptions } from './runtime/cpu/device.ts'
export type {
  Bindings,
  Device,
  DeviceMemory,
  Executable,
  KernelTime,
  MemoryUse,
} from './runtime/device.ts'
export {
  type DeviceDefinition,
  defaultDevice,
  device,
  deviceNames,
  registerDevice,
  setDefaultDevice,
} from './runtime/devices.ts'
export { clearPrograms } from './runtime/programs.ts'
export { ReferenceDevice, type ReferenceOptions } from './runtime/reference/device.ts'
export { type Stats, stats } from './runtime/stats.ts'
export type { Lowered } from './schedule/lower.ts'
export * from './tensor/index.ts'
export {
  type ErrorCode,
  type ErrorDetails,
  HeedError,
  OutOfMemoryError,
  ShapeError,
  StaleTensorError,
} from './util/errors.ts'
