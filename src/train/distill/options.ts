// Keys of the configuration of a run with a teacher.
import { z } from 'zod'
import type { Options } from '../task.ts'
import { DIVERGENCES } from './losses.ts'

const share = z.number().min(0).max(1)

/** The keys that a run with a teacher adds, in the order of the help. */
export const distillSchema = z.object({
  teacher: z.string().optional().describe('folder of the teacher'),
  every: z
    .int()
    .min(2)
    .optional()
    .describe('start from every n-th layer of `from`, beginning with the first'),
  alpha: share
    .default(0.5)
    .describe('weight of the loss with the teacher; that with the labels has 1 - alpha'),
  teacherTemperature: z
    .number()
    .positive()
    .default(2)
    .describe(
      'temperature: logits of both models are divided by it, and the loss is multiplied by its square',
    ),
  divergence: z
    .enum(DIVERGENCES)
    .default('forward')
    .describe(
      'comparison with the teacher: forward or reverse (KL), js (Jensen-Shannon) or hard (its most probable class)',
    ),
  teacherShare: share.default(0.5).describe('share of the teacher in the mixture of js'),
  hiddenWeight: z
    .number()
    .min(0)
    .default(0)
    .describe('weight of the squared distance of hidden states, after a learned projection'),
  cosineWeight: z
    .number()
    .min(0)
    .default(0)
    .describe('weight of the cosine distance of the last hidden states'),
  onPolicy: share
    .default(0)
    .describe(
      'fraction of the steps on texts that the student has written (text-generation, chat)',
    ),
  teacherBeams: z
    .int()
    .min(0)
    .max(64)
    .default(0)
    .describe(
      'number of beams with which the teacher writes the texts of the other steps; 0: those of the data',
    ),
})

/** The options of a run with a teacher. */
export type DistillOptions = z.output<typeof distillSchema> & { teacher: string }

/** The options of a configuration; undefined for a run without a teacher. */
export function distillOptions(config: Options): DistillOptions | undefined {
  if (config.teacher === undefined) return undefined // other tasks have options of the same names
  const given = Object.entries(config).filter(([key]) => Object.hasOwn(distillSchema.shape, key))
  const { teacher, ...options } = distillSchema.parse(Object.fromEntries(given))
  return teacher === undefined ? undefined : { ...options, teacher }
}
