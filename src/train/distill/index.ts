// Distillation in programs: losses between a student and a teacher, and students from the layers of a teacher.
export { everyNth } from './every-nth.ts'
export { cosineDistance, type DivergenceOptions, divergence } from './losses.ts'
