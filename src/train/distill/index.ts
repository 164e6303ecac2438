/**
 * Distillation: losses between a student and a teacher, and tasks that use them.
 */
export { distilledTask, type Lesson } from './distilled-task.ts'
export { everyNth } from './every-nth.ts'
export { LayerPairs, layerPaths, Projection } from './layers.ts'
export { cosineDistance, type DivergenceOptions, divergence } from './losses.ts'
