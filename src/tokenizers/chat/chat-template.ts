import { Environment, Interpreter, Template } from '@huggingface/jinja'
import { HeedError } from '../../util/errors.ts'
import type { TokenizerConfig } from '../formats/tokenizer-json.ts'
import type { SpecialTokens } from './special-tokens.ts'

export interface ChatMessage {
  /** `system`, `user`, `assistant`, `tool`, or what else the template knows. */
  role: string
  content?: unknown
  [key: string]: unknown
}

export interface ChatTemplateOptions {
  /** Ends the text where the assistant begins to speak. Default false. */
  addGenerationPrompt?: boolean
  /** What the assistant may call, each as JSON schema, for templates that know tools. */
  tools?: unknown[]
  /** The name of one of several templates, or a template itself. */
  chatTemplate?: string
  /** Further variables of the template, as `enable_thinking`. */
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
const LONG_SPACE = /\s{1000}/ // the library's time is quadratic in runs of white space
const MAX_STEPS = 5e6 // a few seconds; a chat of a thousand messages takes some per cent of it
const MAX_LENGTH = 1 << 23 // characters or elements of one value
const LENGTH_A_STEP = 64 // of a value that is copied or searched
const STEPS_A_TURN = 40 // of a loop, each with scopes of its own
const MAX_RANGE = 1e5

function render(source: string, variables: Record<string, unknown>): string {
  if (source.length > MAX_TEMPLATE || LONG_SPACE.test(source)) {
    throw new HeedError(
      'corrupt-file',
      `the chat template is too long (${source.length} characters)`,
      {
        remedy: `A template may have ${MAX_TEMPLATE} characters, and 1000 spaces in a row.`,
      },
    )
  }
  try {
    const { parsed } = new Template(source)
    return String(new BoundedInterpreter(environment(variables)).run(parsed).value)
  } catch (cause) {
    if (cause instanceof HeedError) throw cause
    throw new HeedError('corrupt-file', `the chat template fails: ${reason(cause)}`, {
      cause,
      remedy: 'Do the messages have the roles and fields that the template asks for?',
    })
  }
}

type Value = ReturnType<Interpreter['run']>

/**
 * Templates come with models, so they are hostile. Jinja has no endless loop, but nested ones,
 * macros that call themselves and texts that double take for ever: each evaluation is a step, long
 * values are more, and the number of steps is bounded.
 */
class BoundedInterpreter extends Interpreter {
  private steps = 0
  private readonly iterables = new Set<unknown>()

  override evaluate(...[statement, scope]: Parameters<Interpreter['evaluate']>): Value {
    this.spend(1)
    if (statement?.type === 'For') this.iterables.add(iterableOf(statement))
    const result = super.evaluate(statement, scope)
    const length = lengthOf(result?.value)
    if (this.iterables.has(statement)) this.spend(length * STEPS_A_TURN)
    this.spend(length / LENGTH_A_STEP, length)
    return result
  }

  private spend(steps: number, length = 0): void {
    this.steps += steps
    if (this.steps <= MAX_STEPS && length <= MAX_LENGTH) return
    throw new HeedError('corrupt-file', 'the chat template does not come to an end', {
      remedy: `It took ${MAX_STEPS} steps, or made a text of ${MAX_LENGTH} characters.`,
    })
  }
}

/** What a loop runs over, without its condition. */
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
      'corrupt-file',
      `the chat template refuses these messages: ${String(message)}`,
    )
  },
}

function boundedRange(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length <= MAX_RANGE) return Array.from({ length }, (_, i) => start + i * step)
  throw new HeedError('corrupt-file', `the chat template asks for a range of ${length} numbers`)
}

/** Python's strftime in English, as far as templates use it. */
function formatDate(date: Date, format: string): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const words = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-US', options).format(date)
  const parts: Record<string, () => string> = {
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
  return format.replace(/%([YmdHMSBbAa%])/g, (_, letter: string) => parts[letter]())
}

/** The template of that name or text; without one `tool_use` for tools, else `default`. */
function chooseTemplate(setting: unknown, { chatTemplate, tools }: ChatTemplateOptions): string {
  const named = new Map<string, string>()
  for (const { name, template } of asList(setting)) {
    if (typeof name === 'string' && typeof template === 'string') named.set(name, template)
  }
  if (chatTemplate !== undefined) return named.get(chatTemplate) ?? asTemplate(chatTemplate, named)
  const template = (tools && named.get('tool_use')) ?? named.get('default')
  if (template !== undefined) return template
  const names = named.size > 0 ? ` by default, only ${[...named.keys()].join(', ')}` : ''
  throw new HeedError('unknown-name', `the tokenizer has no chat template${names}`, {
    remedy: 'Use a model that was tuned for chat, or give a template (chatTemplate).',
  })
}

function asList(setting: unknown): { name?: unknown; template?: unknown }[] {
  if (typeof setting === 'string') return [{ name: 'default', template: setting }]
  return Array.isArray(setting) ? setting.filter((entry) => typeof entry === 'object' && entry) : []
}

/** A name that nobody knows is not rendered as if it were a text. */
function asTemplate(text: string, named: ReadonlyMap<string, string>): string {
  if (/\{[{%]/.test(text)) return text
  throw new HeedError(
    'corrupt-file',
    `there is no chat template named ${JSON.stringify(text.slice(0, 60))}`,
    {
      remedy:
        named.size > 0 ? `Known: ${[...named.keys()].join(', ')}.` : 'The tokenizer has none.',
    },
  )
}

function checkMessages(messages: unknown): void {
  if (!Array.isArray(messages)) throw new HeedError('corrupt-file', 'a chat is a list of messages')
  for (const [i, message] of messages.entries()) {
    if (typeof message?.role === 'string') continue
    throw new HeedError('unknown-name', `message ${i} has no role`, {
      remedy: "Write messages as { role: 'user', content: 'Hello' }.",
    })
  }
}

function reason(cause: unknown): string {
  if (cause instanceof RangeError) return 'it calls itself without end, or its text is too long'
  return cause instanceof Error ? cause.message : String(cause)
}
