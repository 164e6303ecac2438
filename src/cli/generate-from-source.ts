// `heed generate` with an encoder-decoder model: the prompt is the input of the encoder.
import { generateSeq2SeqText, type Seq2SeqTextOptions } from '../generate/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { openModel } from './open-model.ts'
import type { WritingFlags } from './writing-flags.ts'

/** Yields the pieces of text for standard output. */
export async function* piecesFromSource(
  dir: string,
  target: Tokenizer,
  flags: WritingFlags & { prompt: string },
  options: Omit<Seq2SeqTextOptions, 'decoder' | 'beams'>,
): AsyncGenerator<string> {
  const { prompt, beams, draft, lookup, logprobs } = flags
  if (draft !== undefined || lookup || logprobs !== undefined)
    throw new HeedError(
      'unsupported',
      'An encoder-decoder model does not support --draft, --lookup and --logprobs',
      { remedy: 'Omit these flags.' },
    )
  const model = await openModel(dir, 'seq2seq-lm', flags)
  const tokenizer = await Tokenizer.fromFile(dir)
  const source = tokenizer.encode(prompt)
  yield* generateSeq2SeqText(model, target, source, { ...options, beams })
  yield '\n'
}
