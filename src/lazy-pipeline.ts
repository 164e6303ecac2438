import type { pipeline as makePipeline } from './pipelines/index.ts'

/** As `pipeline` of `heed/pipelines`, whose code is loaded at the first call. */
export const pipeline: typeof makePipeline = async (...args) => {
  const pipelines = await import('./pipelines/index.ts')
  return pipelines.pipeline(...args)
}
