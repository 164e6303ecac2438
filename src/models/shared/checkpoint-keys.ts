// The names of encoders' weights in checkpoints of all ages and heads.

export interface KeyRule {
  /** The encoder's prefix, which this model, being the encoder itself, has not. */
  drop?: string
  /** The encoder's prefix, which checkpoints of the encoder alone have not. */
  add?: string
}

/** A key as transformers writes it now; null for what is no weight. */
export function modernKey(key: string, { drop, add }: KeyRule): string | null {
  if (/embeddings\.(position_ids|mask_token)$/.test(key)) return null
  const name = key.replace(/LayerNorm\.(gamma|beta)$/, (_, old) => `LayerNorm.${RENAMED[old]}`)
  if (drop && name.startsWith(`${drop}.`)) return name.slice(drop.length + 1)
  return add && ENCODER_PART.test(name) ? `${add}.${name}` : name
}

const RENAMED: Record<string, string> = { gamma: 'weight', beta: 'bias' }
const ENCODER_PART = /^(embeddings|embedder|encoder|transformer|layernorm|pooler)\./
