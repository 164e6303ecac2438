import { HeedError } from '../../util/errors.ts'
import { checkTemplate } from './check-template.ts'
import { globals, RaisedByTemplate } from './globals.ts'
import { Interpreter, type Rendered } from './interpreter.ts'
import { withinLimits } from './limits.ts'
import type { Statement } from './nodes.ts'
import { parseTemplate } from './parse-template.ts'
import { Scope } from './scope.ts'
import { toValue } from './values.ts'

/**
 * Renders a Jinja template like Python, in the environment of `apply_chat_template` of transformers.
 * @throws HeedError with Python's message if Python raises, and if rendering exceeds 1 second or 64 MB
 */
export function renderTemplate(
  source: string,
  variables: Readonly<Record<string, unknown>>,
): Rendered {
  try {
    return withinLimits(() => {
      const template = parsed(source)
      const scope = new Scope()
      for (const [name, value] of globals()) scope.set(name, value)
      for (const [name, value] of Object.entries(variables)) scope.set(name, toValue(value))
      return new Interpreter(scope).render(template)
    })
  } catch (cause) {
    throw explained(cause)
  }
}

const MAX_TEMPLATE = 1 << 18 // characters; the longest published templates have about 30,000

/** Cache of parsed templates, because a chat renders the same one at each turn. */
const recent = new Map<string, Statement[]>()
const MAX_RECENT = 8

function parsed(source: string): Statement[] {
  const known = recent.get(source)
  if (known) return known
  if (source.length > MAX_TEMPLATE)
    throw new HeedError(
      'unsupported',
      `A chat template must have at most ${MAX_TEMPLATE} characters, got ${source.length}`,
      { key: 'chat_template', remedy: 'Pass a shorter template as `chatTemplate`.' },
    )
  const template = parseTemplate(source)
  checkTemplate(template)
  if (recent.size === MAX_RECENT) recent.delete([...recent.keys()][0])
  recent.set(source, template)
  return template
}

function explained(cause: unknown): HeedError {
  if (cause instanceof HeedError) return cause
  if (cause instanceof RaisedByTemplate)
    return new HeedError(
      'invalid-data',
      `The chat template rejected the messages: ${cause.message}`,
      {
        key: 'messages',
        remedy: 'Change the messages as the template requires.',
      },
    )
  const isTooDeep = cause instanceof RangeError && /call stack/i.test(cause.message)
  return new HeedError(
    'invalid-data',
    `The chat template failed: ${isTooDeep ? TOO_DEEP : reasonOf(cause)}`,
    {
      key: 'chat_template',
      ...(!isTooDeep && { cause }),
      remedy: 'Check that the messages have the roles and fields that the template uses.',
    },
  )
}

/** Python's message for a stack overflow. */
const TOO_DEEP = 'maximum recursion depth exceeded'

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
