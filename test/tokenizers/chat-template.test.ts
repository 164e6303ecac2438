import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Tokenizer, trainTokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

const CHATML =
  "{{ bos_token }}{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + " +
  "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

const base = trainTokenizer(['some words, some more'], { type: 'bpe', vocabSize: 270 }).toJSON()
const chat = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Who are you?' },
]

function withTemplate(chat_template: unknown, config: object = {}): Tokenizer {
  return Tokenizer.fromJSON(base, { chat_template, bos_token: '<|endoftext|>', ...config })
}

describe('chat templates', () => {
  it('write the messages with the special tokens of the tokenizer', async () => {
    expect(await withTemplate(CHATML).applyChatTemplate(chat, { addGenerationPrompt: true })).toBe(
      '<|endoftext|><|im_start|>system\nBe brief.<|im_end|>\n' +
        '<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n',
    )
    expect(await withTemplate(CHATML).applyChatTemplate(chat)).not.toContain('assistant')
  })

  it('are chosen by name, by tools, or given', async () => {
    const tokenizer = withTemplate([
      { name: 'default', template: 'plain' },
      { name: 'tool_use', template: '{{ tools | tojson }}' },
    ])
    const tools = [{ name: 'look' }]
    expect(await tokenizer.applyChatTemplate(chat)).toBe('plain')
    expect(await tokenizer.applyChatTemplate(chat, { tools })).toBe('[{"name": "look"}]')
    expect(await tokenizer.applyChatTemplate(chat, { chatTemplate: 'tool_use', tools })).toContain(
      'look',
    )
    const chatTemplate = '{{ messages | length }} {{ mood }}'
    const variables = { mood: 'good' }
    expect(await tokenizer.applyChatTemplate(chat, { chatTemplate, variables })).toBe('2 good')
    await expect(tokenizer.applyChatTemplate(chat, { chatTemplate: 'default2' })).rejects.toThrow(
      heedError('unknown-name', { try: { 'chat template': ['default', 'tool_use'] } }),
    )
  })

  it('come from chat_template.jinja, and special tokens from special_tokens_map.json', async () => {
    const folder = join(await temporaryFolder(), 'model')
    await mkdir(folder)
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(base))
    await writeFile(join(folder, 'chat_template.jinja'), '{{ eos_token }}{{ messages[0].role }}')
    const map = { eos_token: { content: '<|endoftext|>' }, bos_token: 'a' }
    await writeFile(join(folder, 'special_tokens_map.json'), JSON.stringify(map))
    await writeFile(join(folder, 'tokenizer_config.json'), '{"bos_token": "b"}')
    const tokenizer = await Tokenizer.fromFile(folder)
    expect(await tokenizer.applyChatTemplate(chat)).toBe('<|endoftext|>system')
    expect(tokenizer.specialTokens).toEqual({ bos_token: 'a', eos_token: '<|endoftext|>' })
  })

  it('get None for tools and documents, as in Python', async () => {
    const template =
      '{% if tools is not none %}TOOLS{% endif %}{{ documents is none }}{{ documents is defined }}{{ tools }}'
    expect(await withTemplate(template).applyChatTemplate(chat)).toBe('TrueTrueNone')
    const documents = [{ title: 'T', text: 'x' }]
    const listed = '{% for d in documents %}{{ d.title }}: {{ d.text }}{% endfor %}'
    expect(await withTemplate(listed).applyChatTemplate(chat, { documents })).toBe('T: x')
  })

  it('get messages without keys that are null, and reasoning under all its names', async () => {
    const template =
      "{% for m in messages %}{{ 'tool_calls' in m }}{{ m.thinking }}{{ m.reasoning_content }}{% endfor %}"
    const messages = [{ role: 'assistant', content: 'x', tool_calls: null, reasoning: 'r' }]
    expect(await withTemplate(template).applyChatTemplate(messages)).toBe('Falserr')
  })

  it('can end within the last message', async () => {
    const messages = [...chat, { role: 'assistant', content: 'I am ' }]
    const continueFinalMessage = true
    const text = await withTemplate(CHATML).applyChatTemplate(messages, { continueFinalMessage })
    expect(text.endsWith('<|im_start|>assistant\nI am ')).toBe(true)
    const trimming = '{{ messages[-1].content | trim }}<end>'
    const trimmed = withTemplate(trimming)
    expect(await trimmed.applyChatTemplate(messages, { continueFinalMessage })).toBe('I am')
    const parts = [{ role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'image' }] }]
    const inParts = withTemplate('{{ messages[0].content[0].text }}!')
    expect(await inParts.applyChatTemplate(parts, { continueFinalMessage })).toBe('a')
    await expect(
      withTemplate('nothing').applyChatTemplate(messages, { continueFinalMessage }),
    ).rejects.toThrow(heedError('invalid-data', { key: 'continueFinalMessage' }))
    await expect(
      trimmed.applyChatTemplate([{ role: 'user' }], { continueFinalMessage }),
    ).rejects.toThrow(heedError('invalid-option', { key: 'continueFinalMessage' }))
    await expect(
      trimmed.applyChatTemplate(messages, { continueFinalMessage, addGenerationPrompt: true }),
    ).rejects.toThrow(heedError('invalid-option', { key: 'continueFinalMessage', value: true }))
  })

  it('write dates in English', async () => {
    const text = await withTemplate("{{ strftime_now('%d %b %Y %%') }}").applyChatTemplate(chat)
    expect(text).toMatch(/^\d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} %$/)
  })

  it.each([
    ["{{ raise_exception('no turns') }}", 'messages', 'no turns'],
    ['{{ nothing() }}', 'chat_template', "'nothing'"],
    ['{% if %}', 'chat_template', 'statement'],
    ['{% for x in messages %}', 'chat_template', "'endfor'"],
  ])('%s fails with a reason', async (template, key, mentions) => {
    const asked = withTemplate(template).applyChatTemplate(chat)
    await expect(asked).rejects.toThrow(heedError('invalid-data', { key, mentions }))
  })

  it('are asked for where there are none', async () => {
    await expect(withTemplate(undefined).applyChatTemplate(chat)).rejects.toThrow(
      heedError('unsupported', { key: 'chatTemplate' }),
    )
    await expect(
      withTemplate([{ name: 'rag', template: 'x' }]).applyChatTemplate(chat),
    ).rejects.toThrow(heedError('unsupported', { key: 'chatTemplate', mentions: 'rag' }))
    const noRole = [{ content: 'x' }] as never
    await expect(withTemplate(CHATML).applyChatTemplate([])).rejects.toThrow(
      heedError('invalid-option', { key: 'messages', value: [] }),
    )
    await expect(withTemplate(CHATML).applyChatTemplate(noRole)).rejects.toThrow(
      heedError('invalid-option', { key: 'messages[0].role' }),
    )
  })
})

// Each of these would run for hours, or take all memory.
describe('a hostile chat template ends', () => {
  const loop = (depth: number, body: string, range = 'range(50000)') =>
    Array.from({ length: depth }, (_, i) => `{% for i${i} in ${range} %}`).join('') +
    body +
    '{% endfor %}'.repeat(depth)
  const doubling = "{% set n = namespace(x='abcdefgh') %}"
  it.each([
    ['loops in loops', loop(6, 'x')],
    ['empty loops in loops', loop(6, '')],
    ['a range without end', '{% for i in range(10000000000000) %}x{% endfor %}'],
    ['a backward range', '{% for i in range(0, -10000000000000, -1) %}x{% endfor %}'],
    ['a macro that calls itself', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
    [
      'a macro that calls itself twice',
      '{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}',
    ],
    ['a text that doubles', `${doubling + loop(1, '{% set n.x = n.x ~ n.x %}')}{{ n.x }}`],
    [
      'a list that doubles',
      `{% set n = namespace(x=[1, 2]) %}${loop(1, '{% set n.x = n.x + n.x %}')}`,
    ],
    ['replacing all by all', doubling + loop(1, "{% set n.x = n.x | replace('a', n.x) %}")],
    ['a wide indent', "{{ 'a\nb' | indent(1000000000000) }}"],
    ['a loop that finds nothing', '{% for i in range(99999) if i in range(99999) %}{% endfor %}'],
    ['lists of long texts', "{{ range(100000)|map('center', 100000)|list|length }}"],
    [
      'a list that keeps long texts',
      "{% set n = namespace(l=[]) %}{% for i in range(1000) %}{% set n.l = n.l + ['x' * 100000 ~ i] %}{% endfor %}",
    ],
    [
      'macros that hold long texts',
      "{% macro f(n, x) %}{% if n %}{{ f(n - 1, 'x' * 1000000 ~ n) }}{{ x|length }}{% endif %}{% endmacro %}{{ f(100, '') }}",
    ],
    [
      'generators that hold long texts',
      "{% set n = namespace(l=[]) %}{% for i in range(1000) %}{% set n.l = n.l + [('x' * 1000000)|map('upper')] %}{% endfor %}",
    ],
    ['a long text', "{% for i in range(1000) %}{{ 'x' * 100000 }}{% endfor %}"],
    ['a large power', '{{ 9 ** (9 ** 9) }}'],
    [
      'large products',
      `{% set n = namespace(x=10 ** 4000) %}${loop(1, '{% set n.x = n.x * n.x %}')}`,
    ],
    ['a wide format', "{{ '%1000000000d' % 1 }}"],
    ['a wide field', "{{ '{:>1000000000}'.format(1) }}"],
    [
      'a slow search',
      "{% set a = 'a' * 10000000 %}{% set b = 'b' ~ 'a' * 100000 %}{% for i in range(1000) %}{{ b in a }}{% endfor %}",
    ],
    ['a text repeated', "{{ 'ab' * 1000000000000 }}"],
    ['a list repeated', '{{ [1] * 1000000000 }}'],
    ['joining', "{{ (('a' * 10000000) ~ '').join('b' * 100) }}"],
    ['tojson of one list many times', "{% set a = ['x' * 1000000] %}{{ ([a] * 1000)|tojson }}"],
    ['filling', "{{ [1]|batch(1000000000, 'x')|list|length }}"],
    ['wrapping', "{{ ('a ' * 5000000)|wordwrap(1) }}"],
    ['deep nesting', '{% if true %}'.repeat(18_000) + '{% endif %}'.repeat(1)],
    ['deep brackets', `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`],
    ['a million characters', 'x'.repeat(1_000_000)],
    ['a run of spaces', `${' '.repeat(200_000)}{% generation %}`],
  ])('%s', async (_, template) => {
    await expect(withTemplate(template).applyChatTemplate(chat)).rejects.toThrow(HeedError)
  })

  it('a long honest chat is far from the limit', async () => {
    const message = { role: 'user', content: 'A sentence of some length, again. '.repeat(100) }
    const messages = Array.from({ length: 1000 }, () => message)
    const text = await withTemplate(CHATML).applyChatTemplate(messages)
    expect(text.length).toBeGreaterThan(3_000_000)
  })
})
