// What `npm run house` counts, on small sources.
import { expect, it } from 'vitest'
import { copiesIn } from '../../scripts/house/copies.ts'
import { castsIn, documentedExports, functionSizes } from '../../scripts/house/counts.ts'
import { upwardImports } from '../../scripts/house/imports.ts'
import { bannedNames } from '../../scripts/house/names.ts'
import { parse } from '../../scripts/house/sources.ts'

it('finds banned names of exports, types, fields and parameters, in any case', () => {
  const source = parse(
    'src/a.ts',
    `export const own = 1
type Parts = { found: number; rest: number }
class Reader { whole = 1; get seen() { return 1 } }
function f(one: number, { few }: { few: number }, [told]: number[]) { const wanted = one; return { pace: wanted } }
const partsOf = 1`,
  )
  const found = bannedNames([source]).map(({ line, text }) => `${line} ${text}`)
  expect(found.toSorted()).toEqual(
    [
      '1 own',
      '2 Parts',
      '2 found',
      '3 whole',
      '3 seen',
      '4 one',
      '4 few',
      '4 few',
      '4 told',
      '4 pace',
    ].toSorted(),
  )
})

it('counts casts, and not `as const`', () => {
  const source = parse(
    'src/a.ts',
    'f(a as B, c as unknown as D, e as const, g!, h as any, i as never)',
  )
  expect(castsIn([source])).toEqual({ casts: 5, unchecked: 2, any: 1, nonNull: 1 })
})

it('counts lines of model classes that another decoder family has too', () => {
  const family = (name: string, width: string) =>
    parse(
      `src/models/text/${name}.ts`,
      `// a comment
class Block extends Module { drop = new Dropout(this.config.dropout) }
class Base extends Module {
  static readonly modelType = '${name}'
  get vocabSize() {
    return this.config.vocab_size
  }
}
export class ${name} extends Base {
  static readonly head = 'causal-lm'
  width = this.config.${width}
}`,
    )
  const { lines, copied, families } = copiesIn([family('a', 'n_embd'), family('b', 'hidden_size')])
  expect(families[0].copied).toEqual([
    'class Base extends Module {',
    'get vocabSize() {',
    'return this.config.vocab_size',
    "static readonly head = 'causal-lm'",
  ])
  expect({ lines, copied }).toEqual({ lines: 14, copied: 8 })
})

it('counts functions and documented exports', () => {
  const source = parse(
    'src/a.ts',
    '/** Why. */\nexport function f() {\n  return 1\n}\nexport class G {}\nconst h = () => 2',
  )
  expect(documentedExports([source])).toEqual({ all: 2, documented: 1 })
  expect(functionSizes([source])).toMatchObject({
    count: 2,
    largest: { name: 'src/a.ts:2', lines: 3 },
  })
})

it('finds imports against the order, also of types and those that are made when needed', () => {
  const source = parse(
    'src/tensor/a.ts',
    "import type { A } from '../train/b.ts'\nimport '../graph/c.ts'\nconst d = await import('../cli/e.ts')\nexport * from './f.ts'",
  )
  expect(upwardImports([source])).toEqual([
    'src/tensor/a.ts -> src/train/b.ts',
    'src/tensor/a.ts -> src/cli/e.ts',
  ])
})
