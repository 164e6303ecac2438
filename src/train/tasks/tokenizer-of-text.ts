// The tokenizer of a language model: a new one, that of the model to fine-tune, that one with further pieces, or another one
// for the model.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findTextFiles, holdsRows, readText, surveyText } from '../../data/index.ts'
import { HeadedModel } from '../../models/heads/headed-model.ts'
import { remapTokenEmbeddings } from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import {
  parseTokenizerSpec,
  Tokenizer,
  type TokenizerTrainer,
  tokenizerExtender,
  tokenizerTrainer,
  tokenPieces,
} from '../../tokenizers/index.ts'
import { HeedError, invalidOption } from '../../util/errors.ts'
import type { DataSetup } from '../task.ts'
import { textIn } from './text.ts'
import { addTexts, learningProgress } from './text-tokenizer.ts'

interface Options {
  textColumn: string
  extendTokenizer?: number
}

type Setup = DataSetup<Options>

/** Opens, extends or trains the tokenizer of a run; by default, a new one is of characters. */
export async function tokenizerOfText(setup: Setup): Promise<Tokenizer> {
  const { from, tokenizer, options } = setup
  const { extendTokenizer: pieces } = options
  checkChanges(setup)
  const before = from === undefined ? undefined : await Tokenizer.fromFile(from)
  if (before && pieces !== undefined) return extended(before, pieces, setup)
  if (before && tokenizer === undefined) return before
  const spec = parseTokenizerSpec(tokenizer ?? 'char')
  if (spec.type === 'file') return Tokenizer.fromFile(spec.path)
  const trainer = tokenizerTrainer({ ...spec, onProgress: learningProgress(setup) })
  await addText(trainer, setup)
  return trainer.finish()
}

async function extended(before: Tokenizer, pieces: number, setup: Setup): Promise<Tokenizer> {
  try {
    const extender = tokenizerExtender(before, { pieces, onProgress: learningProgress(setup) })
    await addText(extender, setup)
    return extender.finish()
  } catch (error) {
    throw error instanceof HeedError && error.details.key === 'pieces' ? tooMany(error) : error
  }
}

/** The error of `extendTokenizer` of heed/tokenizers with the name of the option here. */
function tooMany({ code, message, details, remedy }: HeedError): HeedError {
  const { expected, value } = details
  const [most] = details.try?.pieces ?? []
  const key = 'extendTokenizer'
  if (expected === undefined || most === undefined)
    return new HeedError(code, message, { key, value, remedy })
  return invalidOption({ key, value, expected, try: { [key]: [most] } })
}

/** Adds the text of the training data to a trainer. */
async function addText(trainer: TokenizerTrainer, { data, options }: Setup): Promise<void> {
  const { paths, rowOptions } = data
  if (paths.some(holdsRows))
    return addTexts(trainer, await data.source(), (row) => [textIn(row, options.textColumn)])
  const files = findTextFiles([...paths])
  const encoding = rowOptions?.encoding
  surveyText(files, { encoding })
  for (const file of files) for (const text of readText(file, encoding)) trainer.add(text)
}

/** @throws HeedError for an extension without a tokenizer to extend, or of the base of an adapter that has its tokens */
function checkChanges({ from, tokenizer, options }: Setup): void {
  const { extendTokenizer: value } = options
  const key = value === undefined ? 'tokenizer' : 'extendTokenizer'
  if (value !== undefined && (from === undefined || tokenizer !== undefined))
    throw invalidOption({
      key,
      value,
      expected: from === undefined ? 'omitted for a new model' : 'omitted with `tokenizer`',
      remedy:
        from === undefined
          ? 'Name the model whose tokenizer is extended with `from`.'
          : 'Extend the tokenizer of the model, or give it another one.',
    })
  const isChanged = value !== undefined || (from !== undefined && tokenizer !== undefined)
  if (isChanged && from !== undefined && existsSync(join(from, 'adapter_config.json')))
    throw invalidOption({
      key,
      value: value ?? tokenizer,
      expected: `omitted: ${from} is an adapter, which is trained further`,
      remedy: 'Merge the adapter first: `heed merge`.',
    })
}

/**
 * Gives the model to fine-tune the rows of the tokenizer of the run, if it is not its own. Rows of tokens that both have are
 * kept; others start at the mean of their pieces.
 * @returns the names of the weights that have other rows
 * @throws HeedError for embeddings in blocks, which have no rows to add to
 */
export async function retokenize(
  model: Module,
  { from, tokenizer, options }: Setup,
  after: Tokenizer,
): Promise<readonly string[]> {
  const { extendTokenizer: value } = options
  if (from === undefined || (value === undefined && tokenizer === undefined)) return []
  checkNumbers(model, value === undefined ? 'tokenizer' : 'extendTokenizer', value ?? tokenizer)
  const pieces = tokenPieces(await Tokenizer.fromFile(from), after)
  const { vocab_size: rows } = Object(model.config)
  // A model may have more rows than tokens.
  if (value !== undefined) for (let id = pieces.length; id < rows; id++) pieces.push([id])
  const names = await remapTokenEmbeddings(model, pieces)
  if (value === undefined) useEnds(model, after)
  return names
}

const layersOf = (model: Module): Module[] =>
  model instanceof HeadedModel ? model.vocabularyLayers() : []

function checkNumbers(model: Module, key: string, value: unknown): void {
  if (layersOf(model).every(({ unsaved }) => !unsaved)) return
  throw new HeedError('unsupported', `\`${key}\` must have a model whose embeddings are numbers, got blocks`, {
    key,
    value,
    remedy: 'Make a folder of the GGUF file first, with heed convert; `quantize` then quantises the other weights in memory.',
  }) // biome-ignore format: one line
}

/** Replaces the ids of the tokens that begin and end texts. */
function useEnds(model: Module, { bosTokenId, eosTokenId, padTokenId }: Tokenizer): void {
  const ids = {
    bos_token_id: bosTokenId ?? eosTokenId ?? null,
    eos_token_id: eosTokenId ?? null,
    pad_token_id: padTokenId ?? null,
  }
  const settings: unknown[] = [model.config, Reflect.get(model, 'generationConfig')]
  for (const keys of settings.map(Object))
    for (const [name, id] of Object.entries(ids)) if (name in keys) keys[name] = id
}
