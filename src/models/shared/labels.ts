// What models that classify have in common: the names of the labels, and the loss.
import { z } from 'zod'
import { F, type Tensor } from '../../tensor/index.ts'
import { HeedError, ShapeError } from '../../util/errors.ts'
import type { Span } from '../heads/text-model.ts'
import { few } from './config.ts'

/** The keys of config.json about labels. */
export const labelFields = {
  id2label: z.record(z.string().max(16), z.string()).optional(),
  label2id: z.record(z.string(), z.int()).nullish(),
  num_labels: few.optional(), // older configs, without names
  problem_type: z
    .enum(['regression', 'single_label_classification', 'multi_label_classification'])
    .nullable()
    .default(null),
}

type LabelConfig = z.output<z.ZodObject<typeof labelFields>>

/**
 * The labels' names in the order of the logits; two, as in transformers, when the config tells none.
 * @throws HeedError when `id2label` is not numbered from 0 on
 */
export function labelsOf({ id2label, num_labels = 2 }: LabelConfig): readonly string[] {
  if (!id2label) return Array.from({ length: num_labels }, (_, i) => `LABEL_${i}`)
  const names = new Map(Object.entries(id2label))
  return Array.from({ length: names.size }, (_, i) => {
    const name = names.get(String(i))
    if (name !== undefined) return name
    throw new HeedError(
      'invalid-config',
      `id2label of the config has ${names.size} labels, and none is number ${i}`,
      {
        remedy: 'Number them from 0 on: {"0": "negative", "1": "positive"}.',
      },
    )
  })
}

/**
 * The loss of logits (B, K) as `problem_type` says, or as the labels tell: (B) i32 are classes, with
 * cross-entropy; (B, K) f32 tell each label on its own; one label is a number, with squared error.
 */
export function classificationLoss(
  logits: Tensor,
  labels: Tensor,
  { problem_type }: LabelConfig,
): Tensor {
  const [batch, count] = logits.shape
  const numbers = labels.size === batch * count && labels.dtype === 'f32'
  const classes = labels.size === batch && labels.dtype !== 'f32'
  const problem = problem_type ?? (count === 1 ? REGRESSION : numbers ? MULTI : SINGLE)
  if (problem === SINGLE ? !classes : !numbers)
    throw new ShapeError(
      `Labels of shape (${labels.shape.join(', ')}) ${labels.dtype} for ${problem}`,
      {
        remedy: `They are ${problem === SINGLE ? `(${batch}) i32` : `(${batch}, ${count}) f32`}.`,
      },
    )
  if (problem === SINGLE) return F.crossEntropy(logits, labels.reshape(batch))
  const wanted = labels.reshape(batch, count)
  return problem === MULTI ? F.bceWithLogits(logits, wanted) : F.mseLoss(logits, wanted)
}

const REGRESSION = 'regression'
const SINGLE = 'single_label_classification'
const MULTI = 'multi_label_classification'

/** Logits (B, T, 2) of an answer's ends, apart. */
export function spanOf(logits: Tensor): Span {
  return { start: logits.select(-1, 0), end: logits.select(-1, 1) }
}

/** The mean of both ends' cross-entropies. */
export function spanLoss(found: Span, answer: Span): Tensor {
  const start = F.crossEntropy(found.start, answer.start)
  return start.add(F.crossEntropy(found.end, answer.end)).div(2)
}
