// Losses between the outputs of a student and of its teacher. Results have one value for each item; the mean is taken by
// `distilledTask`.

import { checkTensors } from '../../tensor/arguments.ts'
import type { Tensor } from '../../tensor/index.ts'
import { invalidOption, ShapeError } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'

/** How two distributions are compared. */
export const DIVERGENCES = ['forward', 'reverse', 'js', 'hard'] as const

/** Options of `divergence`. */
export interface DivergenceOptions {
  /**
   * `forward`: KL(teacher ‖ student) (Hinton et al., 2015). `reverse`: KL(student ‖ teacher). `js`: the generalised
   * Jensen-Shannon divergence (Agarwal et al., 2024, equation 1). `hard`: cross-entropy with the most probable class of
   * the teacher (Touvron et al., 2021). Default `forward`.
   */
  divergence?: (typeof DIVERGENCES)[number]
  /** Both logits are divided by it. Without effect for `hard`. Default 1. */
  temperature?: number
  /** Share of the teacher in the mixture of `js`, between 0 (`forward`) and 1 (`reverse`). Default 0.5. */
  beta?: number
}

const OPTIONS = optionKinds<DivergenceOptions>({
  divergence: 'text?',
  temperature: 'number?',
  beta: 'number?',
})

/**
 * Compares the distributions of a student and a teacher: logits (…, K) -> (…). The teacher gets no gradient. The
 * gradient shrinks with temperature²; training multiplies by it.
 * @throws HeedError for options out of range, and for logits of different shapes
 */
export function divergence(
  student: Tensor,
  teacher: Tensor,
  options: DivergenceOptions = {},
): Tensor {
  checkTensors('divergence', { student, teacher })
  OPTIONS.check('divergence', options)
  const { divergence: kind = 'forward', temperature = 1, beta = 0.5 } = options
  if (student.shape.join() !== teacher.shape.join())
    throw new ShapeError(
      `divergence: student and teacher must have logits of one shape, got (${student.shape.join(', ')}) and (${teacher.shape.join(', ')})`,
      { remedy: 'Use models with the same labels or vocabulary.' },
    )
  checkRange('temperature', temperature, temperature > 0, 'a number above 0')
  checkRange('beta', beta, beta >= 0 && beta <= 1, 'a number from 0 to 1')
  checkRange('divergence', kind, DIVERGENCES.includes(kind), DIVERGENCES.join(', '))
  const fixed = teacher.detach()
  if (kind === 'hard') return pick(student.logSoftmax(-1), fixed.argmax(-1)).neg()
  const s = student.div(temperature).logSoftmax(-1)
  const t = fixed.div(temperature).logSoftmax(-1)
  if (kind === 'forward' || (kind === 'js' && beta === 0)) return kl(t, s)
  if (kind === 'reverse' || beta === 1) return kl(s, t)
  // JSD_β = β KL(T ‖ M) + (1 − β) KL(S ‖ M), M = β T + (1 − β) S
  const mixture = logAddExp(t.add(Math.log(beta)), s.add(Math.log1p(-beta)))
  return kl(t, mixture)
    .mul(beta)
    .add(kl(s, mixture).mul(1 - beta))
}

/** 1 − cos of the last axis: (…, C) -> (…), the third loss of DistilBERT (Sanh et al., 2019). */
export function cosineDistance(student: Tensor, teacher: Tensor): Tensor {
  checkTensors('cosineDistance', { student, teacher })
  const norm = (x: Tensor): Tensor => x.square().sum(-1).clamp({ min: 1e-16 }).sqrt()
  const fixed = teacher.detach()
  return student
    .mul(fixed)
    .sum(-1)
    .div(norm(student).mul(norm(fixed)))
    .neg()
    .add(1)
}

/** KL(P ‖ Q) of log-probabilities. */
const kl = (p: Tensor, q: Tensor): Tensor => p.exp().mul(p.sub(q)).sum(-1)

/** log(exp(a) + exp(b)) */
function logAddExp(a: Tensor, b: Tensor): Tensor {
  const top = a.maximum(b).detach()
  return a.sub(top).exp().add(b.sub(top).exp()).log().add(top)
}

const pick = (values: Tensor, classes: Tensor): Tensor =>
  values.gather(-1, classes.unsqueeze(-1)).squeeze(-1)

function checkRange(key: string, value: unknown, fits: boolean, expected: string): void {
  if (!fits) throw invalidOption({ key, value, expected })
}
