import type { ComponentJson } from './tokenizer-json.ts'

/** A token with its id. */
export type TokenAndId = readonly [token: string, id: number]

/** A template that adds a token before each text, after it, or both; null if there are no tokens. */
export function around(before?: TokenAndId, after?: TokenAndId): ComponentJson | null {
  const tokens = [before, after].filter((token) => token !== undefined)
  if (tokens.length === 0) return null
  const items = (id: 'A' | 'B', type_id: number): unknown[] => [
    ...(before ? [{ SpecialToken: { id: before[0], type_id } }] : []),
    { Sequence: { id, type_id } },
    ...(after ? [{ SpecialToken: { id: after[0], type_id } }] : []),
  ]
  return {
    type: 'TemplateProcessing',
    single: items('A', 0),
    pair: [...items('A', 0), ...items('B', 1)],
    special_tokens: Object.fromEntries(
      tokens.map(([id, number]) => [id, { id, ids: [number], tokens: [id] }]),
    ),
  }
}
