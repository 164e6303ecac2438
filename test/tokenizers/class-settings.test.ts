// What tokenizer_config.json changes of a tokenizer.json, as transformers 5.24 does it.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { savedTokenizerKeys, tokenizerAnswer } from '../../scripts/config-keys.ts'
import { autoClass } from '../../src/tokenizers/formats/auto-class.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

/** A tokenizer of a fixture with another config, beside the config.json of a model, and the warnings. */
async function opened(name: string, config: object, model?: object) {
  const file = JSON.parse(await readFile(join(FIXTURES, 'tokenizers', `${name}.json`), 'utf8'))
  const dir = join(await temporaryFolder(), name)
  await mkdir(dir)
  await writeFile(join(dir, 'tokenizer.json'), JSON.stringify(file.tokenizer ?? file))
  await writeFile(join(dir, 'tokenizer_config.json'), JSON.stringify(config))
  if (model) await writeFile(join(dir, 'config.json'), JSON.stringify(model))
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
    const config = {
      tokenizer_class: 'LlamaTokenizer',
      split_special_tokens: true,
      key_of_nobody: 1,
    }
    const { warnings } = await opened('llama2', config)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/split_special_tokens true, key_of_nobody/)
    const usual = { tokenizer_class: 'LlamaTokenizer', split_special_tokens: false, legacy: false }
    expect((await opened('llama2', usual)).warnings).toEqual([])
  })
})

/** All that a config can change. */
async function observed(name: string, config: object): Promise<unknown> {
  const { tokenizer } = await opened(name, config)
  const ids = tokenizer.encode("Héllo 你你 x你y <new>don ' t . [SEP]")
  const { specialTokens, vocabSize } = tokenizer
  const { tokenizer_class, model_max_length } = tokenizer.config
  const pads = { padTokenId: 0, maxLength: 4, truncation: 'longest_first' } as const
  const chat = [{ role: 'user', content: 'x' }]
  return {
    ids,
    text: [false, true].map((skipSpecialTokens) => tokenizer.decode(ids, { skipSpecialTokens })),
    batch: tokenizer.batch(['a', 'one two three four'], pads),
    chat: await tokenizer.applyChatTemplate(chat).catch(() => 'no template'),
    named: { specialTokens, vocabSize, tokenizer_class, model_max_length },
  }
}

describe('each key that is obeyed', () => {
  const bert = { tokenizer_class: 'BertTokenizer', do_lower_case: true }
  const gpt2 = { tokenizer_class: 'GPT2Tokenizer' }
  const cleans = { clean_up_tokenization_spaces: true }
  const insists = 'clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output'
  const special = (key: string): [string, object, object] => ['bert', bert, { [key]: '[X]' }]
  const changes: Record<string, [name: string, config: object, change: object]> = {
    added_tokens_decoder: ['bert', bert, { added_tokens_decoder: { 900: { content: '<new>' } } }],
    additional_special_tokens: ['bert', bert, { additional_special_tokens: ['<new>'] }],
    extra_special_tokens: ['bert', bert, { extra_special_tokens: ['<new>'] }],
    add_prefix_space: [
      'roberta',
      { tokenizer_class: 'RobertaTokenizer' },
      { add_prefix_space: true },
    ],
    chat_template: ['bert', bert, { chat_template: '{{ messages[0].content }}' }],
    clean_up_tokenization_spaces: ['bert', bert, cleans],
    [insists]: ['roberta', { ...gpt2, ...cleans }, { [insists]: true }],
    do_lower_case: ['bert', bert, { do_lower_case: false }],
    max_len: ['bert', bert, { max_len: 7 }],
    model_max_length: ['bert', bert, { model_max_length: 7 }],
    padding_side: ['bert', bert, { padding_side: 'left' }],
    strip_accents: ['bert', bert, { strip_accents: false }],
    tokenize_chinese_chars: ['bert', bert, { tokenize_chinese_chars: false }],
    tokenizer_class: [
      'bert',
      { ...bert, do_lower_case: false },
      { tokenizer_class: 'TokenizersBackend' },
    ],
    truncation_side: ['bert', bert, { truncation_side: 'left' }],
    ...Object.fromEntries(
      [
        'bos',
        'eos',
        'unk',
        'sep',
        'pad',
        'cls',
        'mask',
        'eot',
        'fill',
        'middle',
        'prefix',
        'suffix',
      ]
        .map((name) => `${name}_token`)
        .map((key) => [key, special(key)]),
    ),
  }

  it('is listed', () => {
    const { tokenizers } = savedTokenizerKeys()
    const obeyed = Object.values(tokenizers).flatMap((classes) =>
      Object.entries(classes).flatMap(([name, keys]) =>
        keys.filter((key) => tokenizerAnswer(key, name) === 'obeyed'),
      ),
    )
    const elsewhere = new Set(['separate_vocabs']) // marian.test.ts
    const missing = new Set(obeyed.filter((key) => !changes[key] && !elsewhere.has(key)))
    expect([...missing]).toEqual([])
  })

  it.each(Object.keys(changes))('%s', async (key) => {
    const [name, config, change] = changes[key]
    expect(await observed(name, { ...config, ...change })).not.toEqual(await observed(name, config))
  })
})

describe('the class of a folder that names none', () => {
  it('is that of transformers for each model_type', () => {
    for (const [model_type, name] of Object.entries(savedTokenizerKeys().autoClasses)) {
      const found = autoClass({}, { model_type })
      if (found !== undefined) expect(found, model_type).toBe(name)
      else expect(KNOWN, model_type).not.toContain(name)
    }
  })

  it('is that of config.json, and its settings count', async () => {
    const lowers = async (config: object, model?: object): Promise<unknown> =>
      (await opened('bert-cased', config, model)).tokenizer.toJSON().normalizer?.lowercase
    expect(await lowers({})).toBe(false) // as the tokenizer.json says
    expect(await lowers({}, { model_type: 'bert' })).toBe(true) // BERT's default
    expect(await lowers({ do_lower_case: false }, { model_type: 'bert' })).toBe(false)
    expect(await lowers({}, { tokenizer_class: 'BertTokenizer' })).toBe(true)
    // This family reads tokenizer.json as it is, whatever class is named.
    expect(await lowers({ tokenizer_class: 'BertTokenizer' }, { model_type: 'modernbert' })).toBe(
      false,
    )
    const qwen = autoClass({ tokenizer_class: 'LlamaTokenizer' }, { model_type: 'qwen2' })
    expect(qwen).toBe('Qwen2Tokenizer')
  })
})

/** The classes whose settings are known here. */
const KNOWN = [
  ...['BertTokenizer', 'CamembertTokenizer', 'FunnelTokenizer', 'GemmaTokenizer', 'GPT2Tokenizer'],
  ...['GPTNeoXTokenizer', 'LlamaTokenizer', 'MobileBertTokenizer', 'MPNetTokenizer'],
  ...['OpenAIGPTTokenizer', 'Qwen2Tokenizer', 'RobertaTokenizer', 'T5Tokenizer'],
  ...['TokenizersBackend', 'XLMRobertaTokenizer'],
]
