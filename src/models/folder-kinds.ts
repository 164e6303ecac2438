// Folders that are no models by themselves, but from which one can be made: an adapter with its base.
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
}

const kinds: FolderKind[] = []

/** Makes a kind of folder available to `fromPretrained`. */
export function registerFolderKind(kind: FolderKind): void {
  kinds.push(kind)
}

/** The kind of a folder; undefined for models. */
export async function folderKindOf(dir: string): Promise<FolderKind | undefined> {
  for (const kind of kinds) if (await kind.owns(dir)) return kind
  return undefined
}
