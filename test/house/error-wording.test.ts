// Errors are stable in their codes and details, and their sentences may be reworded. So no test may compare a sentence
// of an error: `toThrow` takes heedError(…), whose texts are names, numbers and paths.
import ts from 'typescript'
import { expect, it } from 'vitest'
import { parse, readSources, type Source, walk } from '../../scripts/house/sources.ts'
import { root } from '../support/source-files.ts'

/** Errors without codes: those of the addon in C++, and of the scripts that run pages. */
const WITHOUT_CODES = ['test/native/', 'test/docs/']

const SENTENCE = /\b[a-z]+ [a-z]+ [a-z]+\b/

/** Texts and patterns of three or more words in a row that are compared with an error, with their lines. */
function sentencesIn({ path, tree }: Source): string[] {
  const sentences: string[] = []
  walk(tree, (call) => {
    if (!ts.isCallExpression(call) || !comparesError(call.expression)) return
    for (const argument of call.arguments)
      walk(argument, (node) => {
        if (!ts.isLiteralExpression(node) && !ts.isTemplateLiteralToken(node)) return
        if (!SENTENCE.test(node.text)) return
        const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree))
        sentences.push(`${path}:${line + 1} ${node.text}`)
      })
  })
  return [...new Set(sentences)] // heedError is an argument of toThrow
}

/** `heedError`, `expect(…).toThrow`, and `expect(error.message).toMatch` and the like. */
function comparesError(called: ts.Expression): boolean {
  if (!ts.isPropertyAccessExpression(called)) return called.getText() === 'heedError'
  return /^toThrow/.test(called.name.text) || TEXT_OF_ERROR.test(called.expression.getText())
}

/** The end of `expect(error.message)`, or of the output of a command that failed. */
const TEXT_OF_ERROR = /^expect\(.*\b(message|remedy|mistake|err)\)(\.not)?$/s

it('no test compares a sentence of an error', () => {
  const sources = readSources(root, 'test').filter(
    ({ path }) => !WITHOUT_CODES.some((folder) => path.startsWith(folder)),
  )
  expect(sources.flatMap(sentencesIn)).toEqual([])
})

it('finds sentences in texts, patterns and templates', () => {
  const found = sentencesIn(
    parse(
      'a.ts',
      `expect(f).toThrow('must be a list')
await expect(p).rejects.toThrow(/got .* must not be empty/)
expect(f).toThrow(\`\${path} is not a folder\`)
expect(f).toThrow(heedError('shape', { mentions: ['x', 'sizes must be equal'] }))
expect(f).toThrow(heedError('shape', { key: 'x', mentions: ['matmul', 'got (2, 3)', '4 tokens'] }))
expect(f).toThrow('x.jsonl:4')
expect((await heed('verify', path)).mistake).toMatch(/2 files are damaged/)
expect(text).toBe('must be a list')`,
    ),
  )
  expect(found.map((sentence) => sentence.split(' ')[0])).toEqual(['a.ts:1', 'a.ts:2', 'a.ts:3', 'a.ts:4', 'a.ts:7']) // biome-ignore format: one line
})
