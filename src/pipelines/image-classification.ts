import { type Image, type ImageSource, openImage } from '../data/index.ts'
import type { ImageClassifier } from '../models/index.ts'
import { tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { valuesOf } from './batches.ts'
import type { ImageParts } from './pipeline.ts'
import { sigmoid, softmax, topIndices } from './scores.ts'
import type { Label } from './text-classification.ts'

export interface ClassifyImageOptions {
  /** How many labels, the likeliest first; null for all. Default 5. */
  topK?: number | null
  /** Images that go through the model together. Default 16. */
  batchSize?: number
}

type Input = string | ImageSource

/**
 * The likeliest labels of an image (a file, or pixels), the likeliest first; of several images, a list
 * for each. Scores are as in text classification.
 */
export interface ImageClassification {
  (image: Input, options?: ClassifyImageOptions): Promise<Label[]>
  (images: readonly Input[], options?: ClassifyImageOptions): Promise<Label[][]>
}

export function imageClassification(parts: ImageParts<ImageClassifier>): ImageClassification {
  const classify = async (
    input: Input | readonly Input[],
    options: ClassifyImageOptions = {},
  ): Promise<Label[] | Label[][]> => {
    const many = Array.isArray(input)
    const lists = await classifyAll(parts, (many ? input : [input]) as Input[], options)
    return many ? lists : lists[0]
  }
  return classify as ImageClassification
}

async function classifyAll(
  { model, processor }: ImageParts<ImageClassifier>,
  inputs: readonly Input[],
  { topK = 5, batchSize = 16 }: ClassifyImageOptions,
): Promise<Label[][]> {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new HeedError(
      'invalid-option',
      `batchSize ${batchSize} is not a whole number of at least 1`,
    )
  const { labels } = model
  const count = Math.min(topK ?? labels.length, labels.length)
  const found: Label[][] = []
  for (let start = 0; start < inputs.length; ) {
    const images = await Promise.all(
      inputs.slice(start, start + batchSize).map(async (input) => {
        return processor.fit(await openImage(typeof input === 'string' ? { file: input } : input))
      }),
    )
    const other = images.findIndex((image) => !sameSize(image, images[0]))
    const group = other < 0 ? images : images.slice(0, other) // images may keep sizes of their own
    const { width, height, channels } = group[0]
    const size = width * height * channels
    const data = new Float32Array(group.length * size)
    group.forEach((image, row) => {
      processor.normalize(image, data, row * size)
    })
    const pixels = tensor(data, { shape: [group.length, channels, height, width] })
    const logits = await valuesOf(() => model.forward(pixels))
    for (let row = 0; row < group.length; row++) {
      const scores = scoresOf(
        logits.subarray(row * labels.length, (row + 1) * labels.length),
        model,
      )
      found.push(topIndices(scores, count).map((i) => ({ label: labels[i], score: scores[i] })))
    }
    start += group.length
  }
  return found
}

const sameSize = (a: Image, b: Image): boolean => a.width === b.width && a.height === b.height

function scoresOf(logits: Float32Array, model: ImageClassifier): ArrayLike<number> {
  const { problem_type: problem } = model.config as { problem_type?: string | null }
  if (problem === 'regression') return logits
  const apart = problem === 'multi_label_classification' || logits.length === 1
  return apart ? Array.from(logits, sigmoid) : softmax(logits)
}
