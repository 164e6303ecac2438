import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import type { Head } from './heads/heads.ts'

/**
 * Checks that a value is a model with the given head. Models of other classes, without a head, are accepted.
 * @throws HeedError for other values, and for a model with another head, such as an embedding BERT for text generation
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
