import { fromPretrained, type Head, modelDefinition, newModel } from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError, invalidOption } from '../../util/errors.ts'
import { layerListsOf, layerPaths } from './layers.ts'

const checkEveryNth = argumentKinds('everyNth', {
  teacher: 'model',
  modelType: 'text',
  head: 'text',
  nth: 'size',
})

/**
 * Creates a model from every n-th layer of another one, starting with the first, and all its other weights (Sanh et al.,
 * 2019, who take every second layer).
 * @throws HeedError for a family whose layers are not in one list, or that cannot be built from sizes
 */
export function everyNth(teacher: Module, modelType: string, head: Head, nth: number): Module {
  checkEveryNth(teacher, modelType, head, nth)
  const count = layerPaths(teacher).length
  const kept = Array.from({ length: count }, (_, i) => i).filter((i) => i % nth === 0)
  if (nth < 2 || kept.length === count)
    throw invalidOption({
      key: 'every',
      value: nth,
      expected: `a whole number from 2 to ${count}, the number of layers of the teacher`,
      try: { every: [2] },
    })
  const { sizes } = modelDefinition(modelType)
  const [list] = layerListsOf(teacher)
  if (sizes === null)
    throw new HeedError('unsupported', `A '${modelType}' cannot be built with fewer layers`, {
      key: 'every',
      value: nth,
      remedy: 'Name the folder of a student instead.',
    })
  const some = { heads: 1, dim: 64, context: 64, padTokenId: 0 }
  const sized = (layers: number): Readonly<Record<string, unknown>> => sizes({ ...some, layers })
  const [few, more] = [sized(kept.length), sized(count)]
  const ofLayers = Object.keys(few).filter((key) => String(few[key]) !== String(more[key]))
  const config = Object.entries(Object(teacher.config)).filter(([key]) => !ofLayers.includes(key))
  const student = newModel({
    modelType,
    head,
    sizes: { ...some, layers: kept.length },
    config: Object.fromEntries(config),
  })
  const state = teacher.stateDict()
  const weights: Record<string, Tensor> = {}
  for (const [name] of student.namedState()) weights[name] = state[nameInTeacher(name, list, kept)]
  return student.loadStateDict(weights)
}

/** If every third layer is kept, `layers.1.fc.weight` of the student is `layers.3.fc.weight` of the teacher. */
function nameInTeacher(name: string, list: string, kept: readonly number[]): string {
  if (!name.startsWith(`${list}.`)) return name
  const [, number, rest] = /^(\d+)(.*)$/.exec(name.slice(list.length + 1)) ?? []
  return number === undefined ? name : `${list}.${kept[Number(number)]}${rest}`
}

/** Opens a teacher for a head: its weights do not change, and it has no dropout. */
export async function openTeacher(folder: string, head: Head): Promise<Module> {
  let fresh: readonly string[] = []
  const teacher: Module = await fromPretrained(folder, head, {
    onNew: (names) => {
      fresh = names
    },
  })
  if (fresh.length === 0) return teacher.freeze().eval()
  throw new HeedError(
    'invalid-option',
    `\`teacher\` must be trained for the task (${head}), got ${folder}, which lacks ${fresh[0]}`,
    { key: 'teacher', value: folder, remedy: 'Fine-tune the teacher for this task first.' },
  )
}
