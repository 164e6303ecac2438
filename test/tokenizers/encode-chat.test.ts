// Which tokens of a conversation the assistant writes, and the templates for base models.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Tokenizer, trainTokenizer, withChatTemplate } from '../../src/tokenizers/index.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

const base = trainTokenizer(['some words, some more, and an answer'], { type: 'bpe', vocabSize: 280 }) // biome-ignore format: one line
const conversation = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Who are you?' },
  { role: 'assistant', content: 'An assistant.' },
  { role: 'user', content: 'Thanks' },
  { role: 'assistant', content: 'Welcome!' },
]

/** The texts that the assistant writes. */
async function writtenIn(tokenizer: Tokenizer, messages = conversation): Promise<string[]> {
  const { ids, written } = await tokenizer.encodeChat(messages)
  const spans: number[][] = []
  ids.forEach((id, i) => {
    if (!written[i]) return
    if (i === 0 || !written[i - 1]) spans.push([])
    spans.at(-1)?.push(id)
  })
  return spans.map((span) => tokenizer.decode(span))
}

const withTemplate = (chat_template: string): Tokenizer =>
  Tokenizer.fromJSON(base.toJSON(), { chat_template, eos_token: '<|endoftext|>' })

describe('the tokens that the assistant writes', () => {
  it('are its answers with the token that ends each', async () => {
    const chatml = await withChatTemplate(base, 'chatml')
    expect(await writtenIn(chatml)).toEqual(['An assistant.<|im_end|>', 'Welcome!<|im_end|>'])
    const llama3 = await withChatTemplate(base, 'llama3')
    expect(await writtenIn(llama3)).toEqual(['An assistant.<|eot_id|>', 'Welcome!<|eot_id|>'])
    const alpaca = await withChatTemplate(base, 'alpaca')
    expect(await writtenIn(alpaca)).toEqual(['An assistant.<|endoftext|>', 'Welcome!<|endoftext|>'])
  })

  it('are those between generation tags if a template has them', async () => {
    const tokenizer = withTemplate(
      "{% for m in messages %}{{ m.role }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}\n{% endfor %}",
    )
    expect(await writtenIn(tokenizer)).toEqual(['An assistant.<|endoftext|>', 'Welcome!<|endoftext|>']) // biome-ignore format: one line
  })

  it('follow the tokens of the prompt that chat reads, token by token', async () => {
    const tokenizer = await withChatTemplate(base, 'chatml')
    const { ids, written } = await tokenizer.encodeChat(conversation)
    const text = await tokenizer.applyChatTemplate(conversation.slice(0, 2), { addGenerationPrompt: true }) // biome-ignore format: one line
    const prompt = tokenizer.encode(text, { addSpecialTokens: false })
    expect(ids.slice(0, prompt.length)).toEqual(prompt)
    expect(written.indexOf(true)).toBe(prompt.length)
  })

  it('are not merged with the prompt before them', async () => {
    const json = trainTokenizer(['a:b a:b a:b a:b'.repeat(9)], { type: 'bpe', vocabSize: 262 }).toJSON() // biome-ignore format: one line
    const tokenizer = Tokenizer.fromJSON(json, {
      chat_template:
        "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}",
      eos_token: '<|endoftext|>',
    })
    const messages = [{ role: 'user', content: 'a:' }, { role: 'assistant', content: 'b a' }] // biome-ignore format: one line
    expect(await writtenIn(tokenizer, messages)).toEqual(['b a<|endoftext|>'])
  })

  it('include the end token when it is also the padding token', async () => {
    const json = base.toJSON()
    const tokenizer = await withChatTemplate(
      Tokenizer.fromJSON(json, { eos_token: '<|endoftext|>', pad_token: '<|endoftext|>' }),
      'alpaca',
    )
    const { ids, written } = await tokenizer.encodeChat(conversation)
    expect(ids.at(-1)).toBe(tokenizer.padTokenId)
    expect(written.at(-1)).toBe(true)
  })

  it('are refused for templates that change earlier turns or never end, and without an answer', async () => {
    const changing = withTemplate(
      "{% for m in messages %}{{ m.content if loop.last else '…' }}{{ eos_token if m.role == 'assistant' }}{% endfor %}",
    )
    await expect(changing.encodeChat(conversation)).rejects.toThrow(
      heedError('unsupported', { key: 'chat_template', value: 2, remedy: '{% generation %}' }),
    )
    const endless = withTemplate('{% for m in messages %}{{ m.content }}{% endfor %}')
    await expect(endless.encodeChat(conversation)).rejects.toThrow(
      heedError('unsupported', { key: 'chat_template', remedy: 'eos_token' }),
    )
    const tokenizer = await withChatTemplate(base, 'chatml')
    for (const messages of [conversation.slice(0, 2), conversation.slice(2, 3)])
      await expect(tokenizer.encodeChat(messages)).rejects.toThrow(
        heedError('invalid-data', { key: 'messages', remedy: 'assistant' }),
      )
  })
})

describe('templates for base models', () => {
  it('write the two prompts of Alpaca character by character', async () => {
    const tokenizer = await withChatTemplate(base, 'alpaca')
    const render = (message: object): Promise<string> =>
      tokenizer.applyChatTemplate([{ role: 'user', ...message }], { addGenerationPrompt: true })
    expect(await render({ content: 'Sum.\n\n1, 2', instruction: 'Sum.', input: '1, 2' })).toBe(
      'Below is an instruction that describes a task, paired with an input that provides further context. ' +
        'Write a response that appropriately completes the request.\n\n' +
        '### Instruction:\nSum.\n\n### Input:\n1, 2\n\n### Response:',
    )
    expect(await render({ content: 'Sing.' })).toBe(
      'Below is an instruction that describes a task. ' +
        'Write a response that appropriately completes the request.\n\n' +
        '### Instruction:\nSing.\n\n### Response:',
    )
  })

  it('add the tokens that the vocabulary lacks, and end texts with the end of a turn', async () => {
    const tokenizer = await withChatTemplate(base, 'chatml')
    expect(tokenizer.vocabSize).toBe(base.vocabSize + 2)
    expect(tokenizer.idToToken(Number(tokenizer.eosTokenId))).toBe('<|im_end|>')
    expect(await tokenizer.endOfTurn()).toBe(tokenizer.eosTokenId)
    const again = await withChatTemplate(tokenizer, 'chatml')
    expect(again.vocabSize).toBe(tokenizer.vocabSize)
  })

  it('begin with the token that the tokenizer puts before texts, exactly once', async () => {
    const json = {
      ...base.toJSON(),
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '<|endoftext|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }], // biome-ignore format: one line
        pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
        special_tokens: { '<|endoftext|>': { id: '<|endoftext|>', ids: [0], tokens: ['<|endoftext|>'] } }, // biome-ignore format: one line
      },
    }
    const tokenizer = await withChatTemplate(
      Tokenizer.fromJSON(json, { bos_token: '<|endoftext|>' }),
      'chatml',
    )
    const { ids } = await tokenizer.encodeChat(conversation)
    expect(ids.filter((id) => id === tokenizer.bosTokenId)).toHaveLength(1)
    expect(ids[0]).toBe(tokenizer.bosTokenId)
  })

  it('are read from files, and unknown names, missing files and endless templates are refused', async () => {
    const path = join(await temporaryFolder(), 'mine.jinja')
    await writeFile(path, '{% for m in messages %}{{ m.content }}<|stop|>{% endfor %}')
    const tokenizer = await withChatTemplate(base, path)
    expect(await writtenIn(tokenizer)).toEqual(['An assistant.<|stop|>', 'Welcome!<|stop|>'])
    await writeFile(path, '{% for m in messages %}{{ m.content }}{% endfor %}')
    await expect(withChatTemplate(base, path)).rejects.toThrow(
      heedError('unsupported', { key: 'template', value: path, remedy: 'eos_token' }),
    )
    await expect(withChatTemplate(base, 'chatlm')).rejects.toThrow(heedError('unknown-name'))
    await expect(withChatTemplate(base, './none.jinja')).rejects.toThrow(
      heedError('missing-file', { key: 'template', remedy: 'alpaca' }),
    )
  })
})
