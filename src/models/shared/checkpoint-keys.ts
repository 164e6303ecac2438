// The names of weights in checkpoints of all ages and heads.
import type { Module } from '../../nn/index.ts'

/** What a family says about the keys of its checkpoints. */
export interface KeyRules {
  readonly prefix: string
  readonly ignoredKeys?: RegExp
  readonly renamedKeys?: readonly (readonly [RegExp, string])[]
}

/**
 * What a key of a checkpoint is called in a model; null for a key that holds no weight. Checkpoints of the stack alone
 * lack the prefix, those of models with a head have it: either kind opens in either model.
 * @param stack the layers below any head
 * @param prefix the field of the stack in the model; null where the model is the stack
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

/** Old checkpoints of BERT and its relatives store positions, and call weights by the names of TensorFlow. */
export const bertKeys = {
  ignoredKeys: /embeddings\.(position_ids|mask_token)$/,
  renamedKeys: [
    [/LayerNorm\.gamma$/, 'LayerNorm.weight'],
    [/LayerNorm\.beta$/, 'LayerNorm.bias'],
  ],
} as const

const isField = (module: Module, name: string): boolean => Object.keys(module).includes(name)
