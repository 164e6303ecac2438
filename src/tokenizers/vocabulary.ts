import { HeedError, shown } from '../util/errors.ts'
import type { TokenIds } from './encode/steps.ts'
import { TokenTable } from './encode/token-table.ts'
import type { AddedTokenJson } from './formats/tokenizer-json.ts'

/** Tokens and ids of a model and of added tokens, which take precedence. */
export class Vocabulary {
  /** The highest id plus one. */
  readonly size: number
  private readonly model: TokenTable
  private readonly added: ReadonlyMap<string, number>
  private readonly addedTokens: ReadonlyMap<number, string>
  /** Cache of tokens by id. */
  private readonly texts: (string | undefined)[]

  /** @throws HeedError if two tokens of the model have the same id */
  constructor(model: TokenIds, added: readonly AddedTokenJson[], source = 'tokenizer.json') {
    this.model = TokenTable.of(model)
    this.added = new Map(added.map(({ content, id }) => [content, id]))
    this.addedTokens = new Map(added.map(({ content, id }) => [id, content]))
    const shared = this.model.sharedId()
    if (shared) throw sharedId(shared, source)
    this.size = added.reduce((size, { id }) => Math.max(size, id + 1), this.model.idLimit)
    this.texts = new Array<string | undefined>(Math.min(this.size, 1 << 20)) // limited, because a file may state a huge id
  }

  idOf(token: string): number | undefined {
    return this.added.get(token) ?? this.model.get(token)
  }

  tokenOf(id: number): string | undefined {
    const known = this.texts[id]
    if (known !== undefined) return known
    const token = this.addedTokens.get(id) ?? this.model.tokenOf(id)
    if (token !== undefined) this.texts[id] = token
    return token
  }
}

function sharedId(
  { token, other, id }: { token: string; other: string; id: number },
  source: string,
): HeedError {
  return new HeedError(
    'corrupt-file',
    `The ids of tokens in ${source} must be unique, got ${id} for ${shown(token)} and ${shown(other)}`,
    { key: other, value: id, remedy: `Give ${shown(other)} a separate id.` },
  )
}
