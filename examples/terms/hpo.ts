// Terms of the Human Phenotype Ontology with their definitions.
import { readFileSync } from 'node:fs'

/** A medical term. */
export interface Term {
  name: string
  definition: string
}

/** Reads the terms that have a definition from `hp.obo`, in its order. */
export function readTerms(path: string): Term[] {
  const parts = readFileSync(path, 'utf8').split('\n[Term]\n').slice(1)
  return parts.flatMap((part) => {
    const name = /^name: (.+)$/m.exec(part)?.[1]
    const definition = /^def: "((?:[^"\\]|\\.)*)"/m.exec(part)?.[1]
    if (!name || !definition || /^is_obsolete: true$/m.test(part)) return []
    return [{ name, definition: definition.replace(/\\(.)/g, '$1').replace(/\s+/g, ' ').trim() }]
  })
}

/** Terms made up on the spot, for trying an example. */
export const toyTerms = (): Term[] =>
  Array.from({ length: 64 }, (_, i) => ({
    name: `Term ${i}`,
    definition: `A sign of the kind ${i}.`,
  }))
