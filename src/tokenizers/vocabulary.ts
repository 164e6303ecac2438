import { HeedError, shown } from '../util/errors.ts'
import type { AddedTokenJson } from './formats/tokenizer-json.ts'

/** Tokens and their ids: those of the model, and added ones. */
export class Vocabulary {
  /** The highest id plus one. */
  readonly size: number
  private readonly model: ReadonlyMap<string, number>
  private readonly added = new Map<string, number>()
  private readonly tokens = new Map<number, string>()

  /** @throws HeedError when two tokens have one id, or a token has two */
  constructor(
    model: ReadonlyMap<string, number>,
    added: readonly AddedTokenJson[],
    source = 'tokenizer.json',
  ) {
    this.model = model
    let size = 0
    const claim = (token: string, id: number): void => {
      const owner = this.tokens.get(id)
      if (owner !== undefined && owner !== token) throw sharedId(owner, token, id, source)
      this.tokens.set(id, token)
      size = Math.max(size, id + 1)
    }
    for (const [token, id] of model) claim(token, id)
    for (const { content, id } of added) {
      claim(content, id)
      const before = this.idOf(content)
      if (before !== undefined && before !== id) throw twoIds(content, before, id, source)
      this.added.set(content, id)
    }
    this.size = size
  }

  idOf(token: string): number | undefined {
    return this.model.get(token) ?? this.added.get(token)
  }

  tokenOf(id: number): string | undefined {
    return this.tokens.get(id)
  }
}

function sharedId(a: string, b: string, id: number, source: string): HeedError {
  return new HeedError(
    'corrupt-file',
    `The ids of tokens in ${source} must be unique, got ${id} for ${shown(a)} and ${shown(b)}`,
    { key: b, value: id, remedy: `Give ${shown(b)} an id of its own.` },
  )
}

function twoIds(token: string, before: number, id: number, source: string): HeedError {
  return new HeedError(
    'corrupt-file',
    `The ids of tokens in ${source} must be unique, got ${before} in \`model.vocab\` and ${id} in ` +
      `\`added_tokens\` for ${shown(token)}`,
    { key: token, value: id, remedy: `Use ${before} in \`added_tokens\` too.` },
  )
}
