import { GENERATE_OPTIONS } from '../generate/generate.ts'
import { type GenerateOptions, generate, generateSeveral, type Prompt } from '../generate/index.ts'
import type { CausalLM } from '../models/index.ts'
import type { ChatMessage, ChatTemplateOptions, Tokenizer } from '../tokenizers/index.ts'
import { HeedError, shown } from '../util/errors.ts'
import { optionReader } from './option-names.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { isText } from './text-examples.ts'

export interface WriteTextOptions extends Omit<GenerateOptions, 'decoder'> {
  /**
   * Put the prompt before the generated text, and the messages before the answer. Default true. With false, the result
   * for a chat is the text of the answer.
   */
  returnFullText?: boolean
  /** Called with each piece of text as it is generated; several texts are then generated one after the other. */
  onText?: (piece: string) => void
  /** Add the tokenizer's special tokens to a prompt. Default true; a chat template has its own. */
  addSpecialTokens?: boolean
  /** Continue the last message of a chat. Default: if it is one of the assistant. */
  continueFinalMessage?: boolean
  /** The tools of a chat, as its template expects them. */
  tools?: ChatTemplateOptions['tools']
  /** The documents of a chat. */
  documents?: ChatTemplateOptions['documents']
  /** A chat template, or the name of one of the tokenizer's. */
  chatTemplate?: string
  /** Further variables of the chat template, such as `enable_thinking`. */
  templateVariables?: ChatTemplateOptions['variables']
}

const { decoder: _, ...GENERATE } = GENERATE_OPTIONS
const readOptions = optionReader<WriteTextOptions>('text-generation', {
  ...GENERATE,
  returnFullText: 'flag?',
  onText: 'function?',
  addSpecialTokens: 'flag?',
  continueFinalMessage: 'flag?',
  tools: 'list?',
  documents: 'list?',
  chatTemplate: 'text?',
  templateVariables: 'object?',
})

export interface Written<Text = string> {
  generated_text: Text
}

/** The messages of a conversation, with the answer as the last one. */
export type Conversation = ChatMessage[]

/**
 * Continues a text, or answers the messages of a chat: a list of one result (or of `num_return_sequences`) for one
 * input, and such a list for each of several. As in transformers, the likeliest tokens are taken, and at most 256, unless
 * the options or the model's generation_config.json say otherwise; any option of sampling (`temperature`, `topK` …) and
 * `do_sample` draw tokens. Options may have Heed's names or those of transformers (`max_new_tokens`).
 */
export interface TextGeneration {
  (text: string, options?: WriteTextOptions): Promise<Written[]>
  (texts: readonly string[], options?: WriteTextOptions): Promise<Written[][]>
  (chat: readonly ChatMessage[], options: WriteTextOptions & { returnFullText: false }): Promise<Written[]> // biome-ignore format: one line
  (chat: readonly ChatMessage[], options?: WriteTextOptions): Promise<Written<Conversation>[]>
  (chats: readonly (readonly ChatMessage[])[], options: WriteTextOptions & { returnFullText: false }): Promise<Written[][]> // biome-ignore format: one line
  (chats: readonly (readonly ChatMessage[])[], options?: WriteTextOptions): Promise<Written<Conversation>[][]> // biome-ignore format: one line
}

type Input = string | readonly ChatMessage[]

export function textGeneration({ model, tokenizer }: ModelWithTokenizer<CausalLM>): TextGeneration {
  const write = async (input: Input | readonly Input[], given?: WriteTextOptions) => {
    const options = readOptions(given)
    if (isInput(input)) return (await writeAll(model, tokenizer, [input], options))[0]
    if (isBatch(input)) return writeAll(model, tokenizer, input, options)
    throw new HeedError(
      'invalid-option',
      `The input of text-generation must be a text, the messages of a chat, or a list of either, got ${shown(input)}`,
      { value: input, remedy: "Write messages as [{ role: 'user', content: 'Hello' }]." },
    )
  }
  return write as TextGeneration
}

const isMessage = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'role' in value

const isInput = (value: unknown): value is Input =>
  isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isMessage))

/** Texts or chats, not both. */
const isBatch = (value: unknown): value is readonly Input[] =>
  Array.isArray(value) &&
  (value.every(isText) || value.every((item) => !isText(item) && isInput(item)))

async function writeAll(
  model: CausalLM,
  tokenizer: Tokenizer,
  inputs: readonly Input[],
  {
    returnFullText = true,
    onText,
    addSpecialTokens,
    continueFinalMessage,
    tools,
    documents,
    chatTemplate,
    templateVariables: variables,
    ...rest
  }: WriteTextOptions,
): Promise<Written<string | Conversation>[][]> {
  const chat = { continueFinalMessage, tools, documents, chatTemplate, variables }
  const prompts = await Promise.all(
    inputs.map((input) => promptOf(tokenizer, input, addSpecialTokens, chat)),
  )
  const options = withDefaults(model, rest)
  const resultOf = (input: Input, more: string): Written<string | Conversation> => {
    if (!returnFullText) return { generated_text: more }
    if (isText(input)) return { generated_text: input + more }
    return { generated_text: answered(input, more, continues(input, continueFinalMessage)) }
  }
  const texts = onText
    ? await writeAloud(model, tokenizer, prompts, options, onText)
    : await generateSeveral(model, tokenizer, prompts, options)
  return inputs.map((input, i) => texts[i].map((more) => resultOf(input, more)))
}

async function writeAloud(
  model: CausalLM,
  tokenizer: Tokenizer,
  prompts: readonly Prompt[],
  options: GenerateOptions,
  onText: (piece: string) => void,
): Promise<string[][]> {
  const all: string[][] = []
  for (const prompt of prompts) {
    let written = ''
    for await (const piece of generate(model, tokenizer, prompt, options)) {
      onText(piece)
      written += piece
    }
    all.push([written])
  }
  return all
}

type ChatOptions = Pick<
  ChatTemplateOptions,
  'continueFinalMessage' | 'tools' | 'documents' | 'chatTemplate' | 'variables'
>

async function promptOf(
  tokenizer: Tokenizer,
  input: Input,
  addSpecialTokens: boolean | undefined,
  chat: ChatOptions,
): Promise<Prompt> {
  if (isText(input))
    return addSpecialTokens === undefined ? input : tokenizer.encode(input, { addSpecialTokens })
  const continueFinalMessage = continues(input, chat.continueFinalMessage)
  const text = await tokenizer.applyChatTemplate(input, {
    ...chat,
    continueFinalMessage,
    addGenerationPrompt: !continueFinalMessage,
  })
  return tokenizer.encode(text, { addSpecialTokens: addSpecialTokens ?? false })
}

/** Whether the answer belongs to the last message. */
const continues = (messages: readonly ChatMessage[], asked: boolean | undefined): boolean =>
  asked ?? messages.at(-1)?.role === 'assistant'

function answered(messages: readonly ChatMessage[], more: string, isSame: boolean): Conversation {
  if (!isSame) return [...messages, { role: 'assistant', content: more }]
  const last = messages[messages.length - 1]
  const { content = [] } = last
  const whole = isText(content) ? content + more : [content, { type: 'text', text: more }].flat()
  return [...messages.slice(0, -1), { ...last, content: whole }]
}

/** As transformers' pipeline: 256 new tokens, the likeliest ones unless sampling is asked for. */
function withDefaults(model: CausalLM, options: GenerateOptions): GenerateOptions {
  const { generationConfig = {} } = options
  const isSampled = [options, options.defaults].some((given) =>
    SAMPLING_NAMES.some((name) => given?.[name] !== undefined),
  )
  const isSaid = (generationConfig.do_sample ?? model.generationConfig?.do_sample) != null
  return {
    ...options,
    generationConfig:
      isSampled || isSaid ? generationConfig : { ...generationConfig, do_sample: false },
    defaults: { maxTokens: 256, ...options.defaults },
  }
}

const SAMPLING_NAMES = [
  'temperature',
  'topK',
  'topP',
  'minP',
  'topH',
  'typicalP',
  'epsilonCutoff',
  'etaCutoff',
  'seed',
] as const
