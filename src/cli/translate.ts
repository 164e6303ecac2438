import { Command } from 'commander'
import { pipeline, type TextToTextOptions } from '../pipelines/index.ts'
import { invalidOption } from '../util/errors.ts'
import { type AdapterFlags, adaptedBy, addAdapterFlags } from './adapter-flags.ts'
import { addExamples } from './examples.ts'
import { inputLines } from './input-lines.ts'
import { collected, number, positive } from './options.ts'

interface Flags extends AdapterFlags {
  beams?: number
  tokens?: number
  lengthPenalty?: number
  stop?: string[]
  to?: string
  batch: number
}

export function translateCommand(): Command {
  const command = new Command('translate')
    .description('Translate texts or lines of standard input; a short form of heed predict.')
    .argument('<model>', 'a model folder')
    .argument('[texts...]', 'texts (default, or -: lines of standard input)')
    .option(
      '--beams <number>',
      'width of the beam search (default: as in generation_config.json)',
      positive,
    )
    .option('--tokens <number>', 'maximum number of tokens in a translation', positive)
    .option(
      '--length-penalty <number>',
      'exponent of the length in beam scores; above 0 favours long translations',
      number,
    )
    .option('--stop <text>', 'stop before this text or special token; repeatable', collected)
    .option(
      '--to <code>',
      'target language, for multilingual models: fra puts >>fra<< before each text',
    )
    .option('--batch <number>', 'number of texts in a batch', positive, 8)
    .action(translate)
  addAdapterFlags(command)
  return addExamples(
    command,
    'pairs',
    ['npx heed translate runs/german "the cat" "the dog"'],
    [
      'npx heed translate ./opus-mt-en-de "The cat sat on the mat."',
      'npx heed translate ./opus-mt-en-de < book.txt > buch.txt',
    ],
  )
}

async function translate(dir: string, texts: string[], flags: Flags): Promise<void> {
  const { beams, tokens: maxTokens, lengthPenalty, stop: stopStrings, to, batch } = flags
  if (to !== undefined && !/^[A-Za-z_]{2,20}$/.test(to))
    throw invalidOption({ key: 'to', value: to, expected: 'a language code such as fra' })
  const translator = await pipeline('translation', dir, adaptedBy(flags))
  const stop = new AbortController()
  const interrupt = (): void => stop.abort()
  process.once('SIGINT', interrupt)
  const options: TextToTextOptions = { batchSize: batch, signal: stop.signal, stop: stopStrings }
  if (beams !== undefined) options.beams = beams
  if (maxTokens !== undefined) options.maxTokens = maxTokens
  if (lengthPenalty !== undefined) options.lengthPenalty = lengthPenalty
  const marked = (text: string): string => (to === undefined ? text : `>>${to}<< ${text}`)
  const fromInput = texts.length === 0 || (texts.length === 1 && texts[0] === '-')
  try {
    for await (const lines of inGroups(fromInput ? inputLines() : texts, batch)) {
      const full = lines.filter((line) => line.trim() !== '')
      const translations = await translator(full.map(marked), options)
      const next = translations.values()
      const out = lines.map((line) => {
        return line.trim() === '' ? '' : (next.next().value?.translation_text ?? '')
      })
      process.stdout.write(`${out.join('\n')}\n`)
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    process.off('SIGINT', interrupt)
  }
}

/** Groups `size` lines; lines typed at a terminal are translated one at a time. */
async function* inGroups(
  lines: Iterable<string> | AsyncIterable<string>,
  size: number,
): AsyncGenerator<string[]> {
  const groupSize = process.stdin.isTTY ? 1 : size
  let group: string[] = []
  for await (const line of lines) {
    group.push(line)
    if (group.length < groupSize) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
