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

/** Escapes a value for HTML, unless it is already safe. */
export const escaped = (value: Value): Markup =>
  value instanceof Markup ? value : new Markup(escapeHtml(toText(value)))
