import { HeedError, shown } from '../util/errors.ts'
import type { AddedTokenJson } from './formats/tokenizer-json.ts'

/** Tokens and their ids: those of the model, and added ones, which come first. */
export class Vocabulary {
  /** The highest id plus one. */
  readonly size: number
  private readonly model: ReadonlyMap<string, number>
  private readonly added: ReadonlyMap<string, number>
  private readonly tokens: (string | undefined)[]

  /** @throws HeedError when two tokens of the model have one id */
  constructor(
    model: ReadonlyMap<string, number>,
    added: readonly AddedTokenJson[],
    source = 'tokenizer.json',
  ) {
    this.model = model
    this.added = new Map(added.map(({ content, id }) => [content, id]))
    const tokens: (string | undefined)[] = []
    for (const [token, id] of model) {
      if (tokens[id] !== undefined) throw sharedId(tokens[id], token, id, source)
      tokens[id] = token
    }
    for (const { content, id } of added) tokens[id] = content
    this.tokens = tokens
    this.size = tokens.length
  }

  idOf(token: string): number | undefined {
    return this.added.get(token) ?? this.model.get(token)
  }

  tokenOf(id: number): string | undefined {
    return this.tokens[id]
  }
}

function sharedId(a: string, b: string, id: number, source: string): HeedError {
  return new HeedError(
    'corrupt-file',
    `The ids of tokens in ${source} must be unique, got ${id} for ${shown(a)} and ${shown(b)}`,
    { key: b, value: id, remedy: `Give ${shown(b)} an id of its own.` },
  )
}
