// Names of weights in checkpoints of different versions and heads.
import type { Module } from '../../nn/index.ts'

/** What a family declares about the keys of its checkpoints. */
export interface KeyRules {
  readonly prefix: string
  readonly ignoredKeys?: RegExp
  readonly renamedKeys?: readonly (readonly [RegExp, string])[]
}

/**
 * Translates a key of a checkpoint to a model's name; null for a key without a weight. Keys of models with a head have
 * a prefix, keys of stacks do not. Both kinds of checkpoints can be loaded into both kinds of models.
 * @param stack the layers below any head
 * @param prefix field of the stack in the model; null if the model is the stack
 */
export function modelKey(
  key: string,
  rules: KeyRules,
  stack: Module,
  prefix: string | null,
): string | null {
  if (rules.ignoredKeys?.test(key)) return null
  let name = key
  for (const [pattern, replacement] of rules.renamedKeys ?? [])
    name = name.replace(pattern, replacement)
  for (const known of [rules.prefix, prefix])
    if (known !== null && name.startsWith(`${known}.`)) name = name.slice(known.length + 1)
  const [field] = name.split('.', 1)
  return prefix !== null && isField(stack, field) ? `${prefix}.${name}` : name
}

/** Old checkpoints of BERT and its variants store position ids and use TensorFlow's names of weights. */
export const bertKeys = {
  ignoredKeys: /embeddings\.(position_ids|mask_token)$/,
  renamedKeys: [
    [/LayerNorm\.gamma$/, 'LayerNorm.weight'],
    [/LayerNorm\.beta$/, 'LayerNorm.bias'],
  ],
} as const

const isField = (module: Module, name: string): boolean => Object.keys(module).includes(name)
