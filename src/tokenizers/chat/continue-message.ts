import { isJsonObject } from '../../io/files/json-parse.ts'
import { HeedError } from '../../util/errors.ts'
import type { ChatMessage } from './chat-template.ts'

/** Marks the end of the last message, like transformers. The text is cut at the mark. */
export const TAG = {
  text: 'CONTINUE_FINAL_MESSAGE_TAG ',

  /** The text before the mark. White space before it is removed if the template trims messages. */
  cut(rendered: string): string {
    const at = rendered.lastIndexOf(TAG.text.trim())
    if (at < 0) throw notShown()
    const kept = rendered.slice(0, at)
    return rendered.startsWith(TAG.text, at) ? kept : kept.trimEnd()
  },
}

/** Appends the mark to the content of a message, or to the last text in it. */
export function continued(message: ChatMessage): ChatMessage {
  const { content } = message
  if (typeof content === 'string') return { ...message, content: content + TAG.text }
  const parts = Array.isArray(content) ? [...content] : []
  for (let i = parts.length - 1; i >= 0; i--) {
    const part: unknown = parts[i]
    if (!isJsonObject(part) || typeof part.text !== 'string') continue
    parts[i] = { ...part, text: part.text + TAG.text }
    return { ...message, content: parts }
  }
  throw new HeedError(
    'invalid-option',
    `\`continueFinalMessage\` requires that the last message has text, got a message of ${message.role} without text`,
    {
      key: 'continueFinalMessage',
      remedy: 'Add the start of the answer as an assistant message.',
    },
  )
}

function notShown(): HeedError {
  return new HeedError(
    'invalid-data',
    'The chat template must render the last message to continue it, but its output does not contain the message',
    {
      key: 'continueFinalMessage',
      remedy: 'Leave out `continueFinalMessage`, or use another template.',
    },
  )
}
