// `heed generate --logprobs`: one line of JSON per token.
import { type GenerateOptions, generateTextSteps, logProbabilities } from '../generate/index.ts'
import type { CausalLM } from '../models/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'

export async function* tokenLines(
  model: CausalLM,
  tokenizer: Tokenizer,
  prompt: string,
  top: number,
  options: GenerateOptions,
): AsyncGenerator<string> {
  const shown = ({ token, logprob }: { token: number; logprob: number }) => ({
    id: token,
    token: tokenizer.decode([token]),
    logprob: Number(logprob.toFixed(5)),
  })
  for await (const { token, logits } of generateTextSteps(model, tokenizer, prompt, options)) {
    const all = logProbabilities(logits, token, top)
    yield `${JSON.stringify({ ...shown(all), ...(top > 0 && { top: all.top.map(shown) }) })}\n`
  }
}
