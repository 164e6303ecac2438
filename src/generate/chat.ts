import { checkHead } from '../models/check-head.ts'
import type { CausalLM } from '../models/index.ts'
import type { ChatMessage, Tokenizer } from '../tokenizers/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { instanceOf, optionKinds, ruleOf } from '../util/options.ts'
import { BatchDecoder } from './batch-decoder.ts'
import { configOf, MODEL_OPTIONS, type ModelOptions, settingsOf } from './config/settings.ts'
import { Decoder } from './decoder.ts'
import { writeTexts } from './generate.ts'
import { stepsOf } from './generate-tokens.ts'
import type { Ratings } from './judge/attributes.ts'
import { Judge } from './judge/judge.ts'
import { type Ranked, type RankOptions, rankResponses, SAFETY } from './judge/rank.ts'
import { TextWriter } from './text-writer.ts'

/** Options of `Chat`. */
export interface ChatOptions {
  /** The system message. */
  system?: string
  /** Maximum number of tokens in the conversation. Default: the context length of the model, at most 4096. */
  contextLength?: number
}

/** Statistics of the last answer. */
export interface ChatTurn {
  /** Number of tokens in the conversation before the answer. */
  promptTokens: number
  /** Number of these tokens that were processed, because they were not in the cache. */
  readTokens: number
  /** Number of tokens in the answer. */
  writtenTokens: number
  /** Number of earlier turns that were dropped because the context was full. */
  forgotten: number
}

/** Options of `Chat.sayBest`. */
export interface BestOptions extends ModelOptions, RankOptions {
  /** Number of answers to sample. Default 16. */
  candidates?: number
}

/** The result of `Chat.sayBest`. */
export interface BestAnswer {
  /** The best answer; null if no candidate is safe enough. */
  answer: string | null
  /** All different answers, the best first. Answers that are not safe enough are at the end. */
  candidates: Candidate[]
}

/** A sampled answer with its ratings. */
export interface Candidate extends Omit<Ranked, 'index'> {
  /** The answer. */
  text: string
  /** The probabilities of its attributes. */
  ratings: Ratings
}

const checkChat = argumentKinds('Chat', {
  model: 'model',
  tokenizer: 'tokenizer',
  options: optionKinds<ChatOptions>({ system: 'text?', contextLength: 'size?' }),
})

/**
 * A conversation in the chat template of the tokenizer. Only the new text of each turn is processed; the rest is cached.
 * When the context is full, the oldest turns are dropped and the system message is kept.
 */
export class Chat {
  private readonly model: CausalLM
  private readonly tokenizer: Tokenizer
  private readonly decoder: Decoder
  private history: ChatMessage[] = []
  /** The text in the cache, with its tokens as generated. */
  private cached = { text: '', tokens: [] as number[] }
  private ends: readonly number[] | undefined
  private turn: ChatTurn = { promptTokens: 0, readTokens: 0, writtenTokens: 0, forgotten: 0 }

  /** Starts a conversation. @throws HeedError for a model that does not generate text and for unknown options */
  constructor(model: CausalLM, tokenizer: Tokenizer, options: ChatOptions = {}) {
    checkChat(model, tokenizer, options)
    checkHead('Chat', model, 'causal-lm')
    const { system, contextLength = Math.min(model.contextLength, 4096) } = options
    this.model = model
    this.tokenizer = tokenizer
    this.decoder = new Decoder(model, contextLength)
    this.reset(system)
  }

  /** All messages of the conversation that are still in the context. */
  get messages(): readonly ChatMessage[] {
    return this.history
  }

  /** Statistics of the last answer. */
  get lastTurn(): ChatTurn {
    return this.turn
  }

  /** Removes all turns. The previous system message is kept unless a new one is given; '' removes it. */
  reset(system?: string): void {
    checkReset(system)
    const before = this.history.filter(({ role }) => role === 'system')
    this.history =
      system === undefined ? before : system ? [{ role: 'system', content: system }] : []
  }

  /**
   * Yields the answer to a message in pieces of text. Both are added to the conversation, even if `signal` stops the
   * answer early (its reason is thrown).
   * @throws HeedError for a message that is longer than the context, and for a tokenizer without a chat template
   */
  async *say(message: string, options: ModelOptions = {}): AsyncGenerator<string, void, undefined> {
    checkSay(message, options)
    const { asked, text, tokens, forgotten, settings } = await this.prepare(message, options)
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
        // The tokens of an answer that was truncated at a stop string do not match its text.
        this.cached = writer.stopped
          ? { text: '', tokens: [] }
          : { text: text + answer, tokens: [...tokens, ...written] }
      }
    }
  }

  /**
   * Answers a message with the best of several sampled answers (Thoppilan et al., 2022, section 5). Both are added to the
   * conversation, unless no answer is safe enough.
   * @throws HeedError as `say` does
   */
  async sayBest(message: string, judge: Judge, options: BestOptions = {}): Promise<BestAnswer> {
    checkSayBest(message, judge, options)
    const { candidates: count = 16, safety, ...rest } = options
    const { asked, tokens, forgotten, settings } = await this.prepare(message, rest)
    const maxTokens = Math.min(settings.write.maxTokens, this.model.contextLength - tokens.length)
    const steps = new BatchDecoder(this.model, { maxTokens, sharePrefix: true })
    const rows = Array.from({ length: count }, () => tokens)
    const texts = await writeTexts(steps, this.tokenizer, rows, {
      ...settings,
      write: { ...settings.write, maxTokens },
    })
    const answers = [...new Set(texts.map((text) => text.trim()))].filter((text) => text !== '')
    const ratings = await judge.rate([...this.history, asked], answers)
    const candidates = rankResponses(ratings, { safety }).map(({ index, ...rank }) => ({
      ...rank,
      text: answers[index],
      ratings: ratings[index],
    }))
    const [best] = candidates
    const answer = best?.safe ? best.text : null
    const writtenTokens = answer === null ? 0 : this.tokenizer.encode(answer, { addSpecialTokens: false }).length // biome-ignore format: one line
    this.turn = { promptTokens: tokens.length, readTokens: tokens.length, writtenTokens, forgotten }
    if (answer !== null)
      this.history = [...this.history, asked, { role: 'assistant', content: answer }]
    return { answer, candidates }
  }

  /** The tokens of the conversation with a message, and the settings for an answer. */
  private async prepare(message: string, options: ModelOptions) {
    const asked: ChatMessage = { role: 'user', content: message }
    const messages = [...this.history, asked]
    const fitted = await this.fit(messages, this.answerLength(options))
    const ends =
      options.stopAtEnd === false
        ? []
        : (this.ends ??= [(await this.tokenizer.endOfTurn()) ?? []].flat())
    const settings = settingsOf(
      this.model,
      {
        ...options,
        stopTokens: [...(options.stopTokens ?? []), ...ends],
        defaults: { maxTokens: ANSWER_TOKENS, ...options.defaults },
      },
      {
        tokenizer: this.tokenizer,
        promptLength: fitted.tokens.length,
        samples: true,
        lacks: ['num_beams', 'num_return_sequences', 'guidance_scale'],
      },
    )
    return { asked, ...fitted, settings }
  }

  /** The number of tokens to reserve for an answer. */
  private answerLength({ maxTokens, generationConfig, defaults }: ModelOptions): number {
    const { max_new_tokens } = configOf(this.model, generationConfig)
    return maxTokens ?? max_new_tokens ?? defaults?.maxTokens ?? ANSWER_TOKENS
  }

  /** Encodes the conversation, without the oldest turns that do not fit into the context. */
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
            remedy: `Shorten it, or increase \`contextLength\` (at most ${this.model.contextLength} for this model).`,
          },
        )
      kept = shorter
    }
  }

  /** Encodes the conversation. Generated text keeps its tokens, because encoding it again might give other tokens. */
  private encode(text: string): number[] {
    const { tokenizer, cached } = this
    if (cached.text && text.startsWith(cached.text)) {
      const rest = tokenizer.encode(text.slice(cached.text.length), { addSpecialTokens: false })
      if (rest.length > 0 && tokenizer.isSpecial(rest[0])) return [...cached.tokens, ...rest]
    }
    return tokenizer.encode(text, { addSpecialTokens: false })
  }
}

const checkSay = argumentKinds('Chat.say', {
  message: 'text',
  options: optionKinds<ModelOptions>(MODEL_OPTIONS),
})

const checkSayBest = argumentKinds('Chat.sayBest', {
  message: 'text',
  judge: instanceOf('a Judge', Judge),
  options: optionKinds<BestOptions>({
    ...MODEL_OPTIONS,
    candidates: { ...ruleOf('size?'), try: [16] },
    safety: SAFETY,
  }),
})

const checkReset = argumentKinds('Chat.reset', { system: 'text?' })

/** Default maximum number of tokens in an answer. */
const ANSWER_TOKENS = 512

/** Removes the first user message and its answer; undefined if there is no other user message. */
function withoutFirstTurn(messages: readonly ChatMessage[]): ChatMessage[] | undefined {
  const first = messages.findIndex(({ role }) => role === 'user')
  const second = messages.findIndex(({ role }, i) => i > first && role === 'user')
  return second < 0 ? undefined : [...messages.slice(0, first), ...messages.slice(second)]
}
