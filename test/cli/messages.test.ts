// Mistakes on the command line: one message that says what must be, what was given and what to do.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heed } from './in-process.ts'

/** Commands hold this text in the place of the temporary folder's path. */
const path = (name: string): string => `@/${name}`
const train = ['train', 'gpt2', '--data', path('text.txt'), '--out', path('run')]
const fixture = (name: string): string => join(FIXTURES, name)

it.each<[what: string, words: string[], message: RegExp]>([
  ['an empty folder has nothing to verify', ['verify', path('empty')], /empty.*config\.json/], // biome-ignore format: one line
  ['a file has nothing to verify', ['verify', path('text.txt')], /text\.txt.*got a file/], // biome-ignore format: one line
  ['a missing folder', ['verify', path('none')], /none.*got no folder/],
  ['missing data of any ending', ['data', path('none')], /\/none\b/],
  ['missing data of an unknown ending', ['data', path('none.foo')], /none\.foo\b/],
  ['an empty name', ['chat', ''], /model folder ''/],
  ['an empty name of a folder to write', [...train.slice(0, -1), ''], /folder ''/],
  ['a file in a missing folder', ['predict', fixture('pipelines/sequence'), '--text', 'a', '--out', path('none/x.csv')], /none\/x\.csv.*folder/], // biome-ignore format: one line
  ['help for an unknown command', ['help', 'trian'], /'trian'\n.*\btrain\?/],
  ['too many rows in a batch', [...train, '--batch', '1e9'], /--batch\b.*1048576.*got 1000000000/], // biome-ignore format: one line
  ['too many rows in a batch to measure', ['bench', 'small', '--batch', '1e9'], /--batch\b.*\d+.*, got 1000000000\n.*--batch \d/], // biome-ignore format: one line
  ['a value that several checks refuse', [...train, '--seed', '1e20'], /^\S+ --seed .*4294967295, got 100000000000000000000\n$/], // biome-ignore format: one line
  ['a size that no model has', [...train, '--dim', '1e9'], /`n_embd` .*16777216, got 1000000000\n.*\n$/], // biome-ignore format: one line
  ['a number that is not finite', [...train, '--lr', '1e999'], /--lr\b.*finite/],
  ['a count below its least value', ['eval', path('run'), '--limit', '-1'], /--limit\b[\s\S]*\b1\b/], // biome-ignore format: one line
  ['a setting of generation', ['generate', fixture('gguf/llama.gguf'), '--prompt', 'a', '--repetition-penalty', '0'], /--repetition-penalty .*0, got 0/], // biome-ignore format: one line
  ['too many beams', ['generate', fixture('gguf/llama.gguf'), '--prompt', 'a', '--beams', '1e5'], /--beams .*1024, got 100000/], // biome-ignore format: one line
  ['a pattern of nothing', ['generate', fixture('gguf/llama.gguf'), '--prompt', 'a', '--regex', ''], /pattern.*empty text/], // biome-ignore format: one line
  ['a model that classifies', ['generate', fixture('pipelines/sequence'), '--prompt', 'a'], /classify[\s\S]*heed predict/], // biome-ignore format: one line
  ['a model without a head', ['translate', fixture('pipelines/sequence'), 'a'], /translate.*It can: .*fill masks/], // biome-ignore format: one line
])('%s', async (_, words, message) => {
  const at = await temporaryFolder()
  mkdirSync(join(at, 'empty'))
  writeFileSync(join(at, 'text.txt'), 'Call me Ishmael. '.repeat(200))
  const { mistake, code } = await heed(...words.map((word) => word.replace(/^@/, at)))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
  expect(mistake.replaceAll(/\u001b\[\d+m/g, '')).toMatch(message)
  expect(mistake).not.toMatch(/\n\s+at |internal error/)
  expect(code).toBe(2)
})
