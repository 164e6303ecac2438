// Heads of the base in files of peft. With an adapter for classification, peft trains the head and stores it, and opens no
// adapter without it. Where the head is not trained here, that of the base is written, and skipped when the file is read.
import type { Head } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import type { Tensor } from '../tensor/index.ts'
import type { Adapter } from './adapter.ts'
import { classOf } from './places.ts'

/** The modules that peft looks for. */
const HEADS: Partial<Record<Head, readonly string[]>> = {
  'sequence-classification': ['classifier', 'score'],
  'token-classification': ['classifier', 'score'],
  'question-answering': ['qa_outputs'],
}

/** Key of the metadata of a file whose head is that of the base. */
const KEY = 'heed_base_head'

/** The weights of the head that the adapter does not train, by their names in the model. */
export function baseHead(
  model: Module,
  { saved }: Adapter,
): { weights: Record<string, Tensor>; metadata: Record<string, string> } {
  const { head } = classOf(model)
  const names = (head && HEADS[head]) ?? []
  const found = model.namedModules().filter(([path]) => names.includes(path) && !(path in saved))
  const weights = found.flatMap(([path, module]) =>
    module.namedState().map(([name, state]) => [`${path}.${name}`, state] as const),
  )
  const paths = found.map(([path]) => path).join()
  const metadata = Object.fromEntries(paths === '' ? [] : [[KEY, paths]])
  return { weights: Object.fromEntries(weights), metadata }
}

/** Whether a tensor of a file is of the head of the base. */
export const isOfBaseHead = (
  name: string,
  prefix: string,
  metadata: Readonly<Record<string, string>>,
): boolean => (metadata[KEY]?.split(',') ?? []).some((path) => name.startsWith(`${prefix}${path}.`))
