// Examples with their predictions.
import type { Evaluation, ShownExample, ShownPiece } from '../task.ts'
import { cut, type Html, html } from './html.ts'
import { pictureHtml } from './picture.ts'
import { number } from './report.js'
import type { ExampleDetails, Sample } from './run-report.ts'

/** Renders examples, the worst first. */
export function examplesSection(
  examples: readonly ShownExample[],
  details: readonly ExampleDetails[],
  count: number,
): Html | null {
  if (examples.length === 0) return null
  const some = details.flatMap(({ pieces = [] }) => pieces)
  const notes = [
    examples.length < count ? `${examples.length} of ${number(count)} examples: the worst first, and a few of the best at the end.` : 'The worst first.', // biome-ignore format: one line
    some.some(({ loss }) => loss !== undefined) && 'The stronger the background of a token, the higher its loss.', // biome-ignore format: one line
    some.some(({ predicted }) => predicted !== undefined) && 'Where a prediction is wrong: expected → predicted.', // biome-ignore format: one line
  ].filter(Boolean)
  return html`<section id="examples"><h2>Examples</h2>
<p class="note">${notes.join(' ')}</p>
<ol class="examples">${examples.map((example, i) => html`<li>${exampleHtml(example, details[i] ?? {})}</li>`)}</ol>
</section>`
}

function exampleHtml(example: ShownExample, { image, pieces }: ExampleDetails): Html {
  const { input, expected, predicted, right, scores } = example
  const shown = pieces?.length ? pieces.slice(0, MOST_PIECES) : undefined
  const hasTags = shown?.some(({ predicted }) => predicted !== undefined)
  return html`${image && pictureHtml(image, input)}
<div class="text">${right !== null && html`<span class="verdict ${right ? 'right' : 'wrong'}">${right ? 'right' : 'wrong'}</span>`}
<div class="input" dir="auto">${shown ? html`${shown.map((piece) => pieceHtml(piece, Boolean(hasTags)))}${pieces && pieces.length > MOST_PIECES && ' …'}` : cut(input, 600)}</div>
${right !== null && !hasTags && answersHtml(expected, predicted, right)}
${scores && html`<dl class="scores">${Object.entries(scores).map(([name, value]) => html`<div><dt>${cut(name, 60)}</dt><dd>${number(value)}</dd></div>`)}</dl>`}</div>`
}

function answersHtml(expected: string, predicted: string, right: boolean): Html {
  return html`${!right && answerHtml('expected', expected)}${answerHtml('predicted', predicted)}`
}

/** A text with a name before it; line breaks are shown as a sign, because some models write hundreds. */
function answerHtml(name: string, text: string): Html {
  return html`<p class="answer"><span>${name}</span> <bdi>${cut(text.replaceAll('\n', '↵ '), 600)}</bdi></p>`
}

const MOST_PIECES = 160

/** A word with its tags, or a token with a shade for its loss. */
function pieceHtml({ text, expected, predicted, loss }: ShownPiece, hasTags: boolean): Html {
  if (hasTags) {
    if (predicted === undefined) return html`<span class="word plain">${text}</span>`
    const isRight = expected === predicted
    return html`<span class="word ${isRight ? 'right' : 'wrong'}"><bdi>${text}</bdi><small>${isRight ? predicted : `${expected} → ${predicted}`}</small></span> `
  }
  if (loss === undefined) return html`${text}`
  return html`<span class="token shade-${shadeOf(loss)}" title="loss ${number(loss)}">${text}</span>`
}

/** 0 for a loss of 0, and 9 from 8 nats. */
const shadeOf = (loss: number): number => Math.max(0, Math.min(9, Math.round((9 * loss) / 8) || 0))

/** Continuations that a language model generated, next to those in the data. */
export function samplesSection(samples: readonly Sample[]): Html | null {
  if (samples.length === 0) return null
  return html`<section id="samples"><h2>Samples</h2>
<p class="note">Continuations of held-out text, with the most likely token at each step.</p>
<ol class="examples">${samples.map(
    ({
      input,
      expected,
      before,
      predicted,
    }) => html`<li><div class="text"><div class="input" dir="auto">${cut(input, 400)}</div>
${answerHtml('in the data', expected)}${before === undefined ? null : answerHtml('before this run', before)}${answerHtml('by the model', predicted)}</div></li>`,
  )}</ol>
</section>`
}

/** Labels in a confusion matrix. */
const MOST_LABELS = 40

/** Renders a confusion matrix as a table; darker cells are a larger share of their row. */
export function confusionHtml({ labels, counts }: NonNullable<Evaluation['confusion']>): Html {
  if (labels.length > MOST_LABELS)
    return html`<p class="note">The confusion matrix of ${labels.length} labels is not shown.</p>`
  return html`<h3>Confusion matrix</h3>
<p class="note">Rows are true labels, columns are predictions. The colour shows the share of the row.</p>
<div class="wide" tabindex="0" role="region" aria-label="confusion matrix"><table class="confusion">
<thead><tr><td></td>${labels.map((label) => html`<th scope="col">${cut(label, 24)}</th>`)}</tr></thead>
<tbody>${counts.map((row, i) => {
    const sum = row.reduce((a, b) => a + b, 0)
    return html`<tr><th scope="row">${cut(labels[i], 24)}</th>${row.map(
      (count, j) =>
        html`<td class="${i === j ? 'good' : 'bad'} shade-${sum === 0 ? 0 : Math.round((9 * count) / sum)}">${count === 0 ? '' : count}</td>`,
    )}</tr>`
  })}</tbody>
</table></div>`
}
