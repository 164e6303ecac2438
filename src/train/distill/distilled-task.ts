// A task whose loss also compares the model with a teacher.
import { captureActivations, type Module } from '../../nn/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { F, noGrad, type Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { Distillation, Outputs, Task } from '../task.ts'
import type { LayerPairs } from './layers.ts'
import { cosineDistance, divergence } from './losses.ts'
import type { DistillOptions } from './options.ts'

/** What a distilled task compares. */
export interface Lesson {
  /** The model that supervises; its weights do not change. */
  readonly teacher: Module
  /** The layers that are compared, with their projections. */
  readonly layers: LayerPairs
  /** Weights of the losses. */
  readonly options: Pick<
    DistillOptions,
    'alpha' | 'teacherTemperature' | 'divergence' | 'teacherShare' | 'hiddenWeight' | 'cosineWeight'
  >
}

/**
 * Returns a task with the loss α·T²·D(student, teacher) + (1 − α)·CE(student, labels), plus the weighted distances of
 * hidden states. Everything else is that of `task`.
 * @throws HeedError for a task without distributions over classes
 */
export function distilledTask<E>(task: Task<E>, lesson: Lesson): Task<E> {
  const { distillation } = task
  if (distillation === undefined) throw notDistilled(task.name)
  const { hiddenWeight, cosineWeight, alpha } = lesson.options
  const own: Pick<Task<E>, 'loss' | 'itemCounts'> = {
    loss: (model, batch) => lossTerms(model, batch, distillation, lesson),
    itemCounts(batch) {
      const { items, labels, tokens } = distillation.counts(batch)
      return [
        items,
        ...(alpha < 1 ? [labels] : []),
        ...(hiddenWeight > 0 ? [tokens] : []),
        ...(cosineWeight > 0 ? [tokens] : []),
      ]
    },
  }
  return Object.assign(Object.create(task), own)
}

function lossTerms(
  student: Module,
  batch: BatchTensors,
  distillation: Distillation,
  { teacher, layers, options }: Lesson,
): Tensor[] {
  const { alpha, hiddenWeight, cosineWeight, divergence: kind } = options
  const temperature = options.teacherTemperature
  const compares = hiddenWeight > 0 || cosineWeight > 0
  const read = (model: Module, paths: readonly string[]) =>
    captureActivations(model, compares ? paths : [], () => distillation.outputs(model, batch))
  const own = read(student, layers.student)
  const its = noGrad(() => read(teacher, layers.teacher))
  const { logits, labels, items, taught = logits, tokens } = own.result
  const scale = kind === 'hard' ? 1 : temperature ** 2
  const distances = divergence(taught, its.result.logits, {
    divergence: kind,
    temperature,
    beta: options.teacherShare,
  })
  const terms = [mean(distances, items).mul(alpha * scale)]
  if (alpha < 1) terms.push(labelLoss(logits, labels).mul(1 - alpha))
  const pairs = layers.pairsOf(own.activations, its.activations)
  if (hiddenWeight > 0)
    terms.push(
      sum(pairs.map(([s, t]) => mean(layers.projected(s).sub(t).square().mean(-1), tokens))).mul(
        hiddenWeight / pairs.length,
      ),
    )
  const last = pairs.at(-1)
  if (cosineWeight > 0 && last)
    terms.push(mean(cosineDistance(last[0], last[1]), tokens).mul(cosineWeight))
  return terms
}

/** The mean over the items that count; 0 if none does. */
function mean(values: Tensor, items: Outputs['items']): Tensor {
  if (items === undefined) return values.mean()
  const counted = items.to('f32')
  return values
    .mul(counted)
    .sum()
    .div(counted.sum().clamp({ min: 1 }))
}

/** The mean cross-entropy of the items with a label; 0 if none has one. */
function labelLoss(logits: Tensor, labels: Tensor): Tensor {
  if (labels.dtype === 'f32') return logits.logSoftmax(-1).mul(labels).sum(-1).mean().neg()
  const losses = F.crossEntropy(logits, labels, { reduction: 'none' })
  return mean(losses, labels.ne(-100))
}

const sum = (terms: readonly Tensor[]): Tensor => terms.reduce((a, b) => a.add(b))

const notDistilled = (name: string): HeedError =>
  new HeedError(
    'unsupported',
    `The task must give one distribution over classes to be distilled, got '${name}' with these options`,
    {
      key: 'task',
      value: name,
      remedy:
        'Use text-generation, fill-mask without next-sentence prediction, or a classification with one label for each item, without additional losses and smoothing.',
    },
  )
