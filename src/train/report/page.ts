import type { Metrics } from '../run-folder.ts'
import type { Evaluation, ShownExample } from '../task.ts'
import { type AttentionMap, attentionHtml, confusionHtml } from './heat.ts'
import { type Html, html } from './html.ts'
import { lineChart } from './line-chart.ts'
import { STYLE } from './style.ts'

export interface ReportParts {
  title: string
  /** One line below the title. */
  about: string
  log: readonly Partial<Metrics>[]
  config: Readonly<Record<string, unknown>>
  /** What the evaluation was on, and what came of it. */
  evaluation?: { on: string; result: Evaluation }
  /** Why there is none. */
  withoutEvaluation?: string
  attention: readonly AttentionMap[]
}

/** One page that needs nothing from elsewhere, and no script. */
export function reportPage(parts: ReportParts): string {
  const { title, about, log, evaluation } = parts
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<h1>${title}</h1>
<p>${about}</p>
${evaluation ? evaluationHtml(evaluation.on, evaluation.result) : html`<p>${parts.withoutEvaluation}</p>`}
${curvesHtml(log)}
${evaluation && examplesSection(evaluation.result)}
${attentionSection(parts.attention)}
<h2>Configuration</h2>
${pairs(parts.config)}
</body>
</html>
`.html
}

function evaluationHtml(on: string, { metrics, confusion }: Evaluation): Html {
  const entries = Object.entries(metrics)
  return html`<h2>Evaluation</h2>
<p>On ${on}.</p>
<dl class="metrics">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${metric(value)}</dd></div>`)}</dl>
${confusion && confusion.labels.length <= 40 && confusionHtml(confusion)}`
}

function examplesSection({ examples }: Evaluation): Html | null {
  if (examples.length === 0) return null
  const [right, wrong] = [true, false].map((is) => examples.filter((one) => one.right === is))
  return html`<h2>Examples</h2>
${examplesHtml('Wrong', wrong)}
${examplesHtml('Right', right)}`
}

function examplesHtml(title: string, examples: readonly ShownExample[]): Html | null {
  if (examples.length === 0) return null
  return html`<h3>${title}</h3>
<div class="wide"><table class="examples"><tr><th>input</th><th>expected</th><th>predicted</th></tr>
${examples.slice(0, 12).map(({ input, expected, predicted }) => html`<tr><td>${cut(input)}</td><td>${cut(expected)}</td><td>${cut(predicted)}</td></tr>`)}
</table></div>`
}

function curvesHtml(log: readonly Partial<Metrics>[]): Html {
  const of = (key: keyof Metrics) =>
    log.flatMap((one): [number, number][] => {
      const value = one[key]
      return typeof value === 'number' && one.step !== undefined ? [[one.step, value]] : []
    })
  const losses = [
    { name: 'training', style: 'train', points: of('loss') },
    { name: 'held out', style: 'held', points: of('val_loss') },
  ]
  return html`<h2>Loss</h2>
${lineChart(losses, 'loss')}
<h3>Learning rate</h3>
${lineChart([{ name: 'learning rate', style: 'rate', points: of('lr') }], 'learning rate')}`
}

function attentionSection(maps: readonly AttentionMap[]): Html | null {
  if (maps.length === 0) return null
  return html`<h2>Attention of one example</h2>
<p>The mean over heads, layer by layer: each row looks at the columns that are filled, the more the fuller.</p>
<div class="maps">${maps.map(attentionHtml)}</div>`
}

function pairs(values: Readonly<Record<string, unknown>>): Html {
  const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return html`<table class="pairs">${entries.map(([key, value]) => html`<tr><th scope="row">${key}</th><td>${shown(value)}</td></tr>`)}</table>`
}

const metric = (value: number): string => value.toFixed(Math.abs(value) >= 100 ? 1 : 4)

const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 299)}…` : text)
