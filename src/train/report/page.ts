import type { Image } from '../../data/index.ts'
import type { Metrics } from '../metrics-file.ts'
import type { Evaluation, ShownExample } from '../task.ts'
import { type AttentionMap, attentionHtml, confusionHtml } from './heat.ts'
import { type Html, html } from './html.ts'
import { lineChart } from './line-chart.ts'
import { type ImageAttention, lookHtml, pictureHtml } from './picture.ts'
import { STYLE } from './style.ts'

export interface ReportContents {
  title: string
  /** The line below the title. */
  about: string
  log: readonly Partial<Metrics>[]
  config: Readonly<Record<string, unknown>>
  /** The name of the evaluation data, the result, and the images of its examples. */
  evaluation?: { on: string; result: Evaluation; images: readonly (Image | undefined)[] }
  /** Continuations that a language model generated. */
  samples?: readonly ShownExample[]
  /** Explains why there is no evaluation. */
  withoutEvaluation?: string
  attention: readonly AttentionMap[]
  /** The attention of each layer to an image. */
  look?: { image: Image; layers: readonly ImageAttention[] }
}

/** Renders a self-contained page without scripts. */
export function reportPage(contents: ReportContents): string {
  const { title, about, log, evaluation } = contents
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
${evaluation ? evaluationHtml(evaluation.on, evaluation.result) : html`<p>${contents.withoutEvaluation}</p>`}
${curvesHtml(log)}
${evaluation && examplesSection(evaluation)}
${samplesSection(contents.samples)}
${attentionSection(contents)}
<h2>Configuration</h2>
${pairs(contents.config)}
</body>
</html>
`.html
}

type Evaluated = NonNullable<ReportContents['evaluation']>

function evaluationHtml(on: string, { metrics, confusion }: Evaluation): Html {
  const entries = Object.entries(metrics)
  return html`<h2>Evaluation</h2>
<p>On ${on}.</p>
<dl class="metrics">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${metric(value)}</dd></div>`)}</dl>
${confusion && confusion.labels.length <= 40 && confusionHtml(confusion)}`
}

type Shown = ShownExample & { image?: Image }

function examplesSection({ result, images }: Evaluated): Html | null {
  const examples = result.examples
    .map((example, i): Shown => ({ ...example, image: images[i] }))
    .filter(({ right }) => right !== null)
  if (examples.length === 0) return null
  const [right, wrong] = [true, false].map((isRight) =>
    examples.filter((example) => example.right === isRight),
  )
  return html`<h2>Examples</h2>
${examplesHtml('Wrong', wrong)}
${examplesHtml('Right', right)}`
}

function samplesSection(samples: readonly Shown[] = []): Html | null {
  if (samples.length === 0) return null
  return html`<h2>Samples</h2>
<p>Continuations of held-out text, generated with the most likely token at each step.</p>
${tableHtml(['text', 'continuation in the data', 'continuation by the model'], samples)}`
}

function examplesHtml(title: string, examples: readonly Shown[]): Html | null {
  if (examples.length === 0) return null
  return html`<h3>${title}</h3>
${tableHtml(['input', 'expected', 'predicted'], examples)}`
}

function tableHtml(columns: readonly string[], examples: readonly Shown[]): Html {
  return html`<div class="wide"><table class="examples"><tr>${columns.map((column) => html`<th>${column}</th>`)}</tr>
${examples.slice(0, 12).map(({ input, expected, predicted, image }) => html`<tr><td>${image && pictureHtml(image, input)}${cut(input)}</td><td>${cut(expected)}</td><td>${cut(predicted)}</td></tr>`)}
</table></div>`
}

function curvesHtml(log: readonly Partial<Metrics>[]): Html {
  const of = (key: keyof Metrics) =>
    log.flatMap((line): [number, number][] => {
      const value = line[key]
      return typeof value === 'number' && line.step !== undefined ? [[line.step, value]] : []
    })
  const losses = [
    { name: 'training', style: 'train', points: of('loss') },
    { name: 'validation', style: 'held', points: of('val_loss') },
  ]
  return html`<h2>Loss</h2>
${lineChart(losses, 'loss')}
${chartHtml('Learning rate', of('lr'))}
${chartHtml('Gradient norm', of('grad_norm'))}
${RATES.map(([key, name]) => chartHtml(name, of(key)))}`
}

const RATES = [
  ['tokens_per_second', 'Tokens per second'],
  ['rows_per_second', 'Rows per second'],
  ['images_per_second', 'Images per second'],
] as const

function chartHtml(title: string, points: [number, number][]): Html | null {
  if (points.length === 0) return null
  const name = title.toLowerCase()
  return html`<h3>${title}</h3>
${lineChart([{ name, style: 'rate', points }], name)}`
}

function attentionSection({ attention: maps, look }: ReportContents): Html | null {
  if (look && look.layers.length > 0)
    return html`<h2>Attention to an image</h2>
<p>Attention of the class token by layer, averaged over heads. Lighter means more.</p>
<div class="maps">${look.layers.map((layer) => lookHtml(look.image, layer))}</div>`
  if (maps.length === 0) return null
  return html`<h2>Attention of an example</h2>
<p>Attention by layer, averaged over heads. Each row shows where that token attends; darker means more.</p>
<div class="maps">${maps.map(attentionHtml)}</div>`
}

function pairs(values: Readonly<Record<string, unknown>>): Html {
  const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return html`<table class="pairs">${entries.map(([key, value]) => html`<tr><th scope="row">${key}</th><td>${shown(value)}</td></tr>`)}</table>`
}

const metric = (value: number): string => value.toFixed(Math.abs(value) >= 100 ? 1 : 4)

const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 299)}…` : text)
