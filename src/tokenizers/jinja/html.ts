import { Markup, type Value } from './objects.ts'
import { replaceCharacters } from './replace-characters.ts'
import { toText } from './repr.ts'

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return replaceCharacters(text, /[&<>"']/g, (character) => ENTITIES[character])
}

/** The text of a value that is safe in HTML; one that already is stays. */
export const escaped = (value: Value): Markup =>
  value instanceof Markup ? value : new Markup(escapeHtml(toText(value)))
