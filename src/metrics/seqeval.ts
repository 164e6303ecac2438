import { argumentKinds } from '../util/argument-kinds.ts'
import { checkPairs } from './confusion.ts'
import { type F1Report, f1Report, nothing } from './f1.ts'

/** A named range of tokens; `end` is exclusive. */
export interface Entity {
  /** Type of the entity, such as `PER`. */
  type: string
  /** Index of its first word. */
  start: number
  /** Index behind its last word. */
  end: number
}

const checkEntitiesOf = argumentKinds('entitiesOf', { tags: 'texts' })

/**
 * Extracts entities from tags such as `B-PER I-PER O`, like conlleval and seqeval's default mode: an `I-` without a
 * `B-` starts an entity, and `E-` and `S-` of IOBES end one. Tags without a type have the type `_`.
 */
export function entitiesOf(tags: readonly string[]): Entity[] {
  checkEntitiesOf(tags)
  const entities: Entity[] = []
  let open: { type: string; start: number } | undefined
  let before = 'O'
  for (let i = 0; i <= tags.length; i++) {
    const { prefix, type } = parseTag(tags[i])
    if (open && ends(before, prefix, type !== open.type)) {
      entities.push({ type: open.type, start: open.start, end: i })
      open = undefined
    }
    if (!open && prefix !== 'O') open = { type, start: i }
    before = prefix
  }
  return entities
}

const checkEntityF1 = argumentKinds('entityF1', { expected: 'textLists', predicted: 'textLists' })

/**
 * Computes precision, recall and F1 of entities like seqeval's default mode: an entity is correct if its type and
 * bounds are.
 * @throws HeedError if the numbers of sentences or of their tags differ
 */
export function entityF1(
  expected: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): F1Report {
  checkEntityF1(expected, predicted)
  checkPairs(expected, predicted)
  const decisions = new Map<string, ReturnType<typeof nothing>>()
  const of = (type: string) => {
    const counts = decisions.get(type) ?? nothing()
    decisions.set(type, counts)
    return counts
  }
  expected.forEach((tags, i) => {
    checkPairs(tags, predicted[i])
    const is = new Map(entitiesOf(tags).map((entity) => [key(entity), entity]))
    const said = new Map(entitiesOf(predicted[i]).map((entity) => [key(entity), entity]))
    for (const [name, { type }] of is)
      of(type)[said.has(name) ? 'truePositives' : 'falseNegatives']++
    for (const [name, { type }] of said) if (!is.has(name)) of(type).falsePositives++
  })
  return f1Report([...decisions].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const key = ({ type, start, end }: Entity): string => `${start} ${end} ${type}`

function parseTag(tag = 'O'): { prefix: string; type: string } {
  const rest = tag.slice(1)
  return { prefix: tag[0] ?? 'O', type: rest.slice(rest.indexOf('-') + 1) || '_' }
}

/** Whether an open entity ends between tags with the prefixes `before` and `prefix`. */
function ends(before: string, prefix: string, otherType: boolean): boolean {
  if ('ES'.includes(before)) return true
  return 'BSO'.includes(prefix) || otherType
}
