// What a kind of adapter declares. Each is one file of this folder, registered like those of users.
import type { z } from 'zod'
import type { AdapterTargets } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { having, optionKinds } from '../util/options.ts'
import { Registry } from '../util/registry.ts'
import type { AdapterLayer, AdapterModule } from './module.ts'
import type { Place } from './places.ts'
import type { ParsedSpec } from './spec.ts'
import { familyTargets, selectPlaces } from './targets.ts'

/** A kind of adapter for `addAdapter` and `heed train --adapter`. */
export interface AdapterMethod<Schema extends z.ZodObject = z.ZodObject> {
  /** Name in specifications: `lora` in `lora:r=16`. */
  readonly name: string
  /** One-line description for help, with the paper. */
  readonly about: string
  /** What the method computes, in the terms in which methods are compared. */
  readonly view: UnifiedView
  /** Keys of a specification that choose layers; a specification with another one of them is refused. */
  readonly selection: readonly SelectionKey[]
  /** Options in addition to those of `selection` and `save`. Each needs a default and a description. */
  readonly options: Schema
  /** Fills in what a specification leaves to the family of the model. */
  complete(model: Module, spec: MethodSpec<Schema>): MethodSpec<Schema>
  /** Creates the trainable modules of a new adapter, by the paths of what they change. */
  modules(
    model: Module,
    spec: MethodSpec<Schema>,
    context: ModuleContext,
  ): Record<string, AdapterModule>
  /** How peft stores it; null if peft has no such method. Its folders then open in Heed only. */
  readonly peft: PeftFormat<z.output<Schema>> | null
}

/** Keys of a specification that choose layers. */
export type SelectionKey = 'targets' | 'exclude' | 'layers'

/** A checked specification of a method, with its options. */
export type MethodSpec<Schema extends z.ZodObject = z.ZodObject> = ParsedSpec<z.output<Schema>>

/** What modules may need in addition to the model. */
export interface ModuleContext {
  /** Encodes texts for modules that start from one. */
  readonly tokenizer?: TextEncoding
}

/** A tokenizer, as far as adapters need it. */
export interface TextEncoding {
  /** Encodes a text to ids, with the special tokens around it. */
  encode(text: string): readonly number[]
}

/** A method in the unified view of He et al. (2022, table 1): h ← base·h + scale·Δh. */
export interface UnifiedView {
  /** Formula of Δh from the input x of the changed part, and its output h. */
  readonly change: string
  /** What is changed: `weight matrices`, `feed-forward layers`. */
  readonly place: string
  /** Whether Δh is computed from the input of the changed part, or from its output. */
  readonly form: 'parallel' | 'sequential'
  /** Factor λ₁ of h; `1` if h is kept. */
  readonly base: string
  /** Factor s of Δh. */
  readonly scale: string
}

/** Default `targets` of a method for a family, and options that depend on the family. */
export interface AdapterDefaults {
  /** Names of the layers to adapt. */
  readonly targets: readonly string[]
  readonly [option: string]: unknown
}

/** How peft stores a method in adapter_config.json. */
export interface PeftFormat<Options> {
  /** Value of `peft_type`, such as `LORA`. */
  readonly type: string
  /** Keys for these options. */
  write(options: Options, adapter: WrittenAdapter): Record<string, unknown>
  /** Options for these keys; null if the file is of another method with the same type. `used` are the keys it reads. */
  read(config: Readonly<Record<string, unknown>>): Record<string, unknown> | null
  /** Checks that the file is for a model. @throws HeedError that names the key. Default: the shapes of the weights are checked. */
  check?(config: Readonly<Record<string, unknown>>, model: Module): void
  /** Keys of adapter_config.json that `read` uses, and keys that have no effect on a loaded adapter. */
  readonly used: readonly string[]
  /** What names of modules that are trained whole start with in files. Default `base_model.model.`. */
  readonly savedPrefix?: string
}

/** What a format may need of an adapter that is written. */
export interface WrittenAdapter {
  /** The model that the adapter changes. */
  readonly model: Module
  /** Its modules, by their paths in the model. */
  readonly modules: Readonly<Record<string, AdapterModule>>
  /** Folder or name of the base; null if it is unknown. */
  readonly base: string | null
}

/** The layers that the modules of an adapter change. */
export const placesOf = ({ modules }: Pick<WrittenAdapter, 'modules'>): Place[] =>
  Object.values(modules).flatMap(({ merging }) => merging?.place ?? [])

/** How a method changes single layers, for `onLayers`. */
export interface LayerMethod<Options> {
  /** Returns the default `targets`, and options that depend on them, from what a family declares. */
  defaults(family: AdapterTargets): AdapterDefaults
  /** Creates the part of a new adapter at a layer. */
  create(place: Place, options: Options): AdapterLayer
}

const checkOnLayers = argumentKinds('onLayers', {
  method: optionKinds<LayerMethod<never>>({ defaults: 'function', create: 'function' }),
})

/** What a definition has for a method that changes single layers: linear layers and embeddings. */
export function onLayers<Options extends Record<string, unknown>>(
  method: LayerMethod<Options>,
): OnLayers<Options> {
  checkOnLayers(method)
  const { defaults, create } = method
  return {
    selection: ['targets', 'exclude', 'layers'],
    complete(model, spec) {
      if (spec.targets) return spec
      const { targets, ...options } = defaults(familyTargets(model))
      return { ...spec, targets, options: { ...spec.options, ...options } }
    },
    modules: (model, { options, targets = [], ...spec }) =>
      Object.fromEntries(
        selectPlaces(model, { ...spec, targets }).map((place) => [
          place.path,
          create(place, options),
        ]),
      ),
  }
}

/** What `onLayers` returns. */
export interface OnLayers<Options> {
  /** The keys of a specification that select layers. */
  readonly selection: readonly SelectionKey[]
  /** Fills in the default layers of the family, and options that depend on them. */
  complete(model: Module, spec: ParsedSpec<Options>): ParsedSpec<Options>
  /** Creates the part of the adapter at each selected layer. */
  modules(model: Module, spec: ParsedSpec<Options>): Record<string, AdapterLayer>
}

const METHOD = optionKinds<AdapterMethod>({
  name: 'text',
  about: 'text',
  view: 'record',
  selection: 'list',
  options: having('a zod object', 'safeParse', 'extend'),
  complete: 'function',
  modules: 'function',
  peft: 'record|null',
})

const registry = new Registry<AdapterMethod>('adapter method', 'method')

/**
 * Makes a kind of adapter available to `addAdapter` and all commands.
 * @throws HeedError if the name is already in use or invalid, or if the definition is incomplete
 */
export function registerAdapter<Schema extends z.ZodObject>(method: AdapterMethod<Schema>): void {
  checkArgument('registerAdapter', 'method', method, 'object')
  METHOD.check('registerAdapter', method)
  registry.register(method.name, method)
}

/** Returns a kind of adapter. @throws HeedError for an unknown name, with the most similar ones */
export const adapterMethod = (name: string): AdapterMethod => registry.get(name)

/** Returns all kinds of adapters, in the order of registration. */
export const adapterMethods = (): AdapterMethod[] => registry.values()
