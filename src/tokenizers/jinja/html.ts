import { allocateText } from './limits.ts'
import { Markup, type Value } from './objects.ts'
import { toText } from './repr.ts'

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  const result = text.replace(/[&<>"']/g, (character) => ENTITIES[character])
  allocateText(result.length)
  return result
}

/** The text of a value that is safe in HTML; one that already is stays. */
export const escaped = (value: Value): Markup =>
  value instanceof Markup ? value : new Markup(escapeHtml(toText(value)))
