// The library names options by their keys; only the command line turns them into flags. So no string in src
// outside src/cli may contain --flag.
import ts from 'typescript'
import { expect, it } from 'vitest'
import { sourceFiles } from '../support/source-files.ts'

/** Flags in the string literals and templates of a source text, with their lines. */
function flagsIn(name: string, text: string): string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true)
  const flags: string[] = []
  const visit = (node: ts.Node): void => {
    if (
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node)
    )
      for (const [flag] of ownText(node.text).matchAll(/(?<![-\w])--[a-z][\w-]*/g)) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart())
        flags.push(`${name}:${line + 1} ${flag}`)
      }
    node.forEachChild(visit)
  }
  visit(file)
  return flags
}

/** Without custom properties of CSS, `--ink: #000` and `var(--ink)`, and flags of npm, Node and bundlers. */
const ownText = (text: string): string =>
  text.replaceAll(
    /var\(--[\w-]+\)|--[\w-]+:|npm install --save-dev|--external[: ]heed|NODE_OPTIONS="[^"]*"/g,
    '',
  )

it('finds flags in every kind of string, and no other text', () => {
  const template = ['`a --lr ', '{x} --clip ', '{y} --warmup`'].join('$')
  const text = `f('Leave out --resume.', ${template}) // --comment
    x = a --b
    y = 'var(--ink) --ink: 1 ---- a--b npm install --save-dev tsx'`
  expect(flagsIn('a.ts', text)).toEqual([
    'a.ts:1 --resume',
    'a.ts:1 --lr',
    'a.ts:1 --clip',
    'a.ts:1 --warmup',
  ])
})

it('src outside src/cli has no flag in its strings', () => {
  const flags = sourceFiles()
    .filter(({ path }) => !path.startsWith('src/cli/'))
    .flatMap(({ path, text }) => flagsIn(path, text))
  expect(flags).toEqual([])
})
