// The page about a run.
import { basename, resolve } from 'node:path'
import { flagOf } from '../../util/flag-of.ts'
import { attentionSection } from './attention-html.ts'
import { chartsHtml, runCharts } from './charts.ts'
import { confusionHtml, examplesSection, samplesSection } from './examples-html.ts'
import { cut, type Html, html } from './html.ts'
import type { MetricsLog } from './metrics-log.ts'
import { pageText } from './page-frame.ts'
import { number } from './report.js'
import type { InspectedRun, RunReport } from './run-report.ts'
import { type Setting, settingText } from './settings.ts'

/** Renders the page of a run. */
export async function runPage({
  report,
  settings,
  log,
  details,
  samples,
  attention,
}: InspectedRun): Promise<string> {
  // biome-ignore format: one line
  const { evaluation } = report
  const name = basename(resolve(report.run))
  const sections = [
    resultsSection(report),
    curvesSection(report, log),
    evaluation && examplesSection(evaluation.examples, details, evaluation.count),
    samplesSection(samples),
    attentionSection(attention),
    settingsSection(settings),
  ].filter((section) => section !== null)
  const links = sections.flatMap((section) => [...section.html.matchAll(/<section id="(\w+)"><h2>([\w ]+)/g)]) // biome-ignore format: one line
  return pageText(
    `${report.task}: ${name}`,
    html`<header><p class="kind">${report.task}</p><h1><bdi>${name}</bdi></h1>
<p class="note">${aboutRun(report)}</p>
<nav aria-label="sections">${links.map(([, id, title]) => html`<a href="#${id}">${title}</a>`)}</nav></header>
<main>${sections}</main>`,
  )
}

/** The model, its size, the steps and the machine, in one line. */
export function aboutRun({ model, parameters, step, computedOn }: RunReport): string {
  const facts = [
    parameters === null ? model : `${model} with ${parameters.toLocaleString('en')} weights`,
    step === null ? 'no checkpoint' : `step ${number(step)}`,
    computedOn && `Heed ${computedOn.heed} on ${computedOn.device}`,
  ]
  return facts.filter(Boolean).join(' · ')
}

function resultsSection(report: RunReport): Html {
  const { evaluation, best, withoutEvaluation } = report
  const bestLine = best && html`<p class="note">The lowest held-out loss during training was ${number(best.val_loss)}, at step ${number(best.step)} (the subfolder <code>best</code>).</p>` // biome-ignore format: one line
  if (!evaluation) return html`<section id="results"><h2>Results</h2><p>No evaluation. ${withoutEvaluation?.replace(/`(\w+)`/g, (_, key) => flagOf(key))}</p>${bestLine}</section>` // biome-ignore format: one line
  const { metrics, confusion, count, on } = evaluation
  return html`<section id="results"><h2>Results</h2>
<p>On ${count.toLocaleString('en')} ${on}${heldOutText(report)}.</p>
<dl class="metrics">${Object.entries(metrics).map(([name, value]) => html`<div><dt>${name}</dt><dd>${metricText(value)}</dd></div>`)}</dl>
${bestLine}
${confusion && confusionHtml(confusion)}</section>`
}

/** Where the held-out data is from. */
function heldOutText({ evaluation, settings }: RunReport): string {
  const { valData, valFraction, data, seed } = settings
  if (!evaluation?.isHeldOut) return ''
  if (valData !== undefined) return ` (${settingText(valData)})`
  return typeof valFraction === 'number'
    ? ` (${number(100 * valFraction)} % of ${cut(settingText(data), 80)}, seed ${settingText(seed)})`
    : ''
}

export const metricText = (value: number): string =>
  Number.isFinite(value) ? value.toFixed(Math.abs(value) >= 100 ? 1 : 4) : String(value)

function curvesSection({ curves, log }: RunReport, { omitted, curves: all }: MetricsLog): Html {
  const isThinned = [...all].some(([key, points]) => points.length > curves[key].length)
  const points = Object.values(curves).reduce((most, list) => Math.max(most, list.length), 0)
  const notes = [
    isThinned && `${number(log.lines)} lines were logged. Each curve is drawn with at most ${number(points)} points, among them the extremes.`, // biome-ignore format: one line
    log.skipped > 0 && `${number(log.skipped)} of ${number(log.lines)} lines of metrics.jsonl are incomplete or not valid and are omitted.`, // biome-ignore format: one line
    omitted > 0 && `${number(omitted)} further keys are omitted.`,
  ].filter(Boolean)
  return html`<section id="curves"><h2>Curves</h2>
${chartsHtml(runCharts(curves)) ?? html`<p>Nothing was logged.</p>`}
${notes.length > 0 && html`<p class="note">${notes.join(' ')}</p>`}</section>`
}

function settingsSection(settings: readonly Setting[]): Html {
  const changed = settings.filter(({ isChanged }) => isChanged)
  if (settings.length === 0) return html`<section id="settings"><h2>Settings</h2><p>The configuration of this run is not known.</p></section>` // biome-ignore format: one line
  return html`<section id="settings"><h2>Settings</h2>
<h3>Different from the defaults</h3>
${settingsTable(changed)}
<details><summary>All ${settings.length} settings</summary>
${settingsTable(settings)}</details></section>`
}

function settingsTable(settings: readonly Setting[]): Html {
  return html`<div class="wide" tabindex="0" role="region" aria-label="settings"><table class="pairs settings"><thead><tr><th scope="col">flag</th><th scope="col">value</th><th scope="col">default</th></tr></thead>
<tbody>${settings.map((setting) => html`<tr><th scope="row"><code>${setting.flag}</code></th><td>${settingText(setting.value)}</td><td>${settingText(setting.default)}</td></tr>`)}</tbody></table></div>`
}
