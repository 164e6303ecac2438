// Writes the results to bench/RESULTS.md.
import { type Case, cases } from './cases.ts'
import { apartLines, cellsOf, groupLines, headings, type Report, type Result } from './report.ts'

/** Start of the notes, which are written manually: what limits a row, and what was tried. */
const NOTES = '## What limits the rows that are not reached'

/** @param before the current page, whose notes are kept */
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

A ratio is Heed's speed divided by the peer's: the median over rounds in which both were measured one after the other,
with its 95 % interval (bootstrap). A target is reached if the lower end of the interval is at least the target. \`read\`,
\`readWrite\` and \`flops\` are the ceilings of this machine, measured in the same rounds. Heed's runs overlap as in
training: the next run is prepared while one runs, and a round ends with the last run. Peak memory is given as Heed's / the
peer's.

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
