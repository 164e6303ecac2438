import {
  type Batch,
  type Image,
  type ImageProcessor,
  type ImageSource,
  openImage,
} from '../data/index.ts'
import type { ImageClassifier } from '../models/index.ts'
import { HeedError } from '../util/errors.ts'
import { optionReader } from './option-names.ts'
import type { ModelWithProcessor } from './pipeline.ts'
import { BATCH_SIZE, checkBatchSize, runExamples } from './run-examples.ts'
import { labelScores, topIndices } from './scores.ts'
import type { Label } from './text-classification.ts'

export interface ClassifyImageOptions {
  /** How many labels, the likeliest first; null for all. Default 5. */
  topK?: number | null
  /** Images that go through the model together. Default 16. */
  batchSize?: number
}

const readOptions = optionReader<ClassifyImageOptions>('image-classification', {
  topK: 'size|null?',
  batchSize: BATCH_SIZE,
})

type Input = string | ImageSource

/**
 * The likeliest labels of an image (a file, or pixels), the likeliest first; of several images, a list for each.
 * Scores are as in text classification.
 */
export interface ImageClassification {
  (image: Input, options?: ClassifyImageOptions): Promise<Label[]>
  (images: readonly Input[], options?: ClassifyImageOptions): Promise<Label[][]>
}

export function imageClassification(
  source: ModelWithProcessor<ImageClassifier>,
): ImageClassification {
  const classify = async (
    input: Input | readonly Input[],
    given?: ClassifyImageOptions,
  ): Promise<Label[] | Label[][]> => {
    const options = readOptions(given)
    const many = Array.isArray(input)
    const lists = await classifyAll(source, (many ? input : [input]) as Input[], options)
    return many ? lists : lists[0]
  }
  return classify as ImageClassification
}

async function classifyAll(
  { model, processor }: ModelWithProcessor<ImageClassifier>,
  inputs: readonly Input[],
  { topK = 5, batchSize = 16 }: ClassifyImageOptions,
): Promise<Label[][]> {
  const { labels } = model
  checkBatchSize(batchSize)
  const lists: Label[][] = []
  // Images take much memory: no more are open than one batch needs.
  for (let start = 0; start < inputs.length; start += batchSize) {
    const images = await Promise.all(
      inputs.slice(start, start + batchSize).map(async (input) => {
        return processor.fit(await openImage(typeof input === 'string' ? { file: input } : input))
      }),
    )
    for (const scores of await imageLabelScores(model, processor, images, batchSize)) {
      const best = topIndices(scores, topK ?? labels.length)
      lists.push(best.map((i) => ({ label: labels[i], score: scores[i] })))
    }
  }
  return lists
}

/** The score of each label for each image that fits the model. Images may have different sizes. */
export function imageLabelScores(
  model: ImageClassifier,
  processor: ImageProcessor,
  images: readonly Image[],
  batchSize: number,
): Promise<number[][]> {
  const count = model.labels.length
  return runExamples(images, {
    batching: {
      length: () => 1,
      collate: (batch) => ({ pixel_values: pixelsOf(batch, processor) }),
      batchKey: ({ width, height }) => `${width} x ${height}`,
    },
    model,
    batchSize,
    forward: ({ pixel_values }) => [model.forward(pixel_values)],
    read: ([logits], row) => labelScores(logits.subarray(row * count, (row + 1) * count), model),
  })
}

/** Normalised pixels (B, C, H, W). @throws HeedError for images of different sizes */
export function pixelsOf(images: readonly Image[], processor: ImageProcessor): Batch[string] {
  const [{ width, height, channels }] = images
  const size = width * height * channels
  const data = new Float32Array(images.length * size)
  images.forEach((image, row) => {
    if (image.width !== width || image.height !== height)
      throw new HeedError(
        'invalid-data',
        `The images of a batch must have one size, got ${width} x ${height} and ${image.width} x ${image.height} pixels`,
        { remedy: 'Let preprocessor_config.json resize them to one size.' },
      )
    processor.normalize(image, data, row * size)
  })
  return { data, shape: [images.length, channels, height, width] }
}
