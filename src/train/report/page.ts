import type { Image } from '../../data/index.ts'
import type { Metrics } from '../run-folder.ts'
import type { Evaluation, ShownExample } from '../task.ts'
import { type AttentionMap, attentionHtml, confusionHtml } from './heat.ts'
import { type Html, html } from './html.ts'
import { lineChart } from './line-chart.ts'
import { type ImageAttention, lookHtml, pictureHtml } from './picture.ts'
import { STYLE } from './style.ts'

export interface ReportParts {
  title: string
  /** One line below the title. */
  about: string
  log: readonly Partial<Metrics>[]
  config: Readonly<Record<string, unknown>>
  /** What the evaluation was on, what came of it, and the images of its examples. */
  evaluation?: { on: string; result: Evaluation; images: readonly (Image | undefined)[] }
  /** Why there is none. */
  withoutEvaluation?: string
  attention: readonly AttentionMap[]
  /** The same of an image. */
  look?: { image: Image; layers: readonly ImageAttention[] }
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
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<h1>${title}</h1>
<p>${about}</p>
${evaluation ? evaluationHtml(evaluation.on, evaluation.result) : html`<p>${parts.withoutEvaluation}</p>`}
${curvesHtml(log)}
${evaluation && examplesSection(evaluation)}
${attentionSection(parts)}
<h2>Configuration</h2>
${pairs(parts.config)}
</body>
</html>
`.html
}

type Evaluated = NonNullable<ReportParts['evaluation']>

function evaluationHtml(on: string, { metrics, confusion }: Evaluation): Html {
  const entries = Object.entries(metrics)
  return html`<h2>Evaluation</h2>
<p>On ${on}.</p>
<dl class="metrics">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${metric(value)}</dd></div>`)}</dl>
${confusion && confusion.labels.length <= 40 && confusionHtml(confusion)}`
}

type Shown = ShownExample & { image?: Image }

function examplesSection({ result, images }: Evaluated): Html | null {
  const examples = result.examples.map((one, i): Shown => ({ ...one, image: images[i] }))
  if (examples.length === 0) return null
  const [right, wrong] = [true, false].map((is) => examples.filter((one) => one.right === is))
  return html`<h2>Examples</h2>
${examplesHtml('Wrong', wrong)}
${examplesHtml('Right', right)}`
}

function examplesHtml(title: string, examples: readonly Shown[]): Html | null {
  if (examples.length === 0) return null
  return html`<h3>${title}</h3>
<div class="wide"><table class="examples"><tr><th>input</th><th>expected</th><th>predicted</th></tr>
${examples.slice(0, 12).map(({ input, expected, predicted, image }) => html`<tr><td>${image && pictureHtml(image, input)}${cut(input)}</td><td>${cut(expected)}</td><td>${cut(predicted)}</td></tr>`)}
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

function attentionSection({ attention: maps, look }: ReportParts): Html | null {
  if (look && look.layers.length > 0)
    return html`<h2>Attention of one image</h2>
<p>What the class token looks at, the mean over heads, layer by layer: the lighter, the more.</p>
<div class="maps">${look.layers.map((layer) => lookHtml(look.image, layer))}</div>`
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
