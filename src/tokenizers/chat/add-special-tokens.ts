import { isJsonObject } from '../../io/files/json-parse.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { optionKinds } from '../../util/options.ts'
import {
  type AddedTokenJson,
  type ComponentJson,
  specialToken,
  type TokenizerJson,
} from '../formats/tokenizer-json.ts'
import { Tokenizer } from '../tokenizer.ts'
import type { SpecialTokens } from './special-tokens.ts'

/** Options of `addSpecialTokens`. */
export interface SpecialTokenOptions {
  /** Tokens by their config keys. Tokens that are not in the vocabulary get the next ids. */
  names: SpecialTokens
  /** Additional tokens without a key, such as T5's sentinels. */
  additional?: readonly string[]
  /** Templates for a single text and a pair, with token types: `[CLS] $A [SEP] $B:1 [SEP]:1`. */
  template?: { single: string; pair: string }
}

const checkAddSpecialTokens = argumentKinds('addSpecialTokens', {
  tokenizer: 'tokenizer',
  options: optionKinds<SpecialTokenOptions>({
    names: 'record',
    additional: 'texts?',
    template: 'record?',
  }),
})

/** Returns a copy of a tokenizer with additional special tokens and, optionally, another template. */
export function addSpecialTokens(tokenizer: Tokenizer, options: SpecialTokenOptions): Tokenizer {
  checkAddSpecialTokens(tokenizer, options)
  const { names, additional = [], template } = options
  const json = tokenizer.toJSON()
  const tokens = [...new Set([...Object.values(names), ...additional])]
  const missing = tokens.filter((token) => tokenizer.tokenToId(token) === undefined)
  const added = missing.map((token, i) => specialToken(token, tokenizer.vocabSize + i))
  const config = {
    ...tokenizer.config,
    ...names,
    ...(additional.length > 0 && { additional_special_tokens: [...additional] }),
  }
  const extended = Tokenizer.fromJSON(
    {
      ...json,
      model: withIds(json.model, added),
      added_tokens: [...(json.added_tokens ?? []), ...added],
    },
    config,
  )
  if (!template) return extended
  const post_processor = processorOf(template, (token) => extended.tokenToId(token) as number)
  return Tokenizer.fromJSON({ ...extended.toJSON(), post_processor }, config)
}

/**
 * Adds the new tokens to the vocabulary of a model if earlier ids are unused. Otherwise, Python would give the new
 * tokens other ids when it loads the file.
 */
function withIds(model: ComponentJson, added: readonly AddedTokenJson[]): ComponentJson {
  const { vocab } = model
  if (!isJsonObject(vocab)) return model
  const ids = Object.values(vocab).filter((id) => typeof id === 'number')
  if (ids.every((id) => id < ids.length)) return model
  const tokens = added.map(({ content, id }) => [content, id] as const)
  return { ...model, vocab: Object.fromEntries([...Object.entries(vocab), ...tokens]) }
}

function processorOf(
  { single, pair }: { single: string; pair: string },
  idOf: (token: string) => number,
): TokenizerJson['post_processor'] {
  const tokens = new Set<string>()
  const items = (template: string) =>
    template.split(' ').map((word) => {
      const [name, type = '0'] = word.split(':')
      const type_id = Number(type)
      if (name.startsWith('$')) return { Sequence: { id: name.slice(1), type_id } }
      tokens.add(name)
      return { SpecialToken: { id: name, type_id } }
    })
  const templates = { single: items(single), pair: items(pair) }
  const special_tokens = [...tokens].map((id) => [id, { id, ids: [idOf(id)], tokens: [id] }])
  return {
    type: 'TemplateProcessing',
    ...templates,
    special_tokens: Object.fromEntries(special_tokens),
  }
}
