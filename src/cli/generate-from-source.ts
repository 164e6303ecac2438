// `heed generate` with an encoder-decoder model: the prompt is the input of the encoder.
import {
  type GenerateOptions,
  generationDefaults,
  seq2SeqBeams,
  seq2SeqSteps,
} from '../generate/index.ts'
import { StopStrings } from '../generate/stop-strings.ts'
import { TextWriter } from '../generate/text-writer.ts'
import { fromPretrained } from '../models/index.ts'
import { quantize } from '../nn/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import type { WritingFlags } from './writing-flags.ts'

/** The pieces of text for standard output. */
export async function* piecesFromSource(
  dir: string,
  target: Tokenizer,
  { prompt, beams, draft, lookup, logprobs, quantize: format }: WritingFlags & { prompt: string },
  { drafter: _, decoder: __, ...options }: GenerateOptions,
): AsyncGenerator<string> {
  if (draft !== undefined || lookup || logprobs !== undefined)
    throw new HeedError(
      'unsupported',
      'An encoder-decoder model does not support --draft, --lookup and --logprobs',
      { remedy: 'Leave them out.' },
    )
  const model = await fromPretrained(dir, 'seq2seq-lm')
  if (format) await quantize(model, format)
  const tokenizer = await Tokenizer.fromFile(dir)
  const defaults = await generationDefaults(dir)
  const end = target.eosTokenId
  const ends = defaults.stopTokens.length > 0 || end === undefined ? defaults.stopTokens : [end]
  const maxTokens = Math.min(options.maxTokens ?? defaults.maxTokens, model.contextLength - 1)
  const processors = [...defaults.processors(maxTokens), ...(options.processors ?? [])]
  const settings = { ...options, maxTokens, processors, stopTokens: ends }
  const source = tokenizer.encode(prompt)
  if (beams !== undefined) {
    const [[best]] = await seq2SeqBeams(model, [source], { ...settings, beams })
    const text = new StopStrings(options.stop ?? [])
    const decoded = target.decode(best.tokens, { skipSpecialTokens: true })
    return yield `${text.push(decoded)}${text.end()}\n`
  }
  const writer = new TextWriter(target, options.stop)
  for await (const { token } of seq2SeqSteps(model, source, settings)) {
    const piece = writer.push(token)
    if (piece) yield piece
    if (writer.stopped) break
  }
  yield `${writer.end()}\n`
}
