import { Registry } from '../util/registry.ts'
import type { ModelDefinition } from './definition.ts'

/** The definitions of all registered families, keyed by `model_type`. */
export const definitions = new Registry<ModelDefinition>('model type')
