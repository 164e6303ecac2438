// What has been measured, as the page that is kept: bench/RESULTS.md.
import { type Case, cases } from './cases.ts'
import { apartLines, cellsOf, groupLines, headings, type Report, type Result } from './report.ts'

/** Notes written by hand begin here: what limits a row, and what was tried. */
const NOTES = '## What limits the rows that are not reached'

/** `before` is the page as it is: its notes stay. */
export function markdownOf({ machine, results }: Report, before = ''): string {
  const notes = before.includes(NOTES) ? before.slice(before.indexOf(NOTES)) : ''
  const inOrder = results.toSorted((a, b) => placeOf(a) - placeOf(b) || a.threads - b.threads)
  const dates = [...new Set(results.map(({ date }) => date))].toSorted()
  return `# Results

Measured ${dates.join(', ')} with

    HEED_PYTHON=python3 npm run bench        # \`-- --only NAME\` for some of it
    npm run bench -- --markdown bench/RESULTS.md

${machine.description.split('\n').join('  \n')}

${versions(results)
  .map((line) => `- ${line}`)
  .join('\n')}

A ratio says how many times Heed's speed is the peer's: the median over rounds in which each had a turn
straight after the other, with its 95 % interval (bootstrap). A row is reached when the lower end of
the interval is at or past the target. \`read\`, \`readWrite\` and \`flops\` are what this machine does at
most, measured in the same rounds. Heed's runs follow one another as in training: the next is prepared
while one runs, and a turn ends when the last has. Peak memory is Heed's and the peer's.

${groupLines(results, cases)
  .map((line) => `- ${line}`)
  .join('\n')}

${table([headings, headings.map(() => '---'), ...inOrder.map(cellsOf)])}
${inOrder.flatMap(apart).join('\n')}
${notes && `\n${notes}`}`
}

function versions(results: readonly Result[]): string[] {
  const found = results.flatMap(({ timed }) => timed).filter(({ version }) => version)
  return [...new Set(found.map(({ name, version }) => `${name} ${version}`))].toSorted()
}

function apart(result: Result): string[] {
  const which = caseOf(result)
  const lines = which ? apartLines(result, which) : []
  return lines.map((line) => `\n${result.name}, threads ${result.threads},${line}`)
}

const caseOf = ({ name }: Result): Case | undefined => cases.find((which) => which.name === name)

const placeOf = ({ name }: Result): number => cases.findIndex((which) => which.name === name)

const table = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
