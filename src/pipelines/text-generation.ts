import { type GenerateOptions, generate, generateSeveral } from '../generate/index.ts'
import type { CausalLM } from '../models/index.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { forOneOrMany, isText } from './text-examples.ts'

export interface WriteTextOptions extends Omit<GenerateOptions, 'decoder'> {
  /** Put the prompt before the generated text. Default true. */
  returnFullText?: boolean
  /** Called with each piece of text as it is generated; several texts are then generated one after the other. */
  onText?: (piece: string) => void
}

export interface Written {
  generated_text: string
}

/** Continues a text: a list of one (or `num_return_sequences`) for one text, such a list for each of several texts. */
export interface TextGeneration {
  (text: string, options?: WriteTextOptions): Promise<Written[]>
  (texts: readonly string[], options?: WriteTextOptions): Promise<Written[][]>
}

export function textGeneration({ model, tokenizer }: ModelWithTokenizer<CausalLM>): TextGeneration {
  const write = (input: string | readonly string[], options: WriteTextOptions = {}) => {
    const { returnFullText = true, onText, ...rest } = options
    const resultOf = (text: string, more: string): Written => ({
      generated_text: returnFullText ? text + more : more,
    })
    return forOneOrMany(input, isText, async (texts) => {
      if (!onText) {
        const several = await generateSeveral(model, tokenizer, texts, rest)
        return texts.map((text, i) => several[i].map((more) => resultOf(text, more)))
      }
      const all: Written[][] = []
      for (const text of texts) {
        let written = ''
        for await (const piece of generate(model, tokenizer, text, rest)) {
          onText?.(piece)
          written += piece
        }
        all.push([resultOf(text, written)])
      }
      return all
    })
  }
  return write as TextGeneration
}
