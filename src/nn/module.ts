import { inScope, scopeNow } from '../graph/node.ts'
import type { Shape } from '../graph/shape.ts'
import { recordAgain } from '../tensor/hold.ts'
import { ModuleBuffer, Parameter, Tensor } from '../tensor/index.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { HeedError, shown } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import { type OptionRules, optionKinds } from '../util/options.ts'
import { isContainer } from './container.ts'
import {
  type LoadOptions,
  type Match,
  type ModuleState,
  matchState,
  type StateSource,
  setValues,
} from './state-dict.ts'
import { isStateFile, readState, type StateFile, shapesIn } from './state-source.ts'

/** A function called after each call of a module. If it returns a tensor, that tensor replaces the output. */
export type Hook = (module: Module, inputs: readonly unknown[], output: Tensor) => unknown

/** A function called before each call of a module. If it returns an array, its elements replace the inputs. */
export type PreHook = (module: Module, inputs: readonly unknown[]) => unknown

const LOAD = optionKinds<LoadOptions>({
  strict: 'flag?',
  mayDiffer: 'function?',
  onUnexpected: 'function?',
})

type Forward = (...inputs: unknown[]) => unknown

/**
 * Base class of layers and models. Fields contain submodules, parameters and buffers, also in arrays. The path of
 * fields is the parameter's name in checkpoints: `h.3.attn.c_proj.weight`. All nodes created by `forward` carry that
 * path, and errors and profiles print it.
 */
export abstract class Module<Config = unknown> {
  /** The settings that the module was created with. For a model, the contents of its config.json. */
  readonly config: Config
  /** Whether the module is in training mode (dropout and batch statistics active). Set by `train()` and `eval()`. */
  training = true
  /** Block format of quantised weights, which a state dict cannot contain. */
  readonly unsaved?: string
  readonly #preHooks = new Set<PreHook>()
  readonly #hooks = new Set<Hook>()
  /** The outermost module of the last call. `#path` is the path from there. */
  #root: Module | null = null
  #path = ''
  /** `forward` with names and hooks. A class may also define `forward` as a field, which exists after this constructor. */
  #wrapped: Forward | null = null
  /** Whether weights are currently being loaded from a file. */
  #loading = false

  /** Creates a module with its config. @throws HeedError for a config of another form */
  constructor(config?: Config) {
    checkConfig(new.target, config)
    this.config = config as Config
    this.#wrapForward()
  }

  /** Computes the module's output. Each module defines it. */
  abstract forward(...inputs: never[]): unknown

  /** Returns each parameter once, with its name. A shared parameter has the name of its first occurrence. */
  namedParameters(): [string, Parameter][] {
    return this.namedState().filter(ofKind(Parameter))
  }

  /** Returns each buffer once, with its name. Buffers are state that is saved but not trained. */
  namedBuffers(): [string, ModuleBuffer][] {
    return this.namedState().filter(ofKind(ModuleBuffer))
  }

  /** Returns each parameter and buffer once, in the order of the fields. */
  namedState(): [string, ModuleState][] {
    const seen = new Set<ModuleState>()
    return statePaths(this).filter(([, state]) => {
      if (seen.has(state)) return false
      seen.add(state)
      return true
    })
  }

  /** Returns each parameter once. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter)
  }

  /** Returns this module, named '', and all its descendants, each once. */
  namedModules(): [string, Module][] {
    const found = new Map<Module, string>()
    visitModules(this, '', (path, module) => {
      if (!found.has(module)) found.set(module, path)
    })
    for (const module of found.keys()) module.#wrapForward()
    return [...found].map(([module, path]) => [path, module])
  }

  /**
   * Returns the module at `path`. A suffix of the path is sufficient if it is unique.
   * @throws HeedError for an unknown or ambiguous path, with the most similar ones
   */
  getModule(path: string): Module {
    checkArgument('getModule', 'path', path, 'text')
    const all = this.namedModules()
    const exact = all.find(([name]) => name === path)
    if (exact) return exact[1]
    const ending = all.filter(([name]) => name.endsWith(`.${path}`))
    if (ending.length === 1 && path !== '') return ending[0][1]
    const names = ending.length > 1 ? ending.map(([name]) => name) : all.map(([name]) => name)
    const near = nearestFirst(path, names.filter(Boolean)).slice(0, 3)
    const expected = `that of one module of ${this.constructor.name}`
    const matches = ending.length > 1 ? `, which ${ending.length} modules end in` : ''
    throw new HeedError('unknown-name', `The path must be ${expected}, got '${path}'${matches}`, {
      key: 'path',
      value: path,
      expected,
      remedy: near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'It has no submodules.',
    })
  }

  /**
   * Calls `hook` after each call of the module at `path` ('' is this module). Returns a function that removes the hook.
   */
  hook(path: string, hook: Hook): () => void {
    checkArgument('hook', 'hook', hook, 'function')
    return addHook(this.getModule(path).#hooks, hook)
  }

  /** Whether functions are called before or after the module itself, such as those of an adapter. */
  get isHooked(): boolean {
    return this.#hooks.size + this.#preHooks.size > 0
  }

  /**
   * Calls `hook` before each call of the module at `path` ('' is this module). Returns a function that removes the hook.
   */
  preHook(path: string, hook: PreHook): () => void {
    checkArgument('preHook', 'hook', hook, 'function')
    return addHook(this.getModule(path).#preHooks, hook)
  }

  /** Returns each parameter and buffer by name. @throws HeedError if weights are quantised to blocks */
  stateDict(): Record<string, Tensor> {
    this.#refuseUnsaved()
    return Object.fromEntries(this.namedState())
  }

  /**
   * Loads all parameters and buffers from `dict`, or from an open file: `await model.loadStateDict(await
   * openSafetensors(path))`. With `strict: false`, names may be missing or unexpected.
   * @throws HeedError listing all names that are missing, unexpected or have another shape; nothing is loaded then
   */
  loadStateDict(dict: Record<string, StateSource>, options?: LoadOptions): this
  loadStateDict(file: StateFile, options?: LoadOptions): Promise<this>
  loadStateDict(
    source: Record<string, StateSource> | StateFile,
    options: LoadOptions = {},
  ): this | Promise<this> {
    LOAD.check('loadStateDict', options)
    if (isStateFile(source))
      return this.#loadFile(source, this.matchState(shapesIn(source), options))
    for (const { key, state } of this.matchState(source, options)) setValues(state, source[key])
    return this
  }

  /** Matches stored tensors to parameters and buffers, so that their values can be read one at a time. */
  matchState(stored: Record<string, { shape: Shape }>, options: LoadOptions = {}): Match[] {
    this.#refuseUnsaved()
    const translate = (key: string): string | null => this.keyInCheckpoint(key)
    return matchState(statePaths(this), stored, translate, this.constructor.name, options)
  }

  /** Sets training mode; `train(false)` sets evaluation mode. */
  train(mode = true): this {
    checkArgument('train', 'mode', mode, 'flag')
    for (const [, module] of this.namedModules()) module.training = mode
    return this
  }

  /** Sets evaluation mode: no dropout, running statistics. */
  eval(): this {
    return this.train(false)
  }

  /** Excludes the parameters below `prefix` from training. Default: all parameters. */
  freeze(prefix = ''): this {
    return this.#setTrainable(prefix, false)
  }

  /** Includes the parameters below `prefix` in training again. Default: all parameters. */
  unfreeze(prefix = ''): this {
    return this.#setTrainable(prefix, true)
  }

  /** Translates a checkpoint key to a name in this module. Returns null for keys that are ignored. */
  protected keyInCheckpoint(key: string): string | null {
    return key
  }

  async #loadFile(file: StateFile, matches: readonly Match[]): Promise<this> {
    this.#loading = true
    try {
      for (const { key, state } of matches)
        setValues(state, await readState(file, key, state.dtype))
      return this
    } finally {
      this.#loading = false
    }
  }

  #refuseUnsaved(): void {
    const [name, module] = this.namedModules().find(([, { unsaved }]) => unsaved) ?? []
    if (module)
      throw new HeedError(
        'unsupported',
        `Weights in a state dict must be numbers, got ${module.unsaved} blocks in ${name || this.constructor.name}`,
        {
          remedy: 'Save before you call quantize(), or load the GGUF file with keepBlocks: false.',
        },
      )
  }

  #setTrainable(prefix: string, trainable: boolean): this {
    checkArgument(trainable ? 'unfreeze' : 'freeze', 'prefix', prefix, 'text')
    const all = this.namedParameters()
    const chosen = all.filter(
      ([name]) => !prefix || name === prefix || name.startsWith(`${prefix}.`),
    )
    if (chosen.length === 0)
      throw new HeedError(
        'unknown-name',
        `The prefix must be the name of a parameter or module of ${this.constructor.name}, got '${prefix}'`,
        {
          key: 'prefix',
          value: prefix,
          remedy: `Did you mean ${nearestFirst(prefix, modulePaths(all)).slice(0, 3).join(', ')}?`,
        },
      )
    for (const [, parameter] of chosen) parameter.requiresGrad = trainable
    return this
  }

  #wrapForward(): void {
    const forward = this.forward as Forward
    if (typeof forward !== 'function' || forward === this.#wrapped) return
    this.#wrapped = (...inputs) => this.#call(forward, inputs)
    const value = this.#wrapped
    Object.defineProperty(this, 'forward', { value, configurable: true, writable: true })
  }

  #call(forward: Forward, inputs: unknown[]): unknown {
    return this.named(() => this.#run(forward, inputs))
  }

  /** Runs `body` as `forward` runs, with the module's path on its nodes, but without hooks. */
  protected named<T>(body: () => T): T {
    if (this.#loading)
      throw new HeedError(
        'invalid-state',
        `The weights of ${this.constructor.name} must be loaded before it is called, got an unfinished loadStateDict()`,
        { remedy: 'Write `await model.loadStateDict(file)`.' },
      )
    if (outermost && this.#root === outermost) return inScope(this.#path, body)
    const before = outermost
    this.#nameTree(before ? joinPath(scopeNow(), this.constructor.name) : '')
    outermost = this
    try {
      return inScope(this.#path, body)
    } finally {
      outermost = before
    }
  }

  #run(forward: Forward, inputs: unknown[]): unknown {
    for (const hook of this.#preHooks) {
      const others = hook(this, inputs)
      if (Array.isArray(others)) inputs = others
    }
    let output = this.#computed(forward, inputs)
    for (const hook of this.#hooks) {
      const other = hook(this, inputs, output as Tensor)
      if (other instanceof Tensor) output = other
    }
    return output
  }

  /** Turns a JavaScript exception caused by inputs that are not tensors into an error about the inputs. */
  #computed(forward: Forward, inputs: unknown[]): unknown {
    try {
      return forward.apply(this, inputs)
    } catch (error) {
      const [first] = inputs
      const isTensor = first instanceof Tensor
      if (isTensor || !(error instanceof TypeError || error instanceof RangeError)) throw error
      throw new HeedError(
        'invalid-option',
        `${this.constructor.name}: forward() must be called with tensors, got ${shown(first)}`,
        { value: first, remedy: `The original error was: ${error.message}`, cause: error },
      )
    }
  }

  /** Runs at each outermost call, because fields may have been replaced since the last one. */
  #nameTree(prefix: string): void {
    for (const [path, module] of this.namedModules()) {
      module.#root = this
      module.#path = joinPath(prefix, path)
    }
  }
}

/** Adds a hook and returns a function that removes it. Held programs then record their body again. */
function addHook<H>(hooks: Set<H>, hook: H): () => void {
  hooks.add(hook)
  recordAgain()
  return () => {
    if (hooks.delete(hook)) recordAgain()
  }
}

/** A class may declare rules for its config. Subclasses may add keys. */
interface WithConfigRules {
  readonly name: string
  readonly configRules?: Pick<OptionRules, 'check'>
}

function checkConfig(Class: WithConfigRules, config: unknown): void {
  if (Object.hasOwn(Class, 'configRules')) Class.configRules?.check(Class.name, config)
}

/** @throws HeedError if `model` is not a Module */
export function checkModule(owner: string, model: unknown): void {
  if (!(model instanceof Module)) throw wrongArgument(owner, 'model', model, 'a Module')
}

/** The outermost module of the current call. */
let outermost: Module | null = null

const joinPath = (a: string, b: string): string => (a && b ? `${a}.${b}` : a || b)

/** The modules and state in a module's fields. Elements of arrays and plain objects are named `name.0`, `name.key` … */
function* fieldsOf(module: Module): Generator<[string, Module | ModuleState]> {
  for (const name of Object.keys(module)) {
    if (name === 'config') continue
    yield* partsOf(name, (module as unknown as Record<string, unknown>)[name])
  }
}

function* partsOf(
  name: string,
  value: unknown,
  above: readonly object[] = [],
): Generator<[string, Module | ModuleState]> {
  if (typeof value !== 'object' || value === null) return
  if (value instanceof Module || isState(value)) yield [name, value]
  else if (isContainer(value) && !above.includes(value)) {
    const inside = [...above, value]
    for (const key of Object.keys(value))
      yield* partsOf(`${name}.${key}`, Reflect.get(value, key), inside)
  }
}

/** Visits every path to a module. A module that contains itself is visited once. */
function visitModules(
  module: Module,
  path: string,
  visit: (path: string, module: Module) => void,
  above: ReadonlySet<Module> = new Set(),
): void {
  visit(path, module)
  const chain = new Set(above).add(module)
  for (const [name, part] of fieldsOf(module))
    if (part instanceof Module && !chain.has(part))
      visitModules(part, joinPath(path, name), visit, chain)
}

const isState = (value: unknown): value is ModuleState =>
  value instanceof Parameter || value instanceof ModuleBuffer

const ofKind =
  <S extends ModuleState>(Kind: new (...args: never[]) => S) =>
  (named: [string, ModuleState]): named is [string, S] =>
    named[1] instanceof Kind

/** Every path to a parameter or buffer. A shared one appears under all its names. */
function statePaths(root: Module): [string, ModuleState][] {
  const found: [string, ModuleState][] = []
  visitModules(root, '', (path, module) => {
    for (const [name, part] of fieldsOf(module))
      if (isState(part)) found.push([joinPath(path, name), part])
  })
  return found
}

const modulePaths = (named: readonly [string, Parameter][]): Set<string> =>
  new Set(named.flatMap(([name]) => [name, name.replace(/\.[^.]*$/, '')]))
