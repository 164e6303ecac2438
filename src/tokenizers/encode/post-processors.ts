import { z } from 'zod'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { refuse } from '../schema-error.ts'
import { registerTokenizerStep, tokenizerStep } from './register-step.ts'
import { flag, tokenId } from './settings.ts'
import type { PostProcessor, Template, TemplateItem, Texts } from './steps.ts'

const A: TemplateItem = { sequence: 'A', typeId: 0 }
const B: TemplateItem = { sequence: 'B', typeId: 1 }

/** Template without special tokens. */
export const PLAIN_TEMPLATE: Template = { single: [A], pair: [A, B] }

const trimSettings = { trim_offsets: flag(true), add_prefix_space: flag(true) }
const tokenAndId = z.tuple([z.string(), tokenId])
const ends = { cls: tokenAndId, sep: tokenAndId }

const templateItems = z.array(
  z.union(
    [
      z.object({ SpecialToken: z.object({ id: z.string(), type_id: tokenId.default(0) }) }),
      z.object({ Sequence: z.object({ id: z.enum(['A', 'B']), type_id: tokenId.default(0) }) }),
    ],
    'an object with `SpecialToken` or `Sequence`, each with an `id` and a `type_id`',
  ),
)

const templateToken = z.object({ ids: z.array(tokenId) })

/** Ids of the special tokens of a template. */
const specialTokens = z.unknown().transform((json, context) => {
  const ids = new Map<string, number[]>()
  if (!isJsonObject(json ?? {})) return refuse(context, json, 'an object')
  for (const [name, token] of Object.entries(json ?? {})) {
    const parsed = templateToken.safeParse(token)
    if (!parsed.success)
      return refuse(context, token, 'an object with a list `ids` of token ids', { path: [name] })
    ids.set(name, parsed.data.ids)
  }
  return ids
})

registerTokenizerStep('post_processor', 'Sequence', {
  schema: z.object({ processors: z.array(tokenizerStep('post_processor')) }),
  make: ({ processors }): PostProcessor => {
    const wraps = processors.map(wrapOf).filter((wrap) => wrap !== undefined)
    return {
      ...(wraps.length > 0 && wrapping((texts) => wraps.reduce((all, wrap) => wrap(all), texts))),
      trim: processors.flatMap(({ trim }) => trim ?? []),
    }
  },
})

registerTokenizerStep('post_processor', 'TemplateProcessing', {
  schema: z
    .object({ single: templateItems, pair: templateItems, special_tokens: specialTokens })
    .transform(({ single, pair, special_tokens }, context) => {
      const place = (
        key: 'single' | 'pair',
        items: z.output<typeof templateItems>,
      ): TemplateItem[] =>
        items.map((item, i) => {
          if ('Sequence' in item)
            return { sequence: item.Sequence.id, typeId: item.Sequence.type_id }
          const { id, type_id } = item.SpecialToken
          const special = special_tokens.get(id)
          if (special) return { special, typeId: type_id }
          const path = [key, i, 'SpecialToken', 'id']
          return refuse(context, id, 'a key of `special_tokens`', { path })
        })
      return { single: place('single', single), pair: place('pair', pair) }
    }),
  make: ({ single, pair }) => wrapping((texts) => fill(texts, single, pair)),
})

registerTokenizerStep('post_processor', 'BertProcessing', {
  schema: z.object(ends),
  make: ({ cls, sep }) =>
    wrapping(([first, ...others]) => [
      [token(cls[1], 0), ...first, token(sep[1], 0)],
      ...others.map((text) => [...text, token(sep[1], 1)]),
    ]),
})

registerTokenizerStep('post_processor', 'RobertaProcessing', {
  schema: z.object({ ...ends, ...trimSettings }),
  make: ({ cls, sep, ...settings }) => {
    const end = token(sep[1], 0)
    const around = wrapping((texts) =>
      texts.map((text, i) => {
        return [i === 0 ? token(cls[1], 0) : end, ...withType(text, 0), end]
      }),
    )
    return { ...around, trim: trimBy(settings) }
  },
})

registerTokenizerStep('post_processor', 'ByteLevel', {
  schema: z.object(trimSettings),
  make: (settings) => ({ trim: trimBy(settings) }),
})

/** Makes a post-processor from a function that adds tokens around texts. */
function wrapping(wrap: NonNullable<PostProcessor['wrap']>): PostProcessor {
  const [single, pair] = [[[A]], [[A], [B]]].map((texts) => wrap(texts).flat())
  return { template: { single, pair }, wrap }
}

/** The `wrap` function of a step. If it only has a template, the function joins the texts to one. */
function wrapOf({ wrap, template }: PostProcessor): PostProcessor['wrap'] {
  if (wrap || !template) return wrap
  return (texts) => [fill(texts, template.single, template.pair).flat()]
}

/** Fills a template. Each item becomes a separate text for the next step. */
function fill(
  texts: Texts,
  single: readonly TemplateItem[],
  pair: readonly TemplateItem[],
): TemplateItem[][] {
  if (texts.length > 2) throw new Error('a template must follow a step with at most two texts')
  return (texts.length === 1 ? single : pair).map((item) => {
    if ('special' in item) return [item]
    return withType(texts[item.sequence === 'A' ? 0 : 1] ?? [], item.typeId)
  })
}

function withType(text: readonly TemplateItem[], typeId: number): TemplateItem[] {
  return text.map((item) => ({ ...item, typeId }))
}

function token(id: number, typeId: number): TemplateItem {
  return { special: [id], typeId }
}

function trimBy(settings: {
  trim_offsets: boolean
  add_prefix_space: boolean
}): PostProcessor['trim'] {
  return settings.trim_offsets ? [{ first: settings.add_prefix_space }] : []
}
