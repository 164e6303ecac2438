import { HeedError, invalidOption } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { unknownName } from '../../util/registry.ts'
import type { TokenizerConfig } from '../formats/tokenizer-json.ts'
import type { Rendered } from '../jinja/interpreter.ts'
import { renderTemplate } from '../jinja/render.ts'
import { continued, TAG } from './continue-message.ts'
import type { SpecialTokens } from './special-tokens.ts'

/** A message of a conversation. Templates may use other keys, such as `tool_calls`. */
export interface ChatMessage {
  /** Role: `system`, `user`, `assistant`, `tool`, or another role of the template. */
  role: string
  /** The text, or a list of parts for templates that accept it. */
  content?: unknown
  [key: string]: unknown
}

/** Options of `Tokenizer.applyChatTemplate`. */
export interface ChatTemplateOptions {
  /** End the text with the start of an assistant message. Default false. */
  addGenerationPrompt?: boolean
  /** End the text within the last message, so that the model continues it. Default false. */
  continueFinalMessage?: boolean
  /** Tools that the assistant may call, as JSON schemas, for templates that support them. */
  tools?: unknown[]
  /** Documents for retrieval, usually with `title` and `text`, for templates that support them. */
  documents?: Record<string, unknown>[]
  /** Name of a template of the tokenizer, or the source of a template. */
  chatTemplate?: string
  /** Additional template variables, such as `enable_thinking`. */
  variables?: Record<string, unknown>
}

const TEMPLATE = optionKinds<ChatTemplateOptions>({
  addGenerationPrompt: 'flag?',
  continueFinalMessage: 'flag?',
  tools: 'list?',
  documents: 'list?',
  chatTemplate: 'text?',
  variables: 'record?',
})

/** Renders messages with a chat template, and finds what `{% generation %}` marks. See `Tokenizer.applyChatTemplate`. */
export function renderChat(
  config: TokenizerConfig,
  special: SpecialTokens,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions = {},
): Rendered {
  checkMessages(messages)
  TEMPLATE.check('applyChatTemplate', options)
  const template = chooseTemplate(config.chat_template, options)
  const { addGenerationPrompt = false, continueFinalMessage = false } = options
  if (addGenerationPrompt && continueFinalMessage)
    throw invalidOption({
      key: 'continueFinalMessage',
      value: true,
      expected: 'false if `addGenerationPrompt` is true',
      remedy: 'Set only one of them: either continue the last message, or begin a new one.',
    })
  const chat = messages.map(normalized)
  const variables = {
    messages: continueFinalMessage
      ? [...chat.slice(0, -1), continued(chat[chat.length - 1])]
      : chat,
    // None in Python, not undefined, because templates test for `none`.
    tools: options.tools ?? null,
    documents: options.documents ?? null,
    add_generation_prompt: addGenerationPrompt,
    ...special,
    ...options.variables,
  }
  const { text, answers } = renderTemplate(template, variables)
  return { text: continueFinalMessage ? TAG.cut(text) : text, answers }
}

/** Prepares a message like transformers: removes keys that are null, and adds the aliases of reasoning. */
function normalized(message: ChatMessage): ChatMessage {
  const entries = Object.entries(message).filter(
    ([, value]) => value !== null && value !== undefined,
  )
  const { role, ...fields } = Object.fromEntries(entries)
  const reasoning = REASONING.map((key) => fields[key]).find((value) => value !== undefined)
  const all = { role: String(role), ...fields }
  return reasoning === undefined
    ? all
    : { thinking: reasoning, ...all, reasoning_content: reasoning }
}

const REASONING = ['reasoning_content', 'thinking', 'reasoning']

/** Selects the template by name or source. Default: `tool_use` if there are tools, otherwise `default`. */
function chooseTemplate(setting: unknown, { chatTemplate, tools }: ChatTemplateOptions): string {
  const named = new Map<string, string>()
  for (const { name, template } of asList(setting)) {
    if (typeof name === 'string' && typeof template === 'string') named.set(name, template)
  }
  if (chatTemplate !== undefined) return named.get(chatTemplate) ?? asTemplate(chatTemplate, named)
  const template = (tools && named.get('tool_use')) ?? named.get('default')
  if (template !== undefined) return template
  const names = [...named.keys()]
  throw new HeedError(
    'unsupported',
    `The tokenizer must have a default chat template, got ${names.length > 0 ? `only ${names.join(', ')}` : 'none'}`,
    {
      key: 'chatTemplate',
      ...(names.length > 0 && { try: { chatTemplate: names } }),
      remedy:
        names.length > 0
          ? `Choose one as \`chatTemplate\`: ${names.join(', ')}.`
          : 'Use a model that was tuned for chat, or pass a template as `chatTemplate`.',
    },
  )
}

function asList(setting: unknown): { name?: unknown; template?: unknown }[] {
  if (typeof setting === 'string') return [{ name: 'default', template: setting }]
  return Array.isArray(setting) ? setting.filter((entry) => typeof entry === 'object' && entry) : []
}

/** Distinguishes template sources from unknown names. */
function asTemplate(text: string, named: ReadonlyMap<string, string>): string {
  if (/\{[{%]/.test(text)) return text
  throw unknownName('chat template', text, [...named.keys()])
}

function checkMessages(messages: unknown): void {
  if (!Array.isArray(messages) || messages.length === 0)
    throw invalidOption({
      key: 'messages',
      value: messages,
      expected: 'a list of one or more messages',
      remedy: EXAMPLE,
    })
  for (const [i, message] of messages.entries()) {
    if (typeof message?.role === 'string') continue
    throw invalidOption({
      key: `messages[${i}].role`,
      value: message?.role,
      expected: 'a string',
      remedy: EXAMPLE,
    })
  }
}

const EXAMPLE = "Write messages as [{ role: 'user', content: 'Hello' }]."
