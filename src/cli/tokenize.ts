import { Command } from 'commander'
import { type Encoding, Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { withLineFeeds } from '../util/line-feeds.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'

interface Flags {
  pair?: string
  special: boolean
  offsets?: boolean
  count?: boolean
  json?: boolean
}

export function tokenizeCommand(): Command {
  const command = new Command('tokenize')
    .description('Tokenize a text and show its tokens and their ids.')
    .argument(
      '<tokenizer>',
      'a model folder, tokenizer.json, SentencePiece .model or .tiktoken file',
    )
    .argument('[text]', 'the text (default, or -: standard input)')
    .option('--pair <text>', 'a second text, for models that take pairs')
    .option('--no-special', 'do not add special tokens')
    .option('--offsets', 'print one line per token: offsets in the text, id, token')
    .option('--count', 'print only the number of tokens')
    .option('--json', 'print ids, tokens, offsets and types as JSON')
    .action(tokenize)
  return addExamples(
    command,
    'bookRun',
    ['npx heed tokenize runs/book "Call me" --offsets'],
    [
      'npx heed tokenize ./gpt2 --count < book.txt',
      'npx heed tokenize o200k_base.tiktoken "naïve 👍🏽"',
    ],
  )
}

async function tokenize(path: string, given: string | undefined, flags: Flags): Promise<void> {
  const tokenizer = await Tokenizer.fromFile(path)
  const text = given === undefined || given === '-' ? await standardInput() : given
  const { pair, special: addSpecialTokens } = flags
  if (flags.count && pair === undefined) {
    console.log(tokenizer.encode(text, { addSpecialTokens }).length)
    return
  }
  const encoding = tokenizer.encodeWithOffsets(text, { pair, addSpecialTokens })
  if (flags.count) console.log(encoding.ids.length)
  else if (flags.json) console.log(JSON.stringify(encoding))
  else if (flags.offsets) for (const line of table(encoding, [text, pair ?? ''])) console.log(line)
  else show(encoding, [text, pair ?? ''])
}

const COLOURS = [pc.bgBlue, pc.bgMagenta, pc.bgCyan, pc.bgGreen]

/** Prints the tokens in a row in alternating colours, then the ids. */
function show(encoding: Encoding, texts: string[]): void {
  const { ids } = encoding
  const pieces = ids.map((_, i) => piece(encoding, i, texts))
  const separator = pc.isColorSupported ? '' : '|'
  console.log(pieces.map((text, i) => COLOURS[i % COLOURS.length](text)).join(separator))
  console.log(pc.dim(ids.join(' ')))
  console.log(`${ids.length} tokens`)
}

function table(encoding: Encoding, texts: string[]): string[] {
  const { ids, offsets, tokens, sequenceIds } = encoding
  return ids.map((id, i) => {
    const [start, end] = offsets[i]
    const place = sequenceIds[i] === null ? '' : `${start}-${end}`
    const shown = `${place.padStart(13)}  ${String(id).padStart(7)}  ${visible(tokens[i])}`
    return sequenceIds[i] === null
      ? pc.dim(shown)
      : `${shown}  ${pc.dim(visible(piece(encoding, i, texts)))}`
  })
}

/** The text that a token covers; the token itself if it covers no text or only part of a character. */
function piece({ tokens, offsets, sequenceIds }: Encoding, i: number, texts: string[]): string {
  const sequence = sequenceIds[i]
  const [start, end] = offsets[i]
  const shared = [offsets[i - 1], offsets[i + 1]].some(
    (other) => other?.[0] === start && other[1] === end,
  )
  if (sequence === null || start === end || shared) return visible(tokens[i])
  return visible(texts[sequence].slice(start, end))
}

/** Replaces control characters, which could move the cursor. */
function visible(text: string): string {
  return text
    .replaceAll('\n', '⏎')
    .replaceAll('\t', '⇥')
    .replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '�')
}

async function standardInput(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new HeedError('invalid-option', 'A text to tokenize is required', {
      remedy: 'Give it after the tokenizer, or pipe it in: heed tokenize ./gpt2 < file.txt',
    })
  }
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return withLineFeeds(Buffer.concat(chunks).toString('utf8'))
}
