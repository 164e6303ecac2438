// Turns the model of a run into a student: the loss of its task also compares it with a teacher.
import { modelDefinition, readModelConfig } from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import type { TaskModel } from '../task-model.ts'
import { withLayers } from '../trained-weights.ts'
import { distilledTask } from './distilled-task.ts'
import { openTeacher } from './every-nth.ts'
import { checkWriters, generatedBatches } from './generated-batches.ts'
import { LayerPairs, layerPaths, Projection } from './layers.ts'
import type { DistillOptions } from './options.ts'

/**
 * Adds a teacher to the model of a run.
 * @throws HeedError for a teacher with another vocabulary or other labels, and for one that is not trained for the task
 */
export async function withTeacher(
  trained: TaskModel,
  options: DistillOptions,
  seed: number,
): Promise<TaskModel> {
  const { model: student, task, weights } = trained
  const teacher = await openTeacher(options.teacher, task.head)
  await checkSameOutputs(trained, teacher, options.teacher)
  const layers = await layersOf(trained, teacher, options)
  const { distillation } = task
  const writers = { student, teacher, distillation, options, seed }
  checkWriters(writers) // before any data is read
  return {
    ...trained,
    task: distilledTask(task, { teacher, layers, options }),
    weights:
      layers.projection === null
        ? weights
        : withLayers(weights, 'projection.safetensors', layers.projection),
    modelBatches: (batches) => generatedBatches(batches, writers),
  }
}

async function layersOf(
  { model, context }: TaskModel,
  teacher: Module,
  { hiddenWeight, cosineWeight, teacher: folder }: DistillOptions,
): Promise<LayerPairs> {
  if (hiddenWeight === 0 && cosineWeight === 0) return new LayerPairs([], [], null)
  const { model_type: itsType } = await readModelConfig(folder)
  const [width, its] = [widthOf(model, context.modelType), widthOf(teacher, itsType)]
  if (cosineWeight > 0 && width !== its)
    throw new HeedError(
      'invalid-option',
      `\`cosineWeight\` must be 0 for a student of another width: ${width} and ${its}`,
      {
        key: 'cosineWeight',
        value: cosineWeight,
        remedy: 'Use hiddenWeight, which has a projection.',
      },
    )
  const projection = hiddenWeight > 0 && width !== its ? new Projection(width, its) : null
  return new LayerPairs(layerPaths(model), layerPaths(teacher), projection)
}

/** The width of the hidden states of a model, by its config. */
function widthOf({ config }: Module<unknown>, modelType: string): number {
  const { hidden_size: alias = 'hidden_size' } = modelDefinition(modelType).config.aliases
  return Number(Reflect.get(Object(config), alias))
}

/** @throws HeedError unless logits of both models mean the same */
async function checkSameOutputs(
  { kind, model, context }: TaskModel,
  teacher: Module,
  folder: string,
): Promise<void> {
  const own = context.preprocessor
  const its = own instanceof Tokenizer ? await kind.openPreprocessor(folder) : own
  if (own instanceof Tokenizer && its instanceof Tokenizer) {
    const differs = firstDifference(own, its)
    if (differs !== undefined)
      throw otherTeacher(
        'vocabulary',
        folder,
        `token ${differs} is ${shown(its.idToToken(differs) ?? null)} instead of ${shown(own.idToToken(differs) ?? null)}`,
      )
  }
  for (const key of ['vocabSize', 'labels']) {
    const [ours, theirs] = [model, teacher].map((each) => Reflect.get(each, key))
    if (JSON.stringify(ours) !== JSON.stringify(theirs))
      throw otherTeacher(NAMES[key], folder, `${shown(theirs)} instead of ${shown(ours)}`)
  }
}

const NAMES: Readonly<Record<string, string>> = { vocabSize: 'vocabulary', labels: 'labels' }

function firstDifference(a: Tokenizer, b: Tokenizer): number | undefined {
  const size = Math.max(a.vocabSize, b.vocabSize)
  for (let id = 0; id < size; id++) if (a.idToToken(id) !== b.idToToken(id)) return id
  return undefined
}

const otherTeacher = (what: string, folder: string, difference: string): HeedError =>
  new HeedError(
    'invalid-option',
    `\`teacher\` must have the ${what} of the student, got ${folder}: ${difference}`,
    {
      key: 'teacher',
      value: folder,
      remedy:
        'Use a student with the tokenizer and the labels of the teacher: take every n-th of its layers, or train a new model with its tokenizer.',
    },
  )
