import { type GenerateOptions, generate, generateBatch } from '../generate/index.ts'
import type { CausalLM } from '../models/index.ts'
import { forOneOrMany } from './batches.ts'
import type { Parts } from './pipeline.ts'

export interface WriteTextOptions extends Omit<GenerateOptions, 'decoder'> {
  /** Whether the prompt comes before what was written. Default true. */
  returnFullText?: boolean
  /** Told each piece as it comes; several texts are then written one after the other. */
  onText?: (piece: string) => void
}

export interface Written {
  generated_text: string
}

/** Goes on with a text: a list of one for one text, such a list for each of several. */
export interface TextGeneration {
  (text: string, options?: WriteTextOptions): Promise<Written[]>
  (texts: readonly string[], options?: WriteTextOptions): Promise<Written[][]>
}

export function textGeneration({ model, tokenizer }: Parts<CausalLM>): TextGeneration {
  const write = (input: string | readonly string[], options: WriteTextOptions = {}) => {
    const { returnFullText = true, onText, ...rest } = options
    const shown = (text: string, more: string): Written[] => [
      { generated_text: returnFullText ? text + more : more },
    ]
    return forOneOrMany(input, async (texts) => {
      if (texts.length > 1 && !onText) {
        const more = await generateBatch(model, tokenizer, texts, rest)
        return texts.map((text, i) => shown(text, more[i]))
      }
      const all: Written[][] = []
      for (const text of texts) {
        let written = ''
        for await (const piece of generate(model, tokenizer, text, rest)) {
          onText?.(piece)
          written += piece
        }
        all.push(shown(text, written))
      }
      return all
    })
  }
  return write as TextGeneration
}
