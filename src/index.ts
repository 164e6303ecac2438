// The public surface of `heed`: tensors, their gradients, and the devices that compute them.
export type { DType, TypedArray } from './graph/dtype.ts'
export { type ChromeTrace, chromeTrace } from './runtime/chrome-trace.ts'
export type { Device, KernelTime, MemoryUse } from './runtime/device.ts'
export { defaultDevice, device, deviceNames, setDefaultDevice } from './runtime/devices.ts'
export { clearPrograms } from './runtime/programs.ts'
export { type Stats, stats } from './runtime/stats.ts'
export * from './tensor/index.ts'
export { HeedError, OutOfMemoryError, ShapeError, StaleTensorError } from './util/errors.ts'
