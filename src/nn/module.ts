import { inScope, scopeNow } from '../graph/node.ts'
import type { Shape } from '../graph/shape.ts'
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

/** Called after each call of a module. A tensor that it returns replaces the output. */
export type Hook = (module: Module, inputs: readonly unknown[], output: Tensor) => unknown

const LOAD = optionKinds<LoadOptions>({
  strict: 'flag?',
  mayDiffer: 'function?',
  onUnexpected: 'function?',
})

type Forward = (...inputs: unknown[]) => unknown

/**
 * A part of a model. Its fields are its submodules, parameters and buffers, also in arrays. The path of
 * fields is the name of a parameter in checkpoints: `h.3.attn.c_proj.weight`. Everything that `forward`
 * computes carries that path, which errors and profiles print.
 */
export abstract class Module<Config = unknown> {
  readonly config: Config
  /** Whether dropout and batch statistics are active. Set by `train()` and `eval()`. */
  training = true
  /** The block format of weights that no state dict can hold. */
  readonly unsaved?: string
  readonly #hooks = new Set<Hook>()
  /** The outermost module of the last call, and the path from there. */
  #root: Module | null = null
  #path = ''
  /** Whether a file is being read. */
  #loading = false

  constructor(config?: Config) {
    checkConfig(new.target, config)
    this.config = config as Config
    const forward = this.forward as Forward
    Object.defineProperty(this, 'forward', {
      value: (...inputs: unknown[]) => this.#call(forward, inputs),
      configurable: true,
      writable: true,
    })
  }

  abstract forward(...inputs: never[]): unknown

  /** Every parameter once, with its name. A shared parameter has the name of its first place. */
  namedParameters(): [string, Parameter][] {
    return this.namedState().filter(ofKind(Parameter))
  }

  /** Every buffer once, with its name: state that is saved but not trained. */
  namedBuffers(): [string, ModuleBuffer][] {
    return this.namedState().filter(ofKind(ModuleBuffer))
  }

  /** Parameters and buffers, each once, in the order of fields. */
  namedState(): [string, ModuleState][] {
    const seen = new Set<ModuleState>()
    return statePaths(this).filter(([, state]) => {
      if (seen.has(state)) return false
      seen.add(state)
      return true
    })
  }

  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter)
  }

  /** This module, named '', and all below it, each once. */
  namedModules(): [string, Module][] {
    const found = new Map<Module, string>()
    visitModules(this, '', (path, module) => {
      if (!found.has(module)) found.set(module, path)
    })
    return [...found].map(([module, path]) => [path, module])
  }

  /**
   * The module at a path below this one. The end of the path suffices if it is unique.
   * @throws HeedError with the most similar paths
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

  /** Calls `hook` after each call of the module at `path` ('' is this one). Returns its removal. */
  hook(path: string, hook: Hook): () => void {
    checkArgument('hook', 'hook', hook, 'function')
    const hooks = this.getModule(path).#hooks
    hooks.add(hook)
    return () => void hooks.delete(hook)
  }

  /** Parameters and buffers by name, each once. @throws HeedError when some weights are in blocks */
  stateDict(): Record<string, Tensor> {
    this.#refuseUnsaved()
    return Object.fromEntries(this.namedState())
  }

  /**
   * Loads all parameters and buffers from `dict`, or from an open file, which is to be awaited:
   * `await model.loadStateDict(await openSafetensors(path))`. One error lists all names that are missing, unexpected
   * or of another shape; nothing is loaded then. With `strict: false`, names may be missing or unexpected.
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

  /** Which stored tensor belongs to which parameter or buffer, to fetch the values one by one. */
  matchState(stored: Record<string, { shape: Shape }>, options: LoadOptions = {}): Match[] {
    this.#refuseUnsaved()
    const translate = (key: string): string | null => this.keyInCheckpoint(key)
    return matchState(statePaths(this), stored, translate, this.constructor.name, options)
  }

  /** Switches to training, or back. */
  train(mode = true): this {
    checkArgument('train', 'mode', mode, 'flag')
    for (const [, module] of this.namedModules()) module.training = mode
    return this
  }

  /** Switches to evaluation: no dropout, running statistics. */
  eval(): this {
    return this.train(false)
  }

  /** Excludes the parameters below `prefix` from training; all by default. */
  freeze(prefix = ''): this {
    return this.#setTrainable(prefix, false)
  }

  unfreeze(prefix = ''): this {
    return this.#setTrainable(prefix, true)
  }

  /** Translates a key of a checkpoint; null for keys that are not needed. */
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
        { remedy: 'Save before quantize(), or load GGUF files with keepBlocks: false.' },
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
        `The prefix must be that of a parameter of ${this.constructor.name}, got '${prefix}'`,
        {
          key: 'prefix',
          value: prefix,
          remedy: `Did you mean ${nearestFirst(prefix, modulePaths(all)).slice(0, 3).join(', ')}?`,
        },
      )
    for (const [, parameter] of chosen) parameter.requiresGrad = trainable
    return this
  }

  #call(forward: Forward, inputs: unknown[]): unknown {
    if (outermost && this.#root === outermost) return this.#run(forward, inputs)
    const before = outermost
    this.#nameTree(before ? joinPath(scopeNow(), this.constructor.name) : '')
    outermost = this
    try {
      return this.#run(forward, inputs)
    } finally {
      outermost = before
    }
  }

  #run(forward: Forward, inputs: unknown[]): unknown {
    if (this.#loading)
      throw new HeedError(
        'invalid-state',
        `${this.constructor.name} must have its weights when it is called, got them half loaded`,
        { remedy: 'Write await model.loadStateDict(file).' },
      )
    return inScope(this.#path, () => {
      let output = this.#computed(forward, inputs)
      for (const hook of this.#hooks) {
        const other = hook(this, inputs, output as Tensor)
        if (other instanceof Tensor) output = other
      }
      return output
    })
  }

  /** An exception of JavaScript's for inputs that are no tensors is the caller's mistake. */
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
        { value: first, remedy: `It failed with "${error.message}".`, cause: error },
      )
    }
  }

  /** At each outermost call, since fields may have been replaced in between. */
  #nameTree(prefix: string): void {
    for (const [path, module] of this.namedModules()) {
      module.#root = this
      module.#path = joinPath(prefix, path)
    }
  }
}

/** What the config of a class must be, where it says so. Classes derived from it may have further keys. */
interface WithConfigRules {
  readonly name: string
  readonly configRules?: Pick<OptionRules, 'check'>
}

function checkConfig(Class: WithConfigRules, config: unknown): void {
  if (Object.hasOwn(Class, 'configRules')) Class.configRules?.check(Class.name, config)
}

/** @throws HeedError for anything but a module */
export function checkModule(owner: string, model: unknown): void {
  if (!(model instanceof Module)) throw wrongArgument(owner, 'model', model, 'a Module')
}

/** The module whose call is the outermost one. */
let outermost: Module | null = null

const joinPath = (a: string, b: string): string => (a && b ? `${a}.${b}` : a || b)

/** The modules and state in a module's fields; those in arrays and plain objects as `name.0`, `name.key` … */
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

/** Every path that leads to a module. A module that contains itself is visited once. */
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

/** Every path that leads to a parameter or buffer: a tied one appears with all its names. */
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
