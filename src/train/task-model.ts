// Creates a model with its task: a new model, a model to fine-tune, or the model of a resumed run.

import { describeBase, movedBase } from '../adapt/base.ts'
import { type Adapter, type AdapterBase, adaptersOf, addAdapter, parseAdapterSpec } from '../adapt/index.ts' // biome-ignore format: one line
import { isAdapter } from '../adapt/peft.ts'
import { quantizeBase } from '../adapt/quantize-base.ts'
import type { BatchSampler } from '../data/index.ts'
import {
  dropoutKeys,
  fromPretrained,
  type Head,
  type ModelClass,
  modelClass,
  newModel,
  readModelConfig,
} from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { manualSeed, Parameter } from '../tensor/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import { taskOptions } from './config.ts'
import type { TrainConfig } from './config-schema.ts'
import { everyNth } from './distill/every-nth.ts'
import { distillOptions } from './distill/options.ts'
import { recordedImports } from './run-imports.ts'
import type {
  ConfigContext,
  DataSetup,
  Preprocessor,
  Task,
  TaskContext,
  TaskData,
  TaskDefinition,
} from './task.ts'
import { taskData } from './task-data.ts'
import { openTask, type TaskFile } from './task-file.ts'
import { checkHead, taskDefinition } from './tasks/index.ts'
import { trainOnly } from './trained-part.ts'
import { adapterOnly, type TrainedWeights, wholeModel, withLayers } from './trained-weights.ts'

/** A model with its task and data. */
export interface TaskModel {
  /** Definition of the task. */
  kind: TaskDefinition
  /** The task, created from `context`. */
  task: Task
  /** What the task was created from. */
  context: TaskContext
  /** The files of the run. */
  data: TaskData
  /** The model, with the weights to start from. */
  model: Module
  /** What is trained and saved. */
  weights: TrainedWeights
  /** Replaces the batches of training, where they depend on the model. */
  modelBatches?(batches: BatchSampler): BatchSampler
  /** Contents of task.json. */
  file: TaskFile
  /** Names of new weights, which the fine-tuned checkpoint lacks. */
  fresh: readonly string[]
}

type OnProgress = DataSetup['onProgress']

/** Creates the model of a new run, before training. */
export async function newTaskModel(
  config: TrainConfig,
  onProgress?: OnProgress,
): Promise<TaskModel> {
  const kind = taskDefinition(config.task)
  const options = taskOptions(config)
  const modelType = await modelTypeOf(config)
  checkHead(modelType, kind, options) // fails before any data is read
  const data = taskData(config.data, kind, options, config)
  const setup: DataSetup = {
    options,
    data,
    modelType,
    from: config.from,
    tokenizer: config.tokenizer,
    onProgress,
  }
  checkTokenizer(config, kind)
  const facts = await kind.survey(setup)
  const preprocessor = await kind.preprocessor(setup)
  const known = { options, facts, preprocessor, modelType }
  manualSeed(config.seed)
  const { model: whole, fresh: missing } =
    config.from === undefined
      ? { model: freshModel(config, kind, known), fresh: [] }
      : await tunedModel(config, config.from, kind, known)
  const fresh = [...missing, ...((await kind.retokenize?.(whole, setup, preprocessor)) ?? [])]
  const { every } = distillOptions(config) ?? {}
  if (every !== undefined) checkWhole(config, whole)
  const model = every === undefined ? whole : everyNth(whole, modelType, kind.head(modelType, options), every) // biome-ignore format: one line
  const adapter = await adapterOf(model, config, { fresh, preprocessor })
  const base = adapter && (await describeBase(String(config.from), config))
  const part = base ? adapterOnly(model, adapter, base) : partOf(model, config)
  const weights = trainedWith(part, model, kind)
  const contextLength = Math.min(config.context, contextOf(model))
  const context = { ...known, contextLength }
  const file = {
    task: kind.name,
    options,
    facts,
    context: contextLength,
    ...(base && { base }),
    ...recordedImports(),
  }
  return { kind, task: kind.create(context), context, data, model, weights, file, fresh }
}

/** @throws HeedError if the model to fine-tune must keep its tokenizer */
function checkTokenizer(
  { from, tokenizer, adapter, task }: TrainConfig,
  kind: TaskDefinition,
): void {
  if (from === undefined || tokenizer === undefined) return
  if (kind.retokenize && adapter === undefined) return
  throw invalidOption({
    key: 'tokenizer',
    value: tokenizer,
    expected:
      adapter === undefined
        ? `omitted for a model to fine-tune for ${task}`
        : 'omitted with an adapter, whose base keeps its rows',
    remedy: 'Give the model another tokenizer with the task text-generation and all weights first.',
  })
}

/** An adapter is opened with all layers of its base. */
function checkWhole({ adapter, every }: TrainConfig, model: Module): void {
  if (adapter === undefined && adaptersOf(model).length === 0) return
  throw invalidOption({
    key: 'every',
    value: every,
    expected: 'omitted with an adapter, which has all layers of its base',
    remedy: 'Train a student without an adapter, and then an adapter of the student.',
  })
}

function partOf(model: Module, { train }: TrainConfig): TrainedWeights {
  trainOnly(model, train)
  return wholeModel(model)
}

/**
 * The adapter to train: that of the run from which the model comes, or a new one. New weights, such as those of a head,
 * are trained whole and saved with it.
 */
async function adapterOf(
  model: Module,
  config: TrainConfig,
  { fresh, preprocessor }: { fresh: readonly string[]; preprocessor: Preprocessor },
): Promise<Adapter | undefined> {
  const { adapter, from, train } = config
  const [earlier] = adaptersOf(model)
  if (earlier) {
    if (adapter === undefined && train === 'all' && fresh.length === 0) return earlier
    const key = adapter !== undefined ? 'adapter' : train !== 'all' ? 'train' : 'task'
    throw invalidOption({
      key,
      value: { adapter, train, task: fresh }[key],
      expected: `omitted: ${from} is an adapter, which is trained further`,
      remedy: 'To train another part, merge the adapter first: `heed merge`.',
    })
  }
  if (adapter === undefined) return undefined
  const heads = new Set([...fresh, ...sharing(model, fresh)].map((name) => name.replace(/\.[^.]*$/, ''))) // biome-ignore format: one line
  await quantizeIfAsked(model, config, [...heads])
  const tokenizer = preprocessor instanceof Tokenizer ? preprocessor : undefined
  return addAdapter(model, adapter, { save: [...heads], tokenizer })
}

/** The names under which other layers share the named weights, such as an output layer those of the embeddings. */
function sharing(model: Module, names: readonly string[]): string[] {
  const known = new Map(model.namedParameters())
  const shared = new Set(names.map((name) => known.get(name)))
  return model
    .namedModules()
    .flatMap(([path, layer]) =>
      Object.entries(layer).flatMap(([name, value]) =>
        value instanceof Parameter && shared.has(value) ? [`${path}.${name}`] : [],
      ),
    )
}

/** Quantises the base of a new adapter, except `heads` and the other modules that are trained whole. */
export async function quantizeIfAsked(
  model: Module,
  { quantize, adapter }: TrainConfig,
  heads: readonly string[],
): Promise<void> {
  if (quantize === undefined || adapter === undefined) return
  const { save } = parseAdapterSpec(adapter)
  await quantizeBase(model, quantize, [...save, ...heads])
}

/** Creates the model of a resumed run; its weights are loaded later. */
export async function savedTaskModel(config: TrainConfig, run: string): Promise<TaskModel> {
  const { kind, task, context, file: saved } = await openTask(run)
  if (saved.base === undefined && config.base !== undefined)
    throw invalidOption({
      key: 'base',
      value: config.base,
      expected: `omitted for a run that trains no adapter (${run})`,
    })
  const file = saved.base ? { ...saved, base: await movedBase(saved.base, config) } : saved
  manualSeed(config.seed)
  const { model, weights: part } = file.base
    ? await savedAdapter(run, task.head, file.base, config)
    : await savedModel(run, modelClass(context.modelType, task.head) as ModelClass, config)
  const data = taskData(config.data, kind, context.options, config)
  const weights = trainedWith(part, model, kind)
  return { kind, task, context, data, model, weights, file, fresh: [] }
}

/** Weights with the layers that only training of the task needs. */
function trainedWith(weights: TrainedWeights, model: Module, kind: TaskDefinition): TrainedWeights {
  const layers = kind.trainingLayers?.(model)
  return layers === undefined ? weights : withLayers(weights, `${kind.name}.safetensors`, layers)
}

async function savedModel(run: string, Model: ModelClass, config: TrainConfig) {
  const model = new Model((await readModelConfig(run)) as never)
  return { model, weights: partOf(model, config) }
}

async function savedAdapter(run: string, head: Head, base: AdapterBase, config: TrainConfig) {
  const model: Module = await fromPretrained(run, head, { base: config.base })
  const [adapter] = adaptersOf(model)
  if (config.adapter !== undefined) adapter.unfold() // a run that trains an earlier adapter further has only its result
  return { model, weights: adapterOnly(model, adapter, base) }
}

async function modelTypeOf({ model, from }: TrainConfig): Promise<string> {
  if (from === undefined) return model
  const { model_type: type } = await readModelConfig(from)
  if (type === model) return type
  throw invalidOption({
    key: 'model',
    value: model,
    expected: `the type of the model in ${from} (${type})`,
    try: { model: [type] },
  })
}

function freshModel(config: TrainConfig, kind: TaskDefinition, known: ConfigContext): Module {
  const { modelType, options } = known
  const ofData = { ...kind.newModelConfig(known), ...kind.modelConfig(known) }
  const padTokenId = Number((ofData as { pad_token_id?: unknown }).pad_token_id ?? 0)
  const model = newModel({
    modelType,
    head: kind.head(modelType, options),
    sizes: { ...config, padTokenId },
    dropout: config.dropout ?? 0,
    config: { ...ofData, ...config.set },
  })
  checkKeys(model, config.set)
  return model
}

async function tunedModel(
  { set, dropout, adapter, base }: TrainConfig,
  from: string,
  kind: TaskDefinition,
  known: ConfigContext,
): Promise<{ model: Module; fresh: readonly string[] }> {
  let fresh: readonly string[] = []
  const ofDropout = dropout === null ? {} : dropoutKeys(known.modelType, dropout)
  const changes = { ...ofDropout, ...kind.modelConfig(known), ...set }
  const model = await fromPretrained(from, kind.head(known.modelType, known.options), {
    config: Object.keys(changes).length > 0 ? changes : undefined,
    keepBlocks: adapter !== undefined || (await isAdapter(from)), // a base stays as it is
    base,
    onNew: (names) => {
      fresh = names
    },
  })
  checkKeys(model as Module, set)
  return { model: model as Module, fresh }
}

/** Checks the keys of `set`, because an unknown key would have no effect. */
function checkKeys(model: Module, set: Record<string, unknown>): void {
  const known = Object.keys(model.config as object)
  const strange = Object.keys(set).find((key) => !known.includes(key))
  if (strange === undefined) return
  throw new HeedError(
    'unknown-name',
    `\`set\` must name keys in the config of ${model.constructor.name}, got ${strange}`,
    {
      key: 'set',
      value: strange,
      remedy: `Did you mean ${nearestFirst(strange, known).slice(0, 3).join(', ')}?`,
    },
  )
}

export function contextOf(model: Module): number {
  const { contextLength } = model as { contextLength?: unknown }
  return typeof contextLength === 'number' ? contextLength : Number.POSITIVE_INFINITY
}
