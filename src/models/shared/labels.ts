// Labels and losses of classification models.
import { z } from 'zod'
import { F, type Tensor } from '../../tensor/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { ShapeError, shown } from '../../util/errors.ts'
import { listNames, warn } from '../../util/warn.ts'
import type { Span } from '../heads/question-answering.ts'

/** As in transformers, label names may be numbers, and label ids may be strings. */
const labelName = z.union([z.string(), z.number(), z.boolean(), z.null()]).transform(String)
const labelNumber = z.union([
  z.int(),
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
])

const problemTypes = [
  'regression',
  'single_label_classification',
  'multi_label_classification',
] as const

/** Unknown values are ignored with a warning. transformers accepts them but computes no loss. */
function problemType(value: unknown): (typeof problemTypes)[number] | null {
  const known = problemTypes.find((type) => type === value) ?? null
  if (known === null && value !== null && value !== undefined)
    warn(`problem_type ${shown(value)} is not one of ${problemTypes.join(', ')} and was ignored.`)
  return known
}

const MAX_LABELS = 1e6

/** Config keys for labels. Spread them into the schema of a config. */
export const labelFields = {
  /** Names of the labels by their numbers, from "0". */
  id2label: z
    .record(z.string().regex(/^\d{1,9}$/, 'must be the number of a label'), labelName)
    .nullish(),
  /** Numbers of the labels by their names. `id2label` is read instead. */
  label2id: z.record(z.string(), labelNumber).nullish().catch(null),
  /** Number of labels in older configs, which have no names. */
  num_labels: z.union([z.int().max(MAX_LABELS), z.boolean().transform(Number)]).nullish(),
  /** Kind of classification, which decides the loss. Null: it depends on the labels. */
  problem_type: z.unknown().optional().transform(problemType),
}

/** Config keys for labels. */
export type LabelConfig = z.output<z.ZodObject<typeof labelFields>>

/** Returns label names in the order of the logits. As in transformers, the default is two labels. */
export function labelsOf({ id2label, num_labels }: LabelConfig): readonly string[] {
  const names = new Map(Object.entries(id2label ?? {}).map(([id, name]) => [Number(id), name]))
  const count = id2label ? names.size : Math.max(0, num_labels ?? 2)
  const unnamed = Array.from({ length: count }, (_, i) => i).filter((i) => !names.has(i))
  if (id2label && unnamed.length > 0)
    warn(
      `id2label must number its ${count} labels from 0 to ${count - 1}, but lacks ${listNames(unnamed.map(String))}. Missing labels are named LABEL_${unnamed[0]} and so on.`,
    )
  return Array.from({ length: count }, (_, i) => names.get(i) ?? `LABEL_${i}`)
}

/**
 * Computes the loss of logits (B, K). Without `problem_type`, it depends on the labels: cross-entropy for classes i32
 * (B), binary cross-entropy for independent labels f32 (B, K), mean squared error if there is only one label.
 * @throws ShapeError if the labels do not fit
 */
export function classificationLoss(
  logits: Tensor,
  labels: Tensor,
  { problem_type }: LabelConfig,
): Tensor {
  checkArgument('loss', 'labels', labels, 'tensor')
  const [batch, count] = logits.shape
  const numbers = labels.size === batch * count && labels.dtype === 'f32'
  const classes = labels.size === batch && labels.dtype !== 'f32'
  const problem = problem_type ?? (count === 1 ? REGRESSION : numbers ? MULTI : SINGLE)
  if (problem === SINGLE ? !classes : !numbers)
    throw new ShapeError(
      `Labels for ${problem} must be ${problem === SINGLE ? `(${batch}) i32` : `(${batch}, ${count}) f32`}, got (${labels.shape.join(', ')}) ${labels.dtype}`,
      { remedy: 'Change the labels, or problem_type in the config.' },
    )
  if (problem === SINGLE) return F.crossEntropy(logits, labels.reshape(batch))
  const targets = labels.reshape(batch, count)
  return problem === MULTI ? F.bceWithLogits(logits, targets) : F.mseLoss(logits, targets)
}

const REGRESSION = 'regression'
const SINGLE = 'single_label_classification'
const MULTI = 'multi_label_classification'

/** Mean cross-entropy of logits (…, V) with labels (…), ignoring labels of -100; 0 if all are ignored. */
export function labelLoss(logits: Tensor, labels: Tensor, labelSmoothing = 0): Tensor {
  const sum = F.crossEntropy(logits, labels, { labelSmoothing, reduction: 'sum' })
  return sum.div(labels.reshape(-1).to('i32').ne(-100).sum().maximum(1))
}

/** The logits of start and end from logits (B, T, 2). */
export function spanOf(logits: Tensor): Span {
  return { start: logits.select(-1, 0), end: logits.select(-1, 1) }
}

/** Mean of the cross-entropies of start and end. */
export function spanLoss(logits: Span, answer: Span): Tensor {
  checkArgument('loss', 'answer', answer, 'object')
  const start = F.crossEntropy(logits.start, answer.start)
  return start.add(F.crossEntropy(logits.end, answer.end)).div(2)
}
