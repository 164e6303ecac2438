import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { fileError } from '../io/files/file-error.ts'
import { SentenceEncoder } from '../models/index.ts'
import { HeedError } from '../util/errors.ts'
import { pc } from './colors.ts'
import { bar } from './text.ts'

interface Flags {
  file?: string
  query?: string
}

export function embedCommand(): Command {
  return new Command('embed')
    .description(
      'Embed texts as vectors, or rank them by similarity to a query (short for heed predict).',
    )
    .argument('<model>', 'a folder of sentence-transformers, or any encoder')
    .argument('[texts...]', 'texts')
    .option('--file <path>', 'a file with a text on each line')
    .option('--query <text>', 'rank the texts by their cosine with this text instead')
    .addHelpText(
      'after',
      `
Without --query, each text gives a line of JSON: { "text": …, "vector": […] }.

Examples:
  $ heed embed ./all-MiniLM-L6-v2 "a white whale" "a stock exchange" --query "fish"
  $ heed embed ./all-MiniLM-L6-v2 --file sentences.txt > vectors.jsonl`,
    )
    .action(embed)
}

async function embed(dir: string, given: string[], { file, query }: Flags): Promise<void> {
  const texts = [...given, ...(file === undefined ? [] : await linesOf(file))]
  if (texts.length === 0)
    throw new HeedError('invalid-option', 'The texts to embed must be at least one, got none', {
      remedy: 'Name texts, or a file of them with --file PATH.',
    })
  const encoder = await SentenceEncoder.fromPretrained(dir)
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
