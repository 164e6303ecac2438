import { checkArgument } from '../../util/check-argument.ts'
import { invalidOption } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { checkTokens, HIDDEN, keepOnly, type LogitsProcessor, type Text } from './processor.ts'

const SUPPRESS = optionKinds<{ atBegin?: boolean; forced?: number }>({
  atBegin: 'flag?',
  forced: 'count?',
})

/** Prevents these tokens from being generated. */
export function suppressTokens(
  banned: readonly number[],
  options: {
    /** Prevent them only as the first generated token. */
    atBegin?: boolean
    /** Number of forced tokens after a one-token prompt; the next token then counts as the first. */
    forced?: number
  } = {},
): LogitsProcessor {
  SUPPRESS.check('suppressTokens', options)
  const { atBegin = false, forced = 0 } = options
  checkTokens('suppressTokens', banned)
  return {
    process(scores, { tokens, promptLength }) {
      if (atBegin && tokens.length !== promptLength + (promptLength > 1 ? 0 : forced)) return
      for (const token of banned) scores[token] = HIDDEN
    },
  }
}

/** Forces the first generated tokens, for example the token of a language. */
export function forceTokens(forced: readonly number[]): LogitsProcessor {
  checkTokens('forceTokens', forced)
  return {
    process(scores, { tokens, promptLength }) {
      const next = forced[tokens.length - promptLength]
      if (next === undefined) return
      keepOnly(scores, [next])
      scores[next] = 0
    },
  }
}

/** Prevents these token sequences from being completed. A sequence that is a single end token has no effect. */
export function badWords(words: readonly (readonly number[])[]): LogitsProcessor {
  checkArgument('badWords', 'words', words, 'numberLists')
  checkSequences('badWords', words)
  return {
    process(scores, text) {
      for (const word of words)
        if (!(word.length === 1 && text.stopTokens?.includes(word[0])) && isCompleted(word, text))
          scores[word[word.length - 1]] = HIDDEN
    },
  }
}

/** Adds a bias to the score of each token that completes one of these sequences. */
export function sequenceBias(
  biases: readonly (readonly [tokens: readonly number[], bias: number])[],
): LogitsProcessor {
  checkArgument('sequenceBias', 'biases', biases, 'lists')
  for (const [, bias] of biases) checkArgument('sequenceBias', 'bias', bias, 'finite')
  checkSequences(
    'sequenceBias',
    biases.map(([tokens]) => tokens),
  )
  const single = new Map(biases.map(([tokens, bias]) => [tokens.join(), { tokens, bias }]))
  return {
    process(scores, text) {
      for (const { tokens, bias } of single.values())
        if (isCompleted(tokens, text)) scores[tokens[tokens.length - 1]] += bias
    },
  }
}

function checkSequences(name: string, sequences: readonly (readonly number[])[]): void {
  for (const sequence of sequences) {
    checkTokens(name, sequence)
    if (sequence.length === 0)
      throw invalidOption({
        key: name,
        value: sequence,
        expected: 'lists of at least one token',
        remedy: 'Remove empty lists.',
      })
  }
}

/** Whether the text ends with all tokens of a sequence except the last. */
function isCompleted(sequence: readonly number[], { tokens }: Text): boolean {
  const head = tokens.length - (sequence.length - 1)
  return (
    head >= 0 &&
    sequence.every((token, i) => i === sequence.length - 1 || tokens[head + i] === token)
  )
}
