import { specialToken, type TokenizerJson } from '../formats/tokenizer-json.ts'
import { Tokenizer } from '../tokenizer.ts'
import type { SpecialTokens } from './special-tokens.ts'

export interface SpecialTokenOptions {
  /** What the config calls them. Those that the vocabulary lacks get ids behind it. */
  names: SpecialTokens
  /** Further ones without a name, as T5's sentinels. */
  additional?: readonly string[]
  /** What stands around a text and a pair of texts, as `[CLS] $A [SEP] $B:1 [SEP]:1`, with token types. */
  template?: { single: string; pair: string }
}

/** The same tokenizer with special tokens and a template of its own. */
export function addSpecialTokens(
  tokenizer: Tokenizer,
  { names, additional = [], template }: SpecialTokenOptions,
): Tokenizer {
  const json = tokenizer.toJSON()
  const wanted = [...new Set([...Object.values(names), ...additional])]
  const missing = wanted.filter((token) => tokenizer.tokenToId(token) === undefined)
  const ids = new Map(missing.map((token, i) => [token, tokenizer.vocabSize + i]))
  const idOf = (token: string): number => ids.get(token) ?? (tokenizer.tokenToId(token) as number)
  const added = missing.map((token) => specialToken(token, idOf(token)))
  const config = {
    ...tokenizer.config,
    ...names,
    ...(additional.length > 0 && { additional_special_tokens: [...additional] }),
  }
  return Tokenizer.fromJSON(
    {
      ...json,
      added_tokens: [...(json.added_tokens ?? []), ...added],
      ...(template && { post_processor: processorOf(template, idOf) }),
    },
    config,
  )
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
