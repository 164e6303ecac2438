import { Environment, Interpreter, Template } from '@huggingface/jinja'
import { HeedError, invalidOption } from '../../util/errors.ts'
import { unknownName } from '../../util/registry.ts'
import type { TokenizerConfig } from '../formats/tokenizer-json.ts'
import type { SpecialTokens } from './special-tokens.ts'

export interface ChatMessage {
  /** `system`, `user`, `assistant`, `tool`, or another role of the template. */
  role: string
  content?: unknown
  [key: string]: unknown
}

export interface ChatTemplateOptions {
  /** End the text with the start of an assistant message. Default false. */
  addGenerationPrompt?: boolean
  /** Tools that the assistant may call, as JSON schemas, for templates that support them. */
  tools?: unknown[]
  /** The name of one of several templates, or the text of a template. */
  chatTemplate?: string
  /** Further variables of the template, such as `enable_thinking`. */
  variables?: Record<string, unknown>
}

/** The text that a chat template makes of messages; see `Tokenizer.applyChatTemplate`. */
export function renderChat(
  config: TokenizerConfig,
  special: SpecialTokens,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions = {},
): string {
  checkMessages(messages)
  const template = chooseTemplate(config.chat_template, options)
  const { addGenerationPrompt = false, tools, variables } = options
  return render(template, {
    ...special,
    messages,
    ...(tools && { tools }),
    add_generation_prompt: addGenerationPrompt,
    ...variables,
  })
}

const MAX_TEMPLATE = 1 << 18 // characters; the longest published ones have about 20,000
const LONG_SPACE = /\s{1000}/ // the library takes quadratic time for runs of white space
const MAX_STEPS = 5e6 // a few seconds; a chat of a thousand messages takes a few per cent of it
const MAX_LENGTH = 1 << 23 // characters or elements of one value
const LENGTH_PER_STEP = 64 // of a value that is copied or searched
const STEPS_PER_ITERATION = 40 // of a loop, each of which creates scopes
const MAX_RANGE = 1e5

function render(source: string, variables: Record<string, unknown>): string {
  if (source.length > MAX_TEMPLATE || LONG_SPACE.test(source)) {
    throw new HeedError(
      'unsupported',
      `A chat template must have at most ${MAX_TEMPLATE} characters and fewer than 1000 spaces in a row, got ${source.length} characters`,
      { key: 'chat_template', remedy: 'Pass a shorter one as `chatTemplate`.' },
    )
  }
  try {
    const { parsed } = new Template(source)
    return String(new BoundedInterpreter(environment(variables)).run(parsed).value)
  } catch (cause) {
    if (cause instanceof HeedError) throw cause
    throw new HeedError('invalid-data', `The chat template failed: ${reasonOf(cause)}`, {
      key: 'chat_template',
      cause,
      remedy: 'Check that the messages have the roles and fields that the template uses.',
    })
  }
}

type Value = ReturnType<Interpreter['run']>

/**
 * Templates come with models, so they may be hostile. Jinja has no endless loops, but nested loops, recursive macros
 * and texts that double have the same effect. Each evaluation is a step, long values are more, and the number of
 * steps is bounded.
 */
class BoundedInterpreter extends Interpreter {
  private steps = 0
  private readonly iterables = new Set<unknown>()

  override evaluate(...[statement, scope]: Parameters<Interpreter['evaluate']>): Value {
    this.spend(1)
    if (statement?.type === 'For') this.iterables.add(iterableOf(statement))
    const result = super.evaluate(statement, scope)
    const length = lengthOf(result?.value)
    if (this.iterables.has(statement)) this.spend(length * STEPS_PER_ITERATION)
    this.spend(length / LENGTH_PER_STEP, length)
    return result
  }

  private spend(steps: number, length = 0): void {
    this.steps += steps
    if (this.steps <= MAX_STEPS && length <= MAX_LENGTH) return
    throw new HeedError(
      'unsupported',
      `A chat template must finish within ${MAX_STEPS} steps and make texts of at most ${MAX_LENGTH} characters`,
      {
        key: 'chat_template',
        remedy: 'Pass fewer messages, or a simpler template as `chatTemplate`.',
      },
    )
  }
}

/** The iterable of a loop, without its condition. */
function iterableOf(loop: object): unknown {
  const { iterable } = loop as { iterable?: { type: string; lhs?: unknown } }
  return iterable?.type === 'SelectExpression' ? iterable.lhs : iterable
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return value instanceof Map ? value.size : 0
}

function environment(variables: Record<string, unknown>): Environment {
  const names = new Map<string, unknown>(Object.entries({ ...GLOBALS, ...variables }))
  const environment = new Environment()
  for (const [name, value] of names) if (value !== undefined) environment.set(name, value)
  return environment
}

const GLOBALS = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range: boundedRange,
  strftime_now: (format: string) => formatDate(new Date(), format),
  raise_exception: (message: unknown) => {
    throw new HeedError(
      'invalid-data',
      `The chat template refuses the messages: ${String(message)}`,
      {
        key: 'messages',
        remedy: 'Change the messages as the template asks.',
      },
    )
  },
}

function boundedRange(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length <= MAX_RANGE) return Array.from({ length }, (_, i) => start + i * step)
  throw new HeedError(
    'unsupported',
    `A range in a chat template must have at most ${MAX_RANGE} numbers, got ${length}`,
    { key: 'chat_template', remedy: 'Pass another template as `chatTemplate`.' },
  )
}

/** The directives of Python's strftime that templates use, in English. */
function formatDate(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const words = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-US', options).format(date)
  const directives: Record<string, () => string> = {
    Y: () => String(date.getFullYear()),
    m: () => two(date.getMonth() + 1),
    d: () => two(date.getDate()),
    H: () => two(date.getHours()),
    M: () => two(date.getMinutes()),
    S: () => two(date.getSeconds()),
    B: () => words({ month: 'long' }),
    b: () => words({ month: 'short' }),
    A: () => words({ weekday: 'long' }),
    a: () => words({ weekday: 'short' }),
    '%': () => '%',
  }
  return format.replace(/%([YmdHMSBbAa%])/g, (_, letter: string) => directives[letter]())
}

/** The template of the given name or text; by default `tool_use` if there are tools, otherwise `default`. */
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

/** An unknown name is not rendered as if it were a template. */
function asTemplate(text: string, named: ReadonlyMap<string, string>): string {
  if (/\{[{%]/.test(text)) return text
  throw unknownName('chat template', text, [...named.keys()])
}

function checkMessages(messages: unknown): void {
  if (!Array.isArray(messages))
    throw invalidOption({
      key: 'messages',
      value: messages,
      expected: 'a list of messages',
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

function reasonOf(cause: unknown): string {
  if (cause instanceof RangeError) return 'infinite recursion, or a text that is too long'
  return cause instanceof Error ? cause.message : String(cause)
}
