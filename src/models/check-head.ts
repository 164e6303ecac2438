import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import type { Head } from './heads/heads.ts'

/**
 * Refuses what is no model, and a model with another head: a BERT of embeddings where one that writes is needed. Models
 * of other classes may have no head.
 * @throws HeedError
 */
export function checkHead(owner: string, model: unknown, head: Head): void {
  checkArgument(owner, 'model', model, 'model')
  const { constructor: Model } = model as object
  const has = 'head' in Model ? Model.head : undefined
  if (typeof has !== 'string' || has === head) return
  throw new HeedError(
    'unsupported',
    `${owner}: \`model\` must be a model with the head '${head}', got a ${Model.name} ('${has}')`,
    { key: 'model', remedy: `Load it with fromPretrained(folder, '${head}').` },
  )
}
