// The page that compares runs.

import { flagOf } from '../../util/flag-of.ts'
import { chartsHtml, comparisonCharts, keyHtml } from './charts.ts'
import { type Html, html } from './html.ts'
import { pageText } from './page-frame.ts'
import { runNames } from './run-names.ts'
import { aboutRun, metricText } from './run-page.ts'
import type { InspectedRun, RunReport } from './run-report.ts'
import { settingText } from './settings.ts'

/** Renders the page that compares runs. */
export async function comparisonPage(runs: readonly InspectedRun[]): Promise<string> {
  const reports = runs.map(({ report }) => report)
  const names = runNames(reports.map(({ run }) => run))
  const charts = comparisonCharts(reports.map(({ curves }, i) => ({ name: names[i], curves })))
  return pageText(
    `Comparison of ${reports.length} runs`,
    html`<header><p class="kind">comparison</p><h1>${reports.length} runs</h1>
<nav aria-label="sections"><a href="#results">Results</a><a href="#curves">Curves</a><a href="#settings">Settings</a></nav></header>
<main>${resultsSection(reports, names)}
<section id="curves"><h2>Curves</h2>${chartsHtml(charts) ?? html`<p>Nothing was logged.</p>`}</section>
${settingsSection(reports, names)}</main>`,
  )
}

function resultsSection(reports: readonly RunReport[], names: readonly string[]): Html {
  const metrics = new Set(
    reports.flatMap(({ evaluation }) => Object.keys(evaluation?.metrics ?? {})),
  )
  const tasks = new Set(reports.map(({ task }) => task))
  const data = new Set(reports.map(({ evaluation, settings }) => dataOf(evaluation, settings)))
  const remarks = [
    tasks.size > 1 && 'The runs have different tasks, so their losses are not comparable.',
    tasks.size === 1 && data.size > 1 && 'The runs were evaluated on different data.',
  ].filter(Boolean)
  const rows: [string, (report: RunReport) => string | null][] = [
    ...[...metrics].map((name): (typeof rows)[number] => [name, ({ evaluation }) => evaluation && Object.hasOwn(evaluation.metrics, name) ? metricText(evaluation.metrics[name]) : null]), // biome-ignore format: one line
    [
      'lowest held-out loss',
      ({ best }) => best && `${metricText(best.val_loss)} at step ${best.step}`,
    ],
    ['evaluated on', ({ evaluation, withoutEvaluation }) => evaluation ? `${evaluation.count} ${evaluation.on}` : withoutEvaluation], // biome-ignore format: one line
    ['task', ({ task }) => task],
    ['model', aboutRun],
  ]
  const cells = rows.map(([name, cell]): [Html, (string | null)[]] => [
    html`${name}`,
    reports.map(cell),
  ])
  return html`<section id="results"><h2>Results</h2>
${remarks.length > 0 && html`<p class="note">${remarks.join(' ')}</p>`}
${tableOf('results', names, cells)}</section>`
}

/** Identifies the evaluation data of a run. */
function dataOf(evaluation: RunReport['evaluation'], settings: RunReport['settings']): string {
  const { data, valData, valFraction, seed } = settings
  const own = evaluation?.isHeldOut ? [data, valData, valFraction, seed] : []
  return JSON.stringify([evaluation?.on, evaluation?.count, ...own])
}

/** A table with a column for each run. */
function tableOf(
  label: string,
  names: readonly string[],
  rows: readonly (readonly [Html, readonly (string | null)[]])[],
): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="${label}"><table class="pairs"><thead><tr><td></td>${names.map((name, i) => html`<th scope="col">${keyHtml(name, i)}</th>`)}</tr></thead>
<tbody>${rows.map(([name, cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell ?? '–'}</td>`)}</tr>`)}</tbody></table></div>`
}

/** The keys whose values differ between runs, with the value in each run; undefined where a run lacks the setting. */
export function differences(reports: readonly RunReport[]): Record<string, unknown[]> {
  const keys = [...new Set(reports.flatMap(({ settings }) => Object.keys(settings)))]
  const values = keys.map((key): [string, unknown[]] => [key, reports.map(({ settings }) => settings[key])]) // biome-ignore format: one line
  return Object.fromEntries(values.filter(([, list]) => new Set(list.map((value) => JSON.stringify(value))).size > 1)) // biome-ignore format: one line
}

function settingsSection(reports: readonly RunReport[], names: readonly string[]): Html {
  const rows = Object.entries(differences(reports))
  if (rows.length === 0) return html`<section id="settings"><h2>Settings</h2><p>All settings are equal.</p></section>` // biome-ignore format: one line
  const cells = rows.map(([key, values]): [Html, string[]] => [html`<code>${key === 'model' ? 'MODEL' : flagOf(key)}</code>`, values.map(settingText)]) // biome-ignore format: one line
  return html`<section id="settings"><h2>Settings that differ</h2>
${tableOf('settings that differ', names, cells)}</section>`
}
