// Adapters: small trainable parts that change a frozen model, attached to its layers from outside.
import { join } from 'node:path'
import { Module } from '../nn/index.ts'
import { checkModule } from '../nn/module.ts'
import { recordAgain } from '../tensor/hold.ts'
import { Parameter, runtimeScalar, type Tensor } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError, invalidOption, shown } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkName, unknownName } from '../util/registry.ts'
import { isGGUFPath, saveGGUFAdapter } from './gguf.ts'
import { adapterMethod, type ModuleContext, type TextEncoding } from './method.ts'
import './methods.ts'
import type { AdapterModule, WeightEncoder } from './module.ts'
import { savePeftConfig } from './peft.ts'
import { loadPeftWeights, savePeftWeights, WEIGHTS } from './peft-weights.ts'
import { replaceParameter } from './replace-parameter.ts'
import { type AdapterSpec, type ParsedSpec, parseAdapterSpec } from './spec.ts'
import { selectModules } from './targets.ts'

/** Options of `addAdapter`. */
export interface AddAdapterOptions {
  /** Name for `setAdapters`. Default `default`. */
  name?: string
  /** Modules to train whole in addition to those of the specification, such as a new head. */
  save?: readonly string[]
  /** The tokenizer of the model, for prompts that start from a text. */
  tokenizer?: TextEncoding
}

/**
 * An adapter of a model. It is a separate module: its state dict has only the adapter's weights, named by the
 * modules that they change. The model's parameters are frozen while it has adapters.
 */
export class Adapter extends Module<ParsedSpec> {
  /** The name in `setAdapters` and messages. */
  readonly name: string
  /** By the path of the changed module, or by a name if they belong to the model as a whole. */
  readonly modules: Readonly<Record<string, AdapterModule>>
  /** Copies of the parameters of modules that are trained whole, by the path of the module and their names in it. */
  readonly saved: Readonly<Record<string, Readonly<Record<string, Parameter>>>>
  readonly #model: Module
  #weight = 1
  #detach: (() => void)[] = []
  #removed = false

  /** @internal Use `addAdapter`. */
  constructor(model: Module, name: string, given: ParsedSpec, context: ModuleContext = {}) {
    const method = adapterMethod(given.method)
    const spec = method.complete(model, given)
    super(spec)
    this.name = name
    this.#model = model
    this.modules = method.modules(model, spec, context)
    this.saved = Object.fromEntries(
      selectModules(model, spec.save).map(([path, module]) => [path, copiesOf(module)]),
    )
  }

  /** Not called: the adapter works within the calls of its model. */
  forward(x: Tensor): Tensor {
    return x
  }

  /** Paths of the modules that the adapter changes; none if it changes the model as a whole. */
  get paths(): readonly string[] {
    return Object.entries(this.modules).flatMap(([path, { isWhole }]) => (isWhole ? [] : path))
  }

  /** Whether a network computes the weights of the file during training, as for `p-tuning`. */
  get hasEncoder(): boolean {
    return this.#encoders.some((encoder) => encoder.result() !== null)
  }

  /** @internal Brings back the networks that compute the weights of the file. Their values must then be loaded. */
  unfold(): void {
    for (const encoder of this.#encoders) encoder.unfold()
    recordAgain()
  }

  /** @internal Replaces the networks by their results, whose values must then be loaded. */
  fold(): void {
    for (const encoder of this.#encoders) encoder.fold()
    recordAgain()
  }

  get #encoders(): WeightEncoder[] {
    return Object.values(this.modules).flatMap(({ encoder }) => encoder ?? [])
  }

  /** Factor of the change; 0 if the adapter is not in use. */
  get weight(): number {
    return this.#weight
  }

  /**
   * Saves adapter_config.json and adapter_model.safetensors, which peft opens if it has the method; a path that ends in
   * `.gguf` is written as a GGUF file, which llama.cpp opens.
   * @throws HeedError for what a GGUF file cannot express
   */
  async save(dir: string, options: { base?: string } = {}): Promise<void> {
    if (isGGUFPath(dir)) return saveGGUFAdapter(this, this.#model, dir)
    await this.saveConfig(dir, options)
    await this.saveWeights(join(dir, WEIGHTS[0]))
  }

  /** Saves adapter_config.json alone. */
  saveConfig(dir: string, options: { base?: string } = {}): Promise<void> {
    return savePeftConfig(this, this.#model, dir, options)
  }

  /** Saves the weights alone, as a safetensors file with the names of peft. */
  saveWeights(path: string): Promise<void> {
    return savePeftWeights(this, this.#model, path)
  }

  /**
   * Loads the weights of a file that peft or `saveWeights` has written.
   * @throws HeedError listing the names that are missing, unexpected, or of another shape
   */
  loadWeights(path: string): Promise<void> {
    return loadPeftWeights(this, this.#model, path)
  }

  /** Takes the adapter off the model. The model's own weights are as before; its parameters stay frozen. */
  remove(): void {
    this.#use(0)
    this.#removed = true
    setsOf(this.#model).delete(this.name)
  }

  /** @internal Attaches the adapter with this factor, or takes it off (0). */
  use(weight: number): void {
    if (this.#removed)
      throw new HeedError('invalid-state', `The adapter ${shown(this.name)} must not have been removed`, { remedy: 'Add it again.' }) // biome-ignore format: one line
    this.#use(weight)
  }

  #use(weight: number): void {
    if (weight !== this.#weight) recordAgain() // caches of keys and values are outdated
    this.#weight = weight
    if (weight === 0) {
      for (const detach of this.#detach.splice(0)) detach()
      return
    }
    if (this.#detach.length > 0) return
    for (const [path, parameters] of Object.entries(this.saved))
      for (const [name, parameter] of Object.entries(parameters))
        this.#detach.push(replaceParameter(this.#model, `${path}.${name}`, parameter))
    // Read at each run, so that another factor compiles nothing.
    const factor = (): Tensor => runtimeScalar(() => this.#weight)
    for (const part of Object.values(this.modules)) this.#detach.push(part.attach(factor))
  }
}

/** Trainable copies of the parameters of a module, by name. */
const copiesOf = (module: Module): Record<string, Parameter> =>
  Object.fromEntries(
    module.namedParameters().map(([name, parameter]) => [name, new Parameter(parameter.detach())]),
  )

/** The adapters of each model, by name. */
const sets = new WeakMap<Module, Map<string, Adapter>>()

function setsOf(model: Module): Map<string, Adapter> {
  let set = sets.get(model)
  if (!set) {
    set = new Map()
    sets.set(model, set)
  }
  return set
}

/** Returns the adapters of a model, in the order in which they were added. */
export function adaptersOf(model: Module): Adapter[] {
  checkModule('adaptersOf', model)
  return [...setsOf(model).values()]
}

const checkAdd = argumentKinds('addAdapter', {
  model: 'model',
  spec: 'any',
  options: optionKinds<AddAdapterOptions>({ name: 'text?', save: 'texts?', tokenizer: 'object?' }),
})

/**
 * Attaches a new adapter to a model and freezes the model's own parameters. The adapter starts without effect; train its
 * `parameters()`.
 *
 *     const adapter = addAdapter(model, 'lora:r=16,targets=all-linear')
 *     const optimizer = new AdamW(adapter.parameters(), { lr: 2e-4 })
 *
 * @param spec `METHOD:key=value,…`, or an object with the same keys. Keys: `targets`, `exclude`, `layers`, `save`, and
 * those of the method. Lists in texts are joined by `+`, and regular expressions are written as /…/.
 * @throws HeedError for an unknown method or option, for targets that select no layer, and for a name in use
 */
export function addAdapter(
  model: Module,
  spec: string | AdapterSpec,
  options: AddAdapterOptions = {},
): Adapter {
  checkAdd(model, spec, options)
  const { name = 'default', save = [], tokenizer } = options
  checkName('adapter', name)
  const given = parseAdapterSpec(spec)
  const parsed = { ...given, save: [...new Set([...given.save, ...save])] }
  const set = setsOf(model)
  if (set.has(name))
    throw new HeedError('already-exists', `The name of an adapter must be new, got ${shown(name)} twice`, { key: 'name', value: name, remedy: 'Give it another name, or remove() the first.' }) // biome-ignore format: one line
  const adapter = new Adapter(model, name, parsed, { tokenizer })
  checkTogether([...set.values(), adapter].filter(({ weight }) => weight !== 0))
  model.freeze()
  adapter.use(1)
  set.set(name, adapter)
  return adapter
}

/** Some things have one value: two adapters in use cannot both replace them. */
function checkTogether(used: readonly Adapter[]): void {
  const owners = new Map<string, string>()
  for (const { name, modules } of used)
    for (const { exclusive } of Object.values(modules)) {
      if (exclusive === null) continue
      const owner = owners.get(exclusive)
      if (owner !== undefined && owner !== name)
        throw new HeedError('invalid-state', `One adapter in use can have ${exclusive}, got ${owner} and ${name}`, { key: 'adapter', value: name, remedy: 'Switch one of them off with setAdapters() first.' }) // biome-ignore format: one line
      owners.set(exclusive, name)
    }
  for (const { name, saved } of used)
    for (const [path, parameters] of Object.entries(saved))
      for (const parameter of Object.keys(parameters)) {
        const key = `${path}.${parameter}`
        const owner = owners.get(key)
        if (owner !== undefined)
          throw new HeedError('invalid-state', `Adapters in use must save different modules, got ${key} in ${owner} and ${name}`, { key: 'save', value: path, remedy: 'Switch one of them off with setAdapters() first.' }) // biome-ignore format: one line
        owners.set(key, name)
      }
}

const checkSet = argumentKinds('setAdapters', { model: 'model', weights: 'record' })

/**
 * Chooses the adapters of a model that are in use, with their factors: `{ fr: 0.7, tone: 0.3 }`. Others are switched
 * off. Adapters of one shape share their compiled programs.
 * @throws HeedError for an unknown name, a factor that is not finite, another factor than 0 and 1 for tokens, which are
 * read or not, and for two adapters that save the same module or have tokens
 */
export function setAdapters(model: Module, weights: Readonly<Record<string, number>>): void {
  checkSet(model, weights)
  const set = setsOf(model)
  for (const [name, weight] of Object.entries(weights)) {
    const adapter = set.get(name)
    if (!adapter) throw unknownName('adapter', name, [...set.keys()])
    if (!Number.isFinite(weight))
      throw invalidOption({ key: name, value: weight, expected: 'a finite factor' })
    const { method } = adapter.config
    if (weight !== 0 && weight !== 1 && !Object.values(adapter.modules).every(({ hasFactor }) => hasFactor))
      throw invalidOption({ key: name, value: weight, expected: `0 or 1 for ${method}, which has no factor`, remedy: 'Use the adapter whole, or not at all.' }) // biome-ignore format: one line
  }
  const isUsed = ({ name }: Adapter): boolean => Object.hasOwn(weights, name) && weights[name] !== 0
  const [used, unused] = [true, false].map((on) => [...set.values()].filter((it) => isUsed(it) === on)) // biome-ignore format: one line
  checkTogether(used)
  for (const adapter of unused) adapter.use(0) // first, because an adapter restores what it has replaced
  for (const adapter of used) adapter.use(weights[adapter.name])
}
