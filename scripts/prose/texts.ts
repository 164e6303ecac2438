// Extracts the text that a person reads in a file: comments, strings, and the text of Markdown pages.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { walk } from '../house/sources.ts'

export interface Sentence {
  /** From 1. */
  line: number
  text: string
}

/** One entry for each line. */
export function sentencesIn(root: string, path: string): Sentence[] {
  const text = readFileSync(join(root, path), 'utf8')
  if (path.endsWith('.md')) return ofMarkdown(text)
  if (/\.(?:ts|js|mjs|mts)$/.test(path)) return ofTypeScript(path, text)
  return ofCpp(text)
}

/** The lines of a page, without code blocks and inline code. */
function ofMarkdown(text: string): Sentence[] {
  let inCode = false
  return text.split('\n').flatMap((line, i) => {
    if (/^\s*```/.test(line)) inCode = !inCode
    if (inCode || /^ {4}/.test(line)) return []
    return [{ line: i + 1, text: line.replaceAll(/`[^`]*`/g, '`…`') }]
  })
}

function ofTypeScript(path: string, text: string): Sentence[] {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: Sentence[] = []
  const add = (from: number, piece: string): void => {
    const first = tree.getLineAndCharacterOfPosition(from).line + 1
    for (const [i, line] of piece.split('\n').entries()) found.push({ line: first + i, text: line })
  }
  const seen = new Set<number>()
  walk(tree, (node) => {
    for (const { pos, end } of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [])
      if (!seen.has(pos)) {
        seen.add(pos)
        add(pos, text.slice(pos, end))
      }
    for (const { pos, end } of ts.getTrailingCommentRanges(text, node.end) ?? [])
      if (!seen.has(pos)) {
        seen.add(pos)
        add(pos, text.slice(pos, end))
      }
    const isText = ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node)
    if (isText && /\s/.test(node.text.trim()) && !ts.isImportDeclaration(node.parent))
      add(node.getStart(tree), node.text)
  })
  return found
}

function ofCpp(text: string): Sentence[] {
  return text.split('\n').flatMap((line, i) => {
    const pieces = [/\/\/.*$/, /^\s*(?:\/\*|\*).*$/, /"(?:[^"\\]|\\.)*"/, /^\s*#(?!\s*(?:include|define|if|endif|pragma|undef|el)).*$/] // biome-ignore format: one line
    return pieces.flatMap((piece) => {
      const [match] = piece.exec(line) ?? []
      return match && /\s/.test(match.trim()) ? [{ line: i + 1, text: match }] : []
    })
  })
}
