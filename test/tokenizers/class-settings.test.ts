// What tokenizer_config.json changes of a tokenizer.json, as transformers 5.24 does it.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

/** A tokenizer of a fixture with another config, and the warnings. */
async function opened(name: string, config: object) {
  const file = JSON.parse(await readFile(join(FIXTURES, 'tokenizers', `${name}.json`), 'utf8'))
  const dir = join(await temporaryFolder(), name)
  await mkdir(dir)
  await writeFile(join(dir, 'tokenizer.json'), JSON.stringify(file.tokenizer ?? file))
  await writeFile(join(dir, 'tokenizer_config.json'), JSON.stringify(config))
  const spy = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const tokenizer = await Tokenizer.fromFile(dir)
  const warnings = spy.mock.calls.map(([text]) => String(text))
  spy.mockRestore()
  return { tokenizer, warnings }
}

const normalizer = (lowercase: boolean, strip_accents: boolean | null, chinese = true): object => ({
  type: 'BertNormalizer',
  clean_text: true,
  handle_chinese_chars: chinese,
  strip_accents,
  lowercase,
})

describe('the settings of a class', () => {
  const bert = { tokenizer_class: 'BertTokenizer' }
  const cases: [string, object, object][] = [
    ['bert', bert, normalizer(true, null)],
    ['bert', { ...bert, do_lower_case: false }, normalizer(false, null)],
    ['bert', { ...bert, strip_accents: false }, normalizer(true, false)],
    ['bert', { ...bert, tokenize_chinese_chars: false }, normalizer(true, null, false)],
    ['bert-cased', bert, normalizer(true, null)],
    ['bert-cased', { tokenizer_class: 'DistilBertTokenizerFast', do_lower_case: false }, normalizer(false, null)], // biome-ignore format: one line
    ['bert-cased', { tokenizer_class: 'PreTrainedTokenizerFast', do_lower_case: true }, normalizer(false, true)], // biome-ignore format: one line
    ['bert-cased', {}, normalizer(false, true)],
  ]
  it.each(cases)('of %s with %j make its normalizer', async (name, config, expected) => {
    const { tokenizer, warnings } = await opened(name, config)
    expect(tokenizer.toJSON().normalizer).toEqual(expected)
    expect(warnings).toEqual([])
  })

  it('put a space before texts where RoBERTa asks for it', async () => {
    const ids = async (config: object): Promise<number[]> =>
      (await opened('roberta', { tokenizer_class: 'RobertaTokenizer', ...config })).tokenizer.encode('Hello') // biome-ignore format: one line
    const plain = await ids({})
    expect(await ids({ add_prefix_space: false })).toEqual(plain)
    expect(await ids({ add_prefix_space: true })).not.toEqual(plain)
  })

  it('that are not applied are named in a warning', async () => {
    const config = { tokenizer_class: 'LlamaTokenizer', split_special_tokens: true, truncation_side: 'left' } // biome-ignore format: one line
    const { warnings } = await opened('llama2', config)
    expect(warnings.join()).toMatch(/split_special_tokens true, truncation_side "left"/)
    const usual = { tokenizer_class: 'LlamaTokenizer', split_special_tokens: false, legacy: false }
    expect((await opened('llama2', usual)).warnings).toEqual([])
  })
})
