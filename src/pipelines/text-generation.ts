import { GENERATE_OPTIONS } from '../generate/generate.ts'
import { type GenerateOptions, generate, generateSeveral, type Prompt } from '../generate/index.ts'
import type { CausalLM } from '../models/index.ts'
import type { ChatMessage, ChatTemplateOptions, Tokenizer } from '../tokenizers/index.ts'
import { HeedError, shown } from '../util/errors.ts'
import { optionReader } from './option-names.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { isText } from './text-examples.ts'

/** Options of the pipeline 'text-generation'. */
export interface WriteTextOptions extends Omit<GenerateOptions, 'decoder'> {
  /**
   * Include the prompt in the generated text, and the messages of a chat before the answer. Default true. With false, the
   * result for a chat is the text of the answer.
   */
  returnFullText?: boolean
  /** Called with each piece of generated text. Several prompts are then processed one after the other. */
  onText?: (piece: string) => void
  /** Add the special tokens of the tokenizer to a prompt. Default true for text, false for a chat. */
  addSpecialTokens?: boolean
  /** Continue the last message of a chat. Default: true if it is a message of the assistant. */
  continueFinalMessage?: boolean
  /** The tools of a chat, in the format that its template expects. */
  tools?: ChatTemplateOptions['tools']
  /** The documents of a chat. */
  documents?: ChatTemplateOptions['documents']
  /** A chat template, or the name of a template of the tokenizer. */
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

/** A result of the pipeline 'text-generation'. */
export interface Written<Text = string> {
  /**
   * The prompt and its continuation, or the continuation alone with `returnFullText: false`. For a conversation, its
   * messages.
   */
  generated_text: Text
}

/** The messages of a conversation; the last message is the answer. */
export type Conversation = ChatMessage[]

/**
 * Continues texts, or answers the messages of chats. One input gives a list of one result (or of `num_return_sequences`
 * results); several inputs give such a list for each. As in transformers, the default is greedy decoding of at most 256
 * tokens, unless the generation_config.json of the model differs. Any sampling option (`temperature`, `topK` …) or
 * `do_sample` enables sampling. Options may have Heed's names or the names of transformers (`max_new_tokens`).
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

/** Creates the pipeline 'text-generation'. */
export function textGeneration({ model, tokenizer }: ModelWithTokenizer<CausalLM>): TextGeneration {
  const write = async (input: Input | readonly Input[], given?: WriteTextOptions) => {
    const options = readOptions(given)
    if (isInput(input)) return (await writeAll(model, tokenizer, [input], options))[0]
    if (isBatch(input)) return writeAll(model, tokenizer, input, options)
    throw new HeedError(
      'invalid-option',
      `The input of text-generation must be text, the messages of a chat, or a list of either, got ${shown(input)}`,
      { value: input, remedy: "Write messages as [{ role: 'user', content: 'Hello' }]." },
    )
  }
  return write as TextGeneration
}

const isMessage = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'role' in value

const isInput = (value: unknown): value is Input =>
  isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isMessage))

/** A list of texts or a list of chats, but not a mixture. */
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

/** Whether the answer continues the last message. */
const continues = (messages: readonly ChatMessage[], asked: boolean | undefined): boolean =>
  asked ?? messages.at(-1)?.role === 'assistant'

function answered(messages: readonly ChatMessage[], more: string, isSame: boolean): Conversation {
  if (!isSame) return [...messages, { role: 'assistant', content: more }]
  const last = messages[messages.length - 1]
  const { content = [] } = last
  const whole = isText(content) ? content + more : [content, { type: 'text', text: more }].flat()
  return [...messages.slice(0, -1), { ...last, content: whole }]
}

/** The defaults of the pipeline of transformers: 256 new tokens, and greedy decoding unless sampling is asked for. */
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
