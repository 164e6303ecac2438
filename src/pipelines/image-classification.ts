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

/** Options of the pipeline 'image-classification'. */
export interface ClassifyImageOptions {
  /** Number of labels; null for all. Default 5. */
  topK?: number | null
  /** Number of images in a batch. Default 16. */
  batchSize?: number
}

const readOptions = optionReader<ClassifyImageOptions>('image-classification', {
  topK: 'size|null?',
  batchSize: BATCH_SIZE,
})

/** An image: the path of a file, pixels, or the bytes of a file. */
export type ImageInput = string | ImageSource

/**
 * Classifies an image (a path, bytes or pixels). Returns labels sorted by score; for several images, a list for each.
 * Scores are the same as in text classification.
 */
export interface ImageClassification {
  (image: ImageInput, options?: ClassifyImageOptions): Promise<Label[]>
  (images: readonly ImageInput[], options?: ClassifyImageOptions): Promise<Label[][]>
}

/** Creates the pipeline 'image-classification'. */
export function imageClassification(
  source: ModelWithProcessor<ImageClassifier>,
): ImageClassification {
  const classify = async (
    input: ImageInput | readonly ImageInput[],
    given?: ClassifyImageOptions,
  ): Promise<Label[] | Label[][]> => {
    const options = readOptions(given)
    const many = Array.isArray(input)
    const lists = await classifyAll(source, (many ? input : [input]) as ImageInput[], options)
    return many ? lists : lists[0]
  }
  return classify as ImageClassification
}

async function classifyAll(
  { model, processor }: ModelWithProcessor<ImageClassifier>,
  inputs: readonly ImageInput[],
  { topK = 5, batchSize = 16 }: ClassifyImageOptions,
): Promise<Label[][]> {
  const { labels } = model
  checkBatchSize(batchSize)
  const lists: Label[][] = []
  // Decoded images are large, so only the images of one batch are in memory.
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

/** Computes the score of each label for each image that fits the model. Images may have different sizes. */
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

/** Normalises the pixels of a batch, (B, C, H, W). @throws HeedError for images of different sizes */
export function pixelsOf(images: readonly Image[], processor: ImageProcessor): Batch[string] {
  const [{ width, height, channels }] = images
  const size = width * height * channels
  const data = new Float32Array(images.length * size)
  images.forEach((image, row) => {
    if (image.width !== width || image.height !== height)
      throw new HeedError(
        'invalid-data',
        `The images of a batch must have the same size, got ${width} x ${height} and ${image.width} x ${image.height} pixels`,
        { remedy: 'Set one size in preprocessor_config.json.' },
      )
    processor.normalize(image, data, row * size)
  })
  return { data, shape: [images.length, channels, height, width] }
}
