import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Tokenizer, trainTokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

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
      expect.objectContaining({
        code: 'unknown-name',
        details: expect.objectContaining({ try: { 'chat template': ['default', 'tool_use'] } }),
      }),
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
    expect(tokenizer.specialTokens).toEqual({ bos_token: 'b', eos_token: '<|endoftext|>' })
  })

  it('write dates in English', async () => {
    const text = await withTemplate("{{ strftime_now('%d %b %Y %%') }}").applyChatTemplate(chat)
    expect(text).toMatch(/^\d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} %$/)
  })

  it.each([
    ["{{ raise_exception('roles must alternate') }}", /refuses the messages: roles must alternate/],
    ['{{ nothing() }}', /The chat template failed/],
    ['{% if %}', /The chat template failed/],
    ['{% for x in messages %}', /The chat template failed/],
  ])('%s fails with a reason', async (template, reason) => {
    const asked = withTemplate(template).applyChatTemplate(chat)
    await expect(asked).rejects.toThrow(HeedError)
    await expect(withTemplate(template).applyChatTemplate(chat)).rejects.toThrow(reason)
  })

  it('are asked for where there are none', async () => {
    await expect(withTemplate(undefined).applyChatTemplate(chat)).rejects.toThrow(
      'must have a default chat template, got none',
    )
    await expect(
      withTemplate([{ name: 'rag', template: 'x' }]).applyChatTemplate(chat),
    ).rejects.toThrow('only rag')
    const noRole = [{ content: 'x' }] as never
    await expect(withTemplate(CHATML).applyChatTemplate(noRole)).rejects.toThrow(
      '`messages[0].role` must be a string',
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
