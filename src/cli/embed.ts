import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import '../adapt/index.ts' // opens adapters, and attaches them
import { fileError } from '../io/files/file-error.ts'
import { SentenceEncoder } from '../models/index.ts'
import { HeedError } from '../util/errors.ts'
import { type AdapterFlags, adaptedBy, addAdapterFlags } from './adapter-flags.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { bar } from './text.ts'

interface Flags extends AdapterFlags {
  file?: string
  query?: string
}

export function embedCommand(): Command {
  const command = new Command('embed')
    .description('Embed texts as vectors, or rank them by similarity to a query.')
    .argument('<model>', 'the folder of a sentence-transformers model or of any encoder')
    .argument('[texts...]', 'texts')
    .option('--file <path>', 'a file with one text per line')
    .option('--query <text>', 'rank the texts by cosine similarity to this text instead')
    .addHelpText('after', OUTPUT)
    .action(embed)
  addAdapterFlags(command)
  return addExamples(
    command,
    'encoder',
    ['npx heed embed runs/words "some years ago" "call me" --query "years ago"'],
    [
      'npx heed embed ./all-MiniLM-L6-v2 "a white whale" "a stock exchange" --query "fish"',
      'npx heed embed ./all-MiniLM-L6-v2 --file sentences.txt > vectors.jsonl',
    ],
  )
}

const OUTPUT = `
Without --query, each text gives a line of JSON: { "text": …, "vector": […] }.`

async function embed(dir: string, given: string[], flags: Flags): Promise<void> {
  const { file, query } = flags
  const texts = [...given, ...(file === undefined ? [] : await linesOf(file))]
  if (texts.length === 0)
    throw new HeedError('invalid-option', 'At least one text to embed is required, got none', {
      remedy: 'Give texts after the model, or a file of texts with --file PATH.',
    })
  const encoder = await SentenceEncoder.fromPretrained(dir, adaptedBy(flags))
  const vectors = await encoder.embed(query === undefined ? texts : [query, ...texts])
  if (query === undefined) {
    texts.forEach((text, i) => {
      console.log(JSON.stringify({ text, vector: Array.from(vectors[i]) }))
    })
    return
  }
  const [queryVector, ...others] = vectors
  const ranked = others.map((vector, i) => ({ text: texts[i], score: cosine(queryVector, vector) }))
  for (const { text, score } of ranked.sort((a, b) => b.score - a.score))
    console.log(`${pc.cyan(bar(score, 10))} ${score.toFixed(4).padStart(7)}  ${text}`)
}

async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw fileError(error, 'read', path)
  })
  return text.split(/\r?\n/).filter((line) => line.trim() !== '')
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((n, v, i) => n + v * y[i], 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b) || 1)
}
