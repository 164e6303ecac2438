import type { WordModel } from '../encode/steps.ts'
import type { AddedTokenJson } from './tokenizer-json.ts'

/** The tokens of a model with their ids. */
export type ModelTokens = Pick<WordModel, 'vocab' | 'size'>

/** A token without its id, which the vocabulary gives it. */
export type NewToken = Omit<AddedTokenJson, 'id'>

/**
 * Tokens added to those of a model, with the same ids as in Python's `tokenizers`: a token in the vocabulary keeps its
 * id; others get the next ids in insertion order.
 */
export class AddedVocabulary {
  private readonly model: ModelTokens
  private readonly byContent = new Map<string, AddedTokenJson>()

  constructor(model: ModelTokens) {
    this.model = model
  }

  /** Added tokens, sorted by id. */
  get tokens(): AddedTokenJson[] {
    return [...this.byContent.values()].sort((a, b) => a.id - b.id)
  }

  get(content: string): AddedTokenJson | undefined {
    return this.byContent.get(content)
  }

  /** Adds tokens. A special token remains special. */
  add(tokens: Iterable<NewToken>): void {
    let next: number | undefined
    for (const token of tokens) {
      const { content } = token
      if (content === '') continue
      const before = this.byContent.get(content)
      let id = before?.id ?? this.model.vocab.get(content)
      if (id === undefined) {
        id = next ?? this.nextId()
        next = id + 1
      }
      this.byContent.set(content, { ...(before?.special ? asSpecial(token) : token), id })
    }
  }

  /**
   * The number of tokens of the model, or one more than the last added id. If the model has unused ids, this may be the
   * id of another token, as in Python.
   */
  private nextId(): number {
    const last = this.tokens.at(-1)?.id ?? -1
    const size = this.model.size ?? this.model.vocab.size
    return last >= size ? last + 1 : size
  }
}

function asSpecial(token: NewToken): NewToken {
  return { ...token, normalized: token.normalized ?? !token.special, special: true }
}
