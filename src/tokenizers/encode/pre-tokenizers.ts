import { z } from 'zod'
import { type AlignedText, mapCharacters } from './aligned-text.ts'
import { GPT2_SPLIT, toByteChars } from './byte-level.ts'
import { prependTo, replaceMatches } from './normalizers.ts'
import { registerTokenizerStep, tokenizerStep } from './register-step.ts'
import { compile, flag, noSettings, tokenizerPattern } from './settings.ts'
import { BEHAVIORS, splitter } from './splitter.ts'
import type { PreTokenizer } from './steps.ts'
import { BERT_WORDS, PUNCTUATION } from './unicode-classes.ts'
import { unicodeScripts } from './unicode-scripts.ts'

// Pre-tokenizers of `tokenizer.json`, with the results of Python's `tokenizers`.

registerTokenizerStep('pre_tokenizer', 'Sequence', {
  schema: z.object({ pretokenizers: z.array(tokenizerStep('pre_tokenizer')) }),
  make: ({ pretokenizers }) => {
    const before = pretokenizers.at(-1)?.beforeBytes
    if (before === undefined) return chain(pretokenizers)
    return withProperties(chain(pretokenizers), {
      beforeBytes: chain([...pretokenizers.slice(0, -1), before]),
    })
  },
})

registerTokenizerStep('pre_tokenizer', 'ByteLevel', {
  schema: z.object({ add_prefix_space: flag(true), use_regex: flag(true) }),
  make: ({ add_prefix_space, use_regex }) => {
    const split = use_regex ? splitter(GPT2_SPLIT, 'isolated') : undefined
    const beforeBytes: PreTokenizer = (source) => {
      const prefixed = add_prefix_space ? prefixSpace(source) : source
      return split ? split(prefixed) : [prefixed]
    }
    return withProperties(
      (source) => beforeBytes(source).map((word) => mapCharacters(word, toByteChars)),
      { beforeBytes, splitsAtSpaces: use_regex && !add_prefix_space },
    )
  },
})

registerTokenizerStep('pre_tokenizer', 'Metaspace', {
  schema: z.object({
    replacement: z.string().min(1).default('▁'),
    prepend_scheme: z.enum(['always', 'first', 'never']).nullish(),
    add_prefix_space: z.boolean().nullish(),
    split: flag(true),
  }),
  make: (settings) => {
    const { replacement: mark, add_prefix_space } = settings
    const scheme = settings.prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always')
    return metaspace(mark, scheme, settings.split)
  },
})

registerTokenizerStep('pre_tokenizer', 'Split', {
  schema: z.object({ pattern: tokenizerPattern, behavior: behavior(), invert: flag(false) }),
  make: (settings) => splitter(settings.pattern, settings.behavior, settings.invert),
})

registerTokenizerStep('pre_tokenizer', 'Punctuation', {
  schema: z.object({ behavior: behavior().default('isolated') }),
  make: (settings) => splitter(PUNCTUATION, settings.behavior),
})

registerTokenizerStep('pre_tokenizer', 'Digits', {
  schema: z.object({ individual_digits: flag(false) }),
  make: (settings) => splitter(/\p{N}/gu, settings.individual_digits ? 'isolated' : 'contiguous'),
})

registerTokenizerStep('pre_tokenizer', 'Whitespace', {
  schema: noSettings,
  make: () => splitter(WORDS_AND_SIGNS, 'removed', true),
})

registerTokenizerStep('pre_tokenizer', 'WhitespaceSplit', {
  schema: noSettings,
  make: () => splitter(/\p{White_Space}/gu, 'removed'),
})

registerTokenizerStep('pre_tokenizer', 'BertPreTokenizer', {
  schema: noSettings,
  make: () => splitter(BERT_WORDS, 'removed', true),
})

registerTokenizerStep('pre_tokenizer', 'CharDelimiterSplit', {
  schema: z.object({ delimiter: z.string().min(1) }),
  make: ({ delimiter }) => splitter(compile({ String: delimiter }), 'removed'),
})

registerTokenizerStep('pre_tokenizer', 'UnicodeScripts', {
  schema: noSettings,
  make: () => unicodeScripts,
})

registerTokenizerStep('pre_tokenizer', 'FixedLength', {
  schema: z.object({
    length: z
      .int()
      .min(1)
      .max(2 ** 20)
      .default(5),
  }),
  make: ({ length }) => splitter(new RegExp(`[\\s\\S]{1,${length}}`, 'gu'), 'isolated'),
})

const WORDS_AND_SIGNS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu

function chain(steps: readonly PreTokenizer[]): PreTokenizer {
  return (source) => steps.reduce((words, step) => words.flatMap((word) => step(word)), [source])
}

function withProperties(
  step: (source: AlignedText) => AlignedText[],
  properties: Pick<PreTokenizer, 'beforeBytes' | 'splitsAtSpaces'>,
): PreTokenizer {
  return Object.assign(step, properties)
}

function prefixSpace(source: AlignedText): AlignedText {
  return source.text.startsWith(' ') ? source : prependTo(source, ' ')
}

/** Replaces spaces by a visible character, which belongs to the following word (SentencePiece). */
function metaspace(
  mark: string,
  scheme: 'always' | 'first' | 'never',
  splits: boolean,
): PreTokenizer {
  const split = splitter(compile({ String: mark }), 'mergedwithnext')
  return (source) => {
    let out = mark.length === 1 ? source.with(source.text.replaceAll(' ', mark)) : source
    if (mark.length !== 1) out = replaceMatches(source, / /g, mark)
    const prepends = scheme === 'always' || (scheme === 'first' && source.base === 0)
    if (prepends && !out.text.startsWith(mark)) out = prependTo(out, mark)
    return splits ? split(out) : [out]
  }
}

/** Schema of the behavior, which files write as `MergedWithNext` or `mergedwithnext`. */
function behavior() {
  return z
    .string()
    .transform((name) => name.toLowerCase())
    .pipe(z.enum(BEHAVIORS))
}
