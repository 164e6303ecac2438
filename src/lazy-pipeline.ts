import type { pipeline as makePipeline } from './pipelines/index.ts'

/** `pipeline` of `heed/pipelines`, loaded at the first call. */
export const pipeline: typeof makePipeline = async (...args) => {
  const pipelines = await import('./pipelines/index.ts')
  return pipelines.pipeline(...args)
}
