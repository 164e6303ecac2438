// Conversations as tokens, with the tokens that the assistant writes. Supervised fine-tuning counts only these.
import { HeedError } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import type { Tokenizer } from '../tokenizer.ts'
import { type ChatMessage, type ChatTemplateOptions, renderChat } from './chat-template.ts'

/** Options of `encodeChat`: those of a chat template that do not change which messages are shown. */
export type EncodeChatOptions = Pick<
  ChatTemplateOptions,
  'tools' | 'documents' | 'chatTemplate' | 'variables'
>

/** A conversation as tokens. */
export interface EncodedChat {
  /** The tokens of the whole conversation. */
  ids: number[]
  /** For each token, whether the assistant writes it. The token that ends an answer is one of them. */
  written: boolean[]
}

const OPTIONS = optionKinds<EncodeChatOptions>({
  tools: 'list?',
  documents: 'list?',
  chatTemplate: 'text?',
  variables: 'record?',
})

/** See `Tokenizer.encodeChat`. */
export function encodeChat(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: EncodeChatOptions = {},
): EncodedChat {
  OPTIONS.check('encodeChat', options)
  const { text, answers } = render(tokenizer, messages, options)
  const first = messages.findIndex(({ role }) => role === 'assistant')
  if (first < 1)
    throw new HeedError(
      'invalid-data',
      `The messages must include an answer of the assistant to an earlier message, got the roles ${messages.map(({ role }) => role).join(', ')}`,
      {
        key: 'messages',
        value: messages.length,
        remedy: "Begin with a message of the user, and add { role: 'assistant', content: … }.",
      },
    )
  const spans = answers.length > 0 ? answers : answersIn(text, tokenizer, messages, options)
  return markedTokens(tokenizer, text, spans)
}

/** The end of a turn by tokenizer and template, because it is the same for all rows of data. */
const ends = new WeakMap<Tokenizer, Map<string | undefined, number | undefined>>()

/** See `Tokenizer.endOfTurn`. */
export function endOfTurn(
  tokenizer: Tokenizer,
  options: EncodeChatOptions = {},
): number | undefined {
  OPTIONS.check('endOfTurn', options)
  const known = ends.get(tokenizer) ?? new Map<string | undefined, number | undefined>()
  ends.set(tokenizer, known)
  const { chatTemplate } = options
  if (!known.has(chatTemplate)) known.set(chatTemplate, findEnd(tokenizer, options))
  return known.get(chatTemplate)
}

function findEnd(tokenizer: Tokenizer, options: EncodeChatOptions): number | undefined {
  const example = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: MARK },
  ]
  const { text } = render(tokenizer, example, options)
  const at = text.lastIndexOf(MARK)
  if (at < 0) return undefined
  const after = tokenizer.encode(text.slice(at + MARK.length), { addSpecialTokens: false })
  return after.find((id) => tokenizer.isSpecial(id))
}

const MARK = 'x0x1x2x' // occurs in no template

type Span = readonly [start: number, end: number]

const render = (
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: ChatTemplateOptions,
) => renderChat(tokenizer.config, tokenizer.specialTokens, messages, options)

/** What each answer adds to the text, up to the token that ends the turn. */
function answersIn(
  text: string,
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: EncodeChatOptions,
): Span[] {
  const end = endOfTurn(tokenizer, options)
  if (end === undefined)
    throw new HeedError(
      'unsupported',
      'The chat template must end each answer with a special token, so that the model learns to stop; got a template that does not',
      { key: 'chat_template', remedy: 'Add the end-of-text token after the content of an answer: {{ eos_token }}.' }, // biome-ignore format: one line
    )
  const token = tokenizer.idToToken(end) ?? ''
  return messages.flatMap(({ role }, i) => {
    if (role !== 'assistant') return []
    const before = render(tokenizer, messages.slice(0, i), {
      ...options,
      addGenerationPrompt: true,
    })
    const after = render(tokenizer, messages.slice(0, i + 1), options)
    const shared = sharedLength(text, after.text)
    const at = text.lastIndexOf(token, shared - token.length)
    if (!text.startsWith(before.text) || at < before.text.length) throw rewritten(i)
    return [[before.text.length, at + token.length]] as const
  })
}

function rewritten(message: number): HeedError {
  return new HeedError(
    'unsupported',
    `The chat template must render an answer as what follows its prompt, but renders message ${message + 1} differently in a longer conversation`,
    {
      key: 'chat_template',
      value: message,
      remedy:
        'Enclose the text of the assistant in {% generation %} … {% endgeneration %} in the template, use another template, or keep one answer per conversation.',
    },
  )
}

function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  for (let i = 0; i < most; i++) if (a[i] !== b[i]) return i
  return most
}

/**
 * Encodes the text as a whole. A token that would reach from a prompt into an answer is split there, because the model
 * reads a prompt that ends at that place.
 */
function markedTokens(tokenizer: Tokenizer, text: string, spans: readonly Span[]): EncodedChat {
  const ids: number[] = []
  const written: boolean[] = []
  const encoding = tokenizer.encodeWithOffsets(text, { addSpecialTokens: false })
  const straddled = spans.filter(([start]) =>
    encoding.offsets.some(([from, to]) => from < start && start < to),
  )
  const cuts = [0, ...straddled.map(([start]) => start), text.length]
  for (const [i, from] of cuts.slice(0, -1).entries()) {
    const part =
      straddled.length === 0
        ? encoding
        : tokenizer.encodeWithOffsets(text.slice(from, cuts[i + 1]), { addSpecialTokens: false })
    for (const [j, id] of part.ids.entries()) {
      const start = from + part.offsets[j][0]
      const end = from + part.offsets[j][1]
      ids.push(id)
      written.push(spans.some(([first, last]) => start >= first && start < last && end <= last))
    }
  }
  return { ids, written }
}
