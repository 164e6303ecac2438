import { HeedError } from '../../util/errors.ts'
import type { ComponentJson } from '../formats/tokenizer-json.ts'

/** What stands around one text or a pair: special tokens, and the places of the texts. */
export interface Template {
  single: TemplateItem[]
  pair: TemplateItem[]
}

export type TemplateItem =
  | { special: number[]; typeId: number }
  | { sequence: 'A' | 'B'; typeId: number }

/** What happens to tokens after the model. */
export interface PostProcessor {
  template: Template
  /** Offsets leave out the white space of a token; `first` keeps that of the one put in front. */
  trim: { first: boolean } | undefined
}

/** The post-processor that `tokenizer.json` describes. */
export function makePostProcessor(config: ComponentJson | null): PostProcessor {
  let template: Template | undefined
  let trim: PostProcessor['trim']
  for (const step of config === null ? [] : flatten(config)) {
    template ??= templateOf(step)
    if ((step.type === 'ByteLevel' || step.type === 'RobertaProcessing') && !trim) {
      if (step.trim_offsets !== false) trim = { first: step.add_prefix_space !== false }
    }
  }
  return { template: template ?? PLAIN, trim }
}

const A: TemplateItem = { sequence: 'A', typeId: 0 }
const B: TemplateItem = { sequence: 'B', typeId: 1 }
const PLAIN: Template = { single: [A], pair: [A, B] }

function flatten(config: ComponentJson): ComponentJson[] {
  if (config.type !== 'Sequence' || !Array.isArray(config.processors)) return [config]
  return config.processors.flatMap(flatten)
}

function templateOf(config: ComponentJson): Template | undefined {
  switch (config.type) {
    case 'TemplateProcessing':
      return { single: readItems(config, 'single'), pair: readItems(config, 'pair') }
    case 'BertProcessing': {
      const [cls, sep] = [tokenOf(config, 'cls'), tokenOf(config, 'sep')]
      const one = { special: [sep], typeId: 1 }
      const single = [{ special: [cls], typeId: 0 }, A, { special: [sep], typeId: 0 }]
      return { single, pair: [...single, B, one] }
    }
    case 'RobertaProcessing': {
      const [cls, sep] = [tokenOf(config, 'cls'), tokenOf(config, 'sep')]
      const end = { special: [sep], typeId: 0 }
      const single = [{ special: [cls], typeId: 0 }, A, end]
      return { single, pair: [...single, end, { sequence: 'B', typeId: 0 }, end] }
    }
    case 'ByteLevel':
      return undefined
    default:
      throw new HeedError('unknown-name', `Unknown PostProcessor type: ${config.type}`)
  }
}

/** `cls` and `sep` are written as [token, id]. */
function tokenOf(config: ComponentJson, key: string): number {
  const value = config[key]
  const id = Array.isArray(value) ? value[1] : undefined
  return isId(id) ? id : refuse(`its ${key}`, value)
}

function readItems(config: ComponentJson, key: 'single' | 'pair'): TemplateItem[] {
  const items = config[key]
  if (!Array.isArray(items)) return refuse(`its ${key}`, items)
  return items.map((item: Record<string, Record<string, unknown>>) => {
    const { id, type_id = 0 } = item?.SpecialToken ?? item?.Sequence ?? {}
    if (typeof id !== 'string' || !isId(type_id)) return refuse(`an item of its ${key}`, item)
    if (item.SpecialToken) return { special: idsOf(config, id), typeId: type_id }
    return id === 'A' || id === 'B' ? { sequence: id, typeId: type_id } : refuse('a sequence', id)
  })
}

function idsOf(config: ComponentJson, name: string): number[] {
  const tokens = new Map(Object.entries(config.special_tokens ?? {}))
  const ids: unknown = tokens.get(name)?.ids
  return Array.isArray(ids) && ids.every(isId) ? ids : refuse(`special token ${name}`, ids)
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 24
}

function refuse(what: string, value: unknown): never {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 60)
  throw new HeedError('corrupt-file', `the post_processor is not usable: ${what} is ${shown}`)
}
