// Folders that are no models by themselves, but from which one can be made: an adapter with its base.
import type { Module } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'
import type { Head, Heads } from './heads/heads.ts'
import type { LoadModelOptions } from './pretrained.ts'
import type { HeadFor, TaskName } from './task-names.ts'

/** A kind of folder that `fromPretrained` opens in addition to model folders. */
export interface FolderKind {
  /** Whether the folder is of this kind. */
  owns(dir: string): Promise<boolean>
  /** Opens it as a model with this head, or the head that a task requires, in evaluation mode. */
  open<N extends Head | TaskName>(
    dir: string,
    name: N,
    options: LoadModelOptions,
  ): Promise<Heads[HeadFor<N>]>
  /** Attaches folders of this kind to a model. Omitted if it has no such folders. */
  attach?(model: Module, adapters: AdapterFactors): Promise<void>
}

/** Folders or GGUF files of adapters: a list, or their factors by path, such as `{ 'runs/fr': 0.7 }`. */
export type AdapterFactors = readonly string[] | Readonly<Record<string, number>>

const kinds: FolderKind[] = []

/** Makes a kind of folder available to `fromPretrained`. */
export function registerFolderKind(kind: FolderKind): void {
  kinds.push(kind)
}

/** Attaches adapters to a model. @throws HeedError if `heed/adapt`, which has them, was not imported */
export async function attachAdapters(model: Module, adapters: AdapterFactors): Promise<void> {
  const { attach } = kinds.find((kind) => kind.attach !== undefined) ?? {}
  if (attach) return attach(model, adapters)
  throw new HeedError('unsupported', '`adapters` must be attached by heed/adapt, which is not loaded', {
    key: 'adapters',
    value: adapters,
    remedy: "Add `import 'heed/adapt'`.",
  }) // biome-ignore format: one line
}

/** The kind of a folder; undefined for models. */
export async function folderKindOf(dir: string): Promise<FolderKind | undefined> {
  for (const kind of kinds) if (await kind.owns(dir)) return kind
  return undefined
}
