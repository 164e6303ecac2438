// The tables of docs/coming-from/pytorch.md, and the programs of their rows.
import { type Row, type Section, sections, setup } from '../../docs/coming-from/pytorch.ts'
import { importsFor } from './snippets.ts'

/** Rows whose code is longer are shown as blocks. */
const MAX_LINES = 5

/** What follows is generated. */
const MARK = '<!-- Generated from pytorch.ts by `npm run generate:pytorch` -->'

/** The page with its introduction, which is edited there, and the tables. */
export function pageText(page: string): string {
  const [introduction] = page.split(MARK)
  const parts = [
    `${introduction.trimEnd()}\n\n${MARK}`,
    '## The values in the tables',
    'The code of a row follows these lines. The value of its last line was compared.',
    block('py', setup.torch),
    block('ts', program(setup.heed)),
    ...sections.flatMap(sectionText),
  ]
  return `${parts.join('\n\n')}\n`
}

/** The PyTorch code of a row, as it is run. */
export const torchProgram = (section: Section, { torch, check }: Row): string =>
  lines(setup.torch, section.setup?.torch, torch, check?.torch)

/** The Heed code of a row, as it is run, without imports. Long code is complete. */
export function heedProgram(section: Section, row: Row): string {
  const { heed, check } = row
  if (isLong(row)) return lines(heed, check?.heed)
  return lines(setup.heed, section.setup?.heed, heed, check?.heed)
}

/** Whether a row is shown as blocks of code. */
const isLong = ({ heed, torch }: Row): boolean =>
  [heed, torch].some((code) => code.split('\n').length > MAX_LINES)

function sectionText({ title, text, setup: own, rows }: Section): string[] {
  const short = rows.filter((row) => !isLong(row))
  const names = short.map(({ heed }) => heed).join('\n')
  const imports = importsFor(lines(own?.heed, names))
  const start = lines(imports.join('\n'), own?.heed)
  return [
    `## ${title}`,
    ...(text ? [text] : []),
    ...(own ? [block('py', own.torch)] : []),
    ...(start ? [block('ts', start)] : []),
    ...(short.length > 0 ? [tableText(short)] : []),
    ...rows.filter(isLong).flatMap(blocksText),
  ]
}

const tableText = (rows: readonly Row[]): string =>
  [
    '| PyTorch | Heed | |',
    '|---|---|---|',
    ...rows.map(
      ({ torch, heed, note = '' }) =>
        `| ${cell(torch)} | ${cell(heed)} | ${note.replace(/:$/, '.')} |`,
    ),
  ].join('\n')

const blocksText = ({ torch, heed, note }: Row): string[] => [
  ...(note ? [note] : []),
  block('py', torch),
  block('ts', program(heed)),
]

const program = (code: string): string => `${importsFor(code).join('\n')}\n\n${code}`

/** The rows are run by a test of their own, which is quicker than a process for each block. */
function block(language: string, code: string): string {
  const note = language === 'ts' ? '<!-- not run: test/docs/pytorch.test.ts does -->\n' : ''
  return `${note}\`\`\`${language}\n${code}\n\`\`\``
}

/** Code in a cell: one span for each line. Spaces at the start of a line are kept. */
const cell = (code: string): string =>
  code
    .split('\n')
    .map((line) => {
      const [spaces] = /^ */.exec(line) ?? ['']
      const text = line.trimStart().replaceAll('|', '\\|')
      // Vue evaluates {{ }} in a span of Markdown.
      const span = text.includes('{{') ? `<code v-pre>${text}</code>` : `\`${text}\``
      return line === '' ? '' : '&nbsp;'.repeat(spaces.length) + span
    })
    .join('<br>')

const lines = (...parts: (string | undefined)[]): string => parts.filter(Boolean).join('\n')
