import { Registry } from '../util/registry.ts'
import type { ModelDefinition } from './definition.ts'

/** Every family that is known, by `model_type`. */
export const definitions = new Registry<ModelDefinition>('model type')
