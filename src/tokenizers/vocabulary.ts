import type { AddedTokenJson, TokenizerJson } from './formats/tokenizer-json.ts'

/** Tokens and their ids: those of the model, and those that were added. */
export class Vocabulary {
  /** The highest id and one. */
  readonly size: number
  /** Of the model, without the added tokens. */
  readonly model: ReadonlyMap<string, number>
  private readonly ids: Map<string, number>
  private readonly tokens = new Map<number, string>()

  constructor({ model, added_tokens = [] }: TokenizerJson) {
    this.model = modelTokens(model.vocab)
    this.ids = new Map(this.model)
    for (const { content, id } of added_tokens as AddedTokenJson[]) this.ids.set(content, id)
    let size = 0
    for (const [token, id] of this.ids) {
      this.tokens.set(id, token)
      size = Math.max(size, id + 1)
    }
    this.size = size
  }

  idOf(token: string): number | undefined {
    return this.ids.get(token)
  }

  tokenOf(id: number): string | undefined {
    return this.tokens.get(id)
  }
}

/** Either shape of vocabulary: `{ token: id }`, or Unigram's [token, score]. */
function modelTokens(vocab: unknown): Map<string, number> {
  if (!Array.isArray(vocab)) return new Map(Object.entries(vocab as Record<string, number>))
  return new Map(vocab.map(([token]: [string], id) => [token, id]))
}
