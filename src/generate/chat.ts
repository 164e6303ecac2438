import { checkHead } from '../models/check-head.ts'
import type { CausalLM } from '../models/index.ts'
import type { ChatMessage, Tokenizer } from '../tokenizers/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { configOf, MODEL_OPTIONS, type ModelOptions, settingsOf } from './config/settings.ts'
import { Decoder } from './decoder.ts'
import { stepsOf } from './generate-tokens.ts'
import { TextWriter } from './text-writer.ts'

export interface ChatOptions {
  /** The system message. */
  system?: string
  /** Maximum number of tokens of the conversation. Default: 4096, or the context of the model. */
  contextLength?: number
}

/** Statistics of the last answer. */
export interface ChatTurn {
  /** Tokens of the conversation up to the answer, and those of them that were not in the cache. */
  promptTokens: number
  readTokens: number
  /** Tokens of the answer. */
  writtenTokens: number
  /** Number of earlier turns that were dropped for lack of room. */
  forgotten: number
}

const checkChat = argumentKinds('Chat', {
  model: 'model',
  tokenizer: 'tokenizer',
  options: optionKinds<ChatOptions>({ system: 'text?', contextLength: 'size?' }),
})

/**
 * A conversation in the tokenizer's chat template. Only the new text of each turn is processed; the rest is in the cache.
 * When the context is full, the oldest turns are dropped; the system message stays.
 */
export class Chat {
  private readonly model: CausalLM
  private readonly tokenizer: Tokenizer
  private readonly decoder: Decoder
  private history: ChatMessage[] = []
  /** The text in the cache, and its tokens as they were generated. */
  private cached = { text: '', tokens: [] as number[] }
  private ends: readonly number[] | undefined
  private turn: ChatTurn = { promptTokens: 0, readTokens: 0, writtenTokens: 0, forgotten: 0 }

  constructor(model: CausalLM, tokenizer: Tokenizer, options: ChatOptions = {}) {
    checkChat(model, tokenizer, options)
    checkHead('Chat', model, 'causal-lm')
    const { system, contextLength = Math.min(model.contextLength, 4096) } = options
    this.model = model
    this.tokenizer = tokenizer
    this.decoder = new Decoder(model, contextLength)
    this.reset(system)
  }

  get messages(): readonly ChatMessage[] {
    return this.history
  }

  get lastTurn(): ChatTurn {
    return this.turn
  }

  /** Removes all turns. Without a new system message the previous one stays. */
  reset(system?: string): void {
    checkReset(system)
    const before = this.history.filter(({ role }) => role === 'system')
    this.history =
      system === undefined ? before : system ? [{ role: 'system', content: system }] : []
  }

  /**
   * The answer to a message, piece by piece. Both become part of the conversation, also when `signal` ends the answer
   * early (its reason is thrown).
   * @throws HeedError for a message that is longer than the context, or a tokenizer without a template
   */
  async *say(message: string, options: ModelOptions = {}): AsyncGenerator<string, void, undefined> {
    checkSay(message, options)
    const asked: ChatMessage = { role: 'user', content: message }
    const messages = [...this.history, asked]
    const { text, tokens, forgotten } = await this.fit(messages, this.answerLength(options))
    const ends = options.stopAtEnd === false ? [] : (this.ends ??= await this.endsOfTurn())
    const settings = settingsOf(
      this.model,
      {
        ...options,
        stopTokens: [...(options.stopTokens ?? []), ...ends],
        defaults: { maxTokens: ANSWER_TOKENS, ...options.defaults },
      },
      {
        tokenizer: this.tokenizer,
        promptLength: tokens.length,
        samples: true,
        lacks: ['num_beams', 'num_return_sequences', 'guidance_scale'],
      },
    )
    const writer = new TextWriter(this.tokenizer, { stop: settings.stop, after: tokens })
    const written: number[] = []
    const readBefore = this.decoder.tokensRead
    let readTokens = 0
    let answer = ''
    try {
      for await (const { token } of stepsOf(this.model, tokens, settings, {
        decoder: this.decoder,
      })) {
        readTokens ||= this.decoder.tokensRead - readBefore
        written.push(token)
        const piece = writer.push(token)
        answer += piece
        if (piece) yield piece
        if (writer.stopped) break
      }
      const left = writer.end()
      answer += left
      if (left) yield left
    } finally {
      const writtenTokens = written.length
      this.turn = { promptTokens: tokens.length, readTokens, writtenTokens, forgotten }
      if (written.length > 0) {
        this.history = [...this.history, asked, { role: 'assistant', content: answer }]
        // The tokens of an answer that was cut at a stop string are not those of its text.
        this.cached = writer.stopped
          ? { text: '', tokens: [] }
          : { text: text + answer, tokens: [...tokens, ...written] }
      }
    }
  }

  /** Tokens to leave room for. */
  private answerLength({ maxTokens, generationConfig, defaults }: ModelOptions): number {
    const { max_new_tokens } = configOf(this.model, generationConfig)
    return maxTokens ?? max_new_tokens ?? defaults?.maxTokens ?? ANSWER_TOKENS
  }

  /** The conversation as tokens, without the oldest turns for which there is no room. */
  private async fit(
    messages: ChatMessage[],
    maxTokens: number,
  ): Promise<{ text: string; tokens: number[]; forgotten: number }> {
    const { capacity } = this.decoder
    const room = capacity - Math.min(maxTokens, capacity >> 2)
    let kept = messages
    for (let forgotten = 0; ; forgotten++) {
      const text = await this.tokenizer.applyChatTemplate(kept, { addGenerationPrompt: true })
      const tokens = this.encode(text)
      if (tokens.length <= room) {
        this.history = kept.slice(0, -1)
        return { text, tokens, forgotten }
      }
      const shorter = withoutFirstTurn(kept)
      if (!shorter)
        throw new HeedError(
          'invalid-option',
          `The message must have at most ${room} tokens, got ${tokens.length}`,
          {
            key: 'contextLength',
            value: capacity,
            remedy: `Shorten it, or set a longer \`contextLength\` (the model has ${this.model.contextLength}).`,
          },
        )
      kept = shorter
    }
  }

  /** Generated text keeps its tokens, as encoding it again might give others. */
  private encode(text: string): number[] {
    const { tokenizer, cached } = this
    if (cached.text && text.startsWith(cached.text)) {
      const rest = tokenizer.encode(text.slice(cached.text.length), { addSpecialTokens: false })
      if (rest.length > 0 && tokenizer.isSpecial(rest[0])) return [...cached.tokens, ...rest]
    }
    return tokenizer.encode(text, { addSpecialTokens: false })
  }

  /** The special token after an assistant's message in the template. */
  private async endsOfTurn(): Promise<number[]> {
    const { tokenizer } = this
    const example = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: MARK },
    ]
    const text = await tokenizer.applyChatTemplate(example)
    const after = text.slice(text.lastIndexOf(MARK) + MARK.length)
    const [next] = text.includes(MARK) ? tokenizer.encode(after, { addSpecialTokens: false }) : []
    return next !== undefined && tokenizer.isSpecial(next) ? [next] : []
  }
}

const checkSay = argumentKinds('Chat.say', {
  message: 'text',
  options: optionKinds<ModelOptions>(MODEL_OPTIONS),
})

const checkReset = argumentKinds('Chat.reset', { system: 'text?' })

const MARK = 'x0x1x2x' // occurs in no template
/** Longest answer where nothing says so. */
const ANSWER_TOKENS = 512

/** Without the first user message and its answer; undefined when there is no other. */
function withoutFirstTurn(messages: readonly ChatMessage[]): ChatMessage[] | undefined {
  const first = messages.findIndex(({ role }) => role === 'user')
  const second = messages.findIndex(({ role }, i) => i > first && role === 'user')
  return second < 0 ? undefined : [...messages.slice(0, first), ...messages.slice(second)]
}
