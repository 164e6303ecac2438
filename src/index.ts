/**
 * Tensors, gradients, devices, errors, and `pipeline`. Functions of several tensors are in `F`.
 * @module
 */
export type { DType, TypedArray } from './graph/dtype.ts'
export type { Composite } from './graph/ops.ts'
export type { Shape } from './graph/shape.ts'
export { pipeline } from './lazy-pipeline.ts'
export { type ChromeTrace, chromeTrace, type TraceEvent } from './runtime/chrome-trace.ts'
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
export type { Cost } from './schedule/cost.ts'
export type { Lowered } from './schedule/lower.ts'
export type { Bounds, NanToNumOptions } from './tensor/elementwise.ts'
export * from './tensor/index.ts'
export type { ModuleBufferOptions } from './tensor/module-buffer.ts'
export type { Pieces } from './tensor/pieces.ts'
export type { Axes, VarianceOptions } from './tensor/reductions.ts'
export type { Range } from './tensor/views.ts'
export type { BlockFormat } from './util/block-formats.ts'
export type { ErrorCode } from './util/error-codes.ts'
export {
  type ErrorDetails,
  type ErrorOptions,
  HeedError,
  OutOfMemoryError,
  ShapeError,
  StaleTensorError,
} from './util/errors.ts'
