import { type Attribute, Judge } from '../generate/index.ts'
import { checkHead } from '../models/check-head.ts'
import { type CausalLM, fromPretrained } from '../models/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { findTaskFile, openTask } from './task-file.ts'
import { lamda, lamdaFacts } from './tasks/lamda.ts'

/** Options of `openJudge`. */
export interface OpenJudgeOptions {
  /** The model of the run, if it is in memory already. It is used as it is, and not opened again. */
  model?: CausalLM
  /** For the run of an adapter: where its base is now. */
  base?: string
  /** Number of judgements in a batch. Default 16. */
  batchSize?: number
}

const checkOpenJudge = argumentKinds('openJudge', {
  dir: 'text',
  options: optionKinds<OpenJudgeOptions>({
    model: 'model?',
    base: 'text?',
    batchSize: 'size?',
  }),
})

/**
 * Opens a run of the task `lamda` to judge responses by the attributes that it was trained on.
 * @throws HeedError for another run, and for one that was trained without judgements
 */
export async function openJudge(dir: string, options: OpenJudgeOptions = {}): Promise<Judge> {
  checkOpenJudge(dir, options)
  const { model, base, batchSize } = options
  if (model) checkHead('openJudge', model, 'causal-lm')
  const attributes = await judgedBy(dir)
  const opened = model ?? (await fromPretrained(dir, 'causal-lm', { base })).eval()
  return new Judge(opened, await Tokenizer.fromFile(dir), { attributes, batchSize })
}

async function judgedBy(dir: string): Promise<Attribute[]> {
  const task = (await findTaskFile(dir))?.task
  if (task !== lamda.name)
    throw new HeedError('unsupported', `A judge must be a run of the task lamda, got ${task === undefined ? `${dir}, which has no task.json` : `a run of ${task}`}`, {
      key: 'judge',
      value: dir,
      remedy: 'Train one on rated responses, with the task lamda.',
    }) // biome-ignore format: one line
  const { attributes } = lamdaFacts.parse((await openTask(dir)).context.facts)
  if (attributes.length > 0) return attributes
  throw new HeedError('unsupported', `A judge must be trained on ratings of 0 and 1, got ${dir}, whose data had none`, {
    key: 'judge',
    value: dir,
    remedy: 'Train it on rows with ratings, such as `sensible`.',
  }) // biome-ignore format: one line
}
