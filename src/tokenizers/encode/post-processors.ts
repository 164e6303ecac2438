import { z } from 'zod'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { refuse } from '../schema-error.ts'
import { registerTokenizerStep, tokenizerStep } from './register-step.ts'
import { flag, tokenId } from './settings.ts'
import type { PostProcessor, Template, TemplateItem } from './steps.ts'

const A: TemplateItem = { sequence: 'A', typeId: 0 }
const B: TemplateItem = { sequence: 'B', typeId: 1 }

/** A text alone, or a pair one after the other. */
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

/** The ids of each special token of a template. */
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
  make: ({ processors }): PostProcessor => ({
    template: processors.find(({ template }) => template !== undefined)?.template,
    trim: processors.find(({ trim }) => trim !== undefined)?.trim,
  }),
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
  make: (template) => ({ template }),
})

registerTokenizerStep('post_processor', 'BertProcessing', {
  schema: z.object(ends),
  make: ({ cls, sep }) => {
    const single = [token(cls[1], 0), A, token(sep[1], 0)]
    return { template: { single, pair: [...single, B, token(sep[1], 1)] } }
  },
})

registerTokenizerStep('post_processor', 'RobertaProcessing', {
  schema: z.object({ ...ends, ...trimSettings }),
  make: ({ cls, sep, ...settings }) => {
    const end = token(sep[1], 0)
    const single = [token(cls[1], 0), A, end]
    const pair = [...single, end, { sequence: 'B', typeId: 0 } as const, end]
    return { template: { single, pair }, trim: trimBy(settings) }
  },
})

registerTokenizerStep('post_processor', 'ByteLevel', {
  schema: z.object(trimSettings),
  make: (settings) => ({ trim: trimBy(settings) }),
})

function token(id: number, typeId: number): TemplateItem {
  return { special: [id], typeId }
}

function trimBy(settings: {
  trim_offsets: boolean
  add_prefix_space: boolean
}): PostProcessor['trim'] {
  return settings.trim_offsets ? { first: settings.add_prefix_space } : undefined
}
