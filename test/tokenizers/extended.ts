// Tokenizers of test/fixtures/tokenizers, extended by pieces of biomedical sentences.
import { readFileSync } from 'node:fs'
import { extendTokenizer, Tokenizer } from '../../src/tokenizers/index.ts'

const read = (path: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8'))

export const sentences: string[] = read('biogpt_tokenizer/cases.json').sentences.map(
  ({ text }: { text: string }) => text,
)
export const bpeFixtures = ['llama2', 'llama3', 'odd', 'roberta'] as const

export function extendedFixture(name: (typeof bpeFixtures)[number]) {
  const { tokenizer, config } = read(`tokenizers/${name}.json`)
  const before = Tokenizer.fromJSON(tokenizer, config)
  return { before, extended: extendTokenizer(before, sentences, { pieces: 80 }) }
}
