import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { Chat, generateTokens } from '../../src/generate/index.ts'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { type ChatMessage, Tokenizer } from '../../src/tokenizers/index.ts'
import { heedError } from '../support/heed-error.ts'

// Random weights: what they say is noise, but the same noise each time.
const path = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))
const greedy = { temperature: 0, maxTokens: 6 }
let model: CausalLM
let tokenizer: Tokenizer

beforeAll(async () => {
  model = await fromPretrained(path)
  tokenizer = await Tokenizer.fromFile(path)
})

const chat = (options = {}): Chat => new Chat(model, tokenizer, options)

async function say(session: Chat, text: string, options = {}): Promise<string> {
  let answer = ''
  for await (const piece of session.say(text, { ...greedy, ...options })) answer += piece
  return answer
}

/** The slow twin: the whole conversation through a new decoder. */
async function slowAnswer(tokens: number[], stops: number[]): Promise<number[]> {
  const made: number[] = []
  const options = { ...greedy, stopTokens: stops }
  for await (const token of generateTokens(model, tokens, options)) made.push(token)
  return made
}

describe('Chat', () => {
  it('answers what the model writes behind the template, and remembers both', async () => {
    const session = chat({ system: 'Be brief.' })
    const answer = await say(session, 'dog')
    const asked: ChatMessage[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'dog' },
    ]
    const text = await tokenizer.applyChatTemplate(asked, { addGenerationPrompt: true })
    const tokens = tokenizer.encode(text, { addSpecialTokens: false })
    const end = tokenizer.tokenToId('<|end|>') as number
    const made = await slowAnswer(tokens, [end])
    expect(answer).toBe(tokenizer.decode(made, { skipSpecialTokens: true }))
    expect(session.messages).toEqual([...asked, { role: 'assistant', content: answer }])
    expect(session.lastTurn).toEqual({
      promptTokens: tokens.length,
      readTokens: tokens.length,
      writtenTokens: made.length,
      forgotten: 0,
    })
  })

  it('reads only what is new in each turn', async () => {
    const session = chat()
    await say(session, 'dog')
    const { promptTokens, writtenTokens } = session.lastTurn
    await say(session, 'fox')
    const { promptTokens: whole, readTokens } = session.lastTurn
    expect(whole).toBeGreaterThan(promptTokens + writtenTokens)
    // The last token of an answer has been chosen, but not read yet.
    expect(readTokens).toBeLessThanOrEqual(whole - promptTokens - writtenTokens + 1)
  })

  it('forgets the oldest turns when the context is full, never the system message', async () => {
    const session = chat({ system: 'ab', contextLength: 48 })
    let forgotten = 0
    for (let turn = 0; turn < 4; turn++) {
      await say(session, `the ${turn}`)
      forgotten += session.lastTurn.forgotten
      expect(session.lastTurn.promptTokens).toBeLessThanOrEqual(48 - 6)
    }
    expect(forgotten).toBeGreaterThan(0)
    expect(session.messages[0]).toEqual({ role: 'system', content: 'ab' })
    expect(session.messages.at(-2)).toEqual({ role: 'user', content: 'the 3' })
  })

  it('says how long a message may be', async () => {
    const session = chat({ contextLength: 48 })
    const error = await say(session, 'the dog '.repeat(40)).catch((e: unknown) => e)
    expect(error).toEqual(heedError('invalid-option', { mentions: /\d+ tokens, got \d+/ }))
    expect(session.messages).toEqual([])
    await say(session, 'dog')
    expect(session.messages).toHaveLength(2)
  })

  it('keeps what was said when it is interrupted', async () => {
    const session = chat()
    const stop = new AbortController()
    let pieces = 0
    const talk = async (): Promise<void> => {
      for await (const _ of session.say('dog', { ...greedy, signal: stop.signal }))
        if (++pieces === 1) stop.abort(new Error('enough'))
    }
    await expect(talk()).rejects.toThrow('enough')
    expect(session.messages).toHaveLength(2)
    expect(session.messages[1].content).not.toBe('')
    await say(session, 'fox')
    expect(session.messages).toHaveLength(4)
  })

  it('begins anew', async () => {
    const session = chat({ system: 'Be brief.' })
    const first = await say(session, 'dog')
    session.reset()
    expect(session.messages).toEqual([{ role: 'system', content: 'Be brief.' }])
    expect(await say(session, 'dog')).toBe(first)
    session.reset('Be long.')
    expect(session.messages).toEqual([{ role: 'system', content: 'Be long.' }])
    session.reset('')
    expect(session.messages).toEqual([])
  })

  it('needs a chat template', async () => {
    const plain = Tokenizer.fromJSON(tokenizer.toJSON())
    const error = await say(new Chat(model, plain), 'dog').catch((e: unknown) => e)
    expect(error).toEqual(heedError('unsupported', { key: 'chatTemplate' }))
  })
})
