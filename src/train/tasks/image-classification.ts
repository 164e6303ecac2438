// Image classification with the usual augmentations in training.
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import {
  augment,
  type Batch,
  type Draw,
  drawsOf,
  type Image,
  ImageProcessor,
  type ImageSource,
  mix,
  openImage,
  type Row,
} from '../../data/index.ts'
import { type ImageClassifier, modelDefinition, SMALL_IMAGE } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import {
  imageLabelScores,
  imageClassification as pipeline,
  pixelsOf,
} from '../../pipelines/image-classification.ts'
import type { Draw as BatchDraw } from '../../pipelines/run-examples.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { deriveSeed } from '../../util/random.ts'
import { defineTask } from '../define-task.ts'
import { rowsOf } from '../micro-batches.ts'
import type {
  DataSetup,
  Distillation,
  EvaluateOptions,
  Evaluation,
  Task,
  TaskContext,
} from '../task.ts'
import { evaluateLabels, predictionOf } from './label-report.ts'
import { indexOfLabel, labelConfig, labelsIn, surveyLabels } from './labels.ts'
import { valueIn } from './text.ts'

const share = z.number().min(0).max(1)

const schema = z.object({
  imageColumn: z.string().default('image').describe('column of the image'),
  labelColumn: z.string().default('label').describe('column of the label'),
  imageSize: z
    .int()
    .min(1)
    .max(4096)
    .nullable()
    .default(null)
    .describe(
      'height and width of images in pixels (default: their own size if all are equal and small, else 224)',
    ),
  patchSize: z
    .int()
    .min(1)
    .max(4096)
    .nullable()
    .default(null)
    .describe('patch size of a new ViT in pixels'),
  flip: z
    .boolean()
    .default(false)
    .describe('mirror half of the training images')
    .meta({ off: 'do not mirror training images' }),
  crop: share
    .default(1)
    .describe('minimum area of a random crop as a fraction of the image; 1: no crop'),
  shift: z.int().min(0).max(512).default(0).describe('maximum random shift in pixels'),
  jitter: share
    .default(0)
    .describe('maximum relative change of brightness, contrast and saturation'),
  hue: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe('maximum rotation of the hue as a fraction of the colour circle'),
  randAugment: z.number().min(0).max(10).default(0).describe('strength of RandAugment, up to 10'),
  erase: share.default(0).describe('probability of random erasing: a rectangle becomes noise'),
  mixup: z.number().min(0).max(100).default(0).describe('alpha of Mixup, Beta(a, a); 0: none'),
  cutmix: z.number().min(0).max(100).default(0).describe('alpha of CutMix, Beta(a, a); 0: none'),
  smoothing: z.number().min(0).lt(1).default(0).describe('label smoothing'),
})

type Options = z.output<typeof schema>
type Facts = { labels: string[] }
type Context = TaskContext<Options, Facts, ImageProcessor>

export const imageClassification = defineTask<Options, Facts, ImageProcessor>({
  name: 'image-classification',
  about: 'labels of images',
  columns:
    'a folder of images for each label, IDX files, or rows with the path of an image and its label',
  options: schema,
  facts: z.object({ labels: z.array(z.string()).min(1) }),
  defaults: { steps: null, epochs: 10, batch: 64, weightDecay: 0.05 },
  inputColumn: ({ imageColumn }) => imageColumn,
  columnKeys: ['imageColumn', 'labelColumn'],
  keepsExamples: false,
  head: () => 'image-classification',
  survey: async (setup) => ({
    labels: await surveyLabels(setup, (row) =>
      labelsIn(row, { ...setup.options, multiLabel: false }),
    ),
  }),
  preprocessor: makeProcessor,
  openPreprocessor: (folder) => ImageProcessor.fromFile(folder),
  modelConfig: ({ facts }) => ({
    ...labelConfig(facts.labels),
    problem_type: 'single_label_classification',
  }),
  newModelConfig: ({ preprocessor, modelType, options }) => {
    const { channels, outputSize } = preprocessor
    const { image } = modelDefinition(modelType)
    if (!image || !outputSize) return { num_channels: channels }
    return image({ channels, size: outputSize, patchSize: options.patchSize ?? undefined })
  },
  create: (context) => new ImageClassification(context),
})

interface Example {
  image: Image
  label: number
  name: string
}

class ImageClassification implements Task<Example, ImageClassifier> {
  readonly name = 'image-classification'
  readonly head = 'image-classification'
  readonly unit = 'images'
  readonly validationMetrics = ['accuracy', 'f1']
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  async encode(row: Row): Promise<Example[]> {
    const { options, facts } = this.context
    const [label] = labelsIn(row, { ...options, multiLabel: false })
    return [{ ...(await this.encodeImage(row)), label: indexOfLabel(facts.labels, label) }]
  }

  private async encodeImage(row: Row): Promise<Omit<Example, 'label'>> {
    const source = imageIn(row, this.context.options.imageColumn)
    const image = this.context.preprocessor.fit(await openImage(source))
    return { image, name: 'file' in source ? source.file : `${row.file}:${row.number}` }
  }

  length(): number {
    return 1
  }

  imageOf({ image }: Example): Image {
    return image
  }

  collate(examples: readonly Example[]): Batch {
    return {
      pixel_values: pixelsOf(
        examples.map(({ image }) => image),
        this.context.preprocessor,
      ),
      labels: { data: Int32Array.from(examples, ({ label }) => label), shape: [examples.length] },
    }
  }

  collateForTraining(
    examples: readonly Example[],
    _length: number,
    { seed, step }: BatchDraw,
  ): Batch {
    const { options } = this.context
    const own = deriveSeed(seed, 'images')
    const draws = examples.map((_, row) => drawsOf(own, step, row))
    const changed = examples.map((example, row) => ({
      ...example,
      image: augment(example.image, options, draws[row]),
    }))
    return options.mixup > 0 || options.cutmix > 0
      ? this.mixed(changed, draws)
      : this.collate(changed)
  }

  /** Mixes each image with its mirror position in the batch; labels (N, K) are the shares of both. */
  private mixed(examples: readonly Example[], draws: readonly Draw[]): Batch {
    const { options, facts } = this.context
    const count = facts.labels.length
    const labels = new Float32Array(examples.length * count)
    const images = examples.map(({ image, label }, row) => {
      const other = examples[examples.length - 1 - row]
      const [mixture, part] = mix(image, other.image, options, draws[row])
      labels[row * count + label] += part
      labels[row * count + other.label] += 1 - part
      return mixture
    })
    return {
      pixel_values: pixelsOf(images, this.context.preprocessor),
      labels: { data: labels, shape: [examples.length, count] },
    }
  }

  /** Labels are not smoothed in distillation. */
  get distillation(): Distillation<ImageClassifier> | undefined {
    if (this.context.options.smoothing > 0) return undefined
    return {
      outputs(model, { pixel_values, labels }) {
        const both = model.separately?.(pixel_values)
        if (both) return { logits: both.student, taught: both.teacher, labels }
        return { logits: model.forward(pixel_values), labels }
      },
      counts: (batch) => {
        const rows = rowsOf(batch)
        return { items: rows, labels: rows, tokens: rows }
      },
    }
  }

  loss(model: ImageClassifier, batch: BatchTensors): Tensor {
    const logits = model.forward(batch.pixel_values)
    const { smoothing: labelSmoothing } = this.context.options
    if (batch.labels.dtype !== 'f32')
      return F.crossEntropy(logits, batch.labels, {
        labelSmoothing: model.training ? labelSmoothing : 0,
      })
    const count = this.context.facts.labels.length
    const smoothed = batch.labels.mul(1 - labelSmoothing).add(labelSmoothing / count)
    return logits.logSoftmax(-1).mul(smoothed).sum(-1).mean().neg()
  }

  async evaluate(
    model: ImageClassifier,
    examples: readonly Example[],
    { batchSize = 64, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const { preprocessor, facts } = this.context
    const images = examples.map(({ image }) => image)
    return evaluateLabels({
      labels: facts.labels,
      multiLabel: false,
      scores: await imageLabelScores(model, preprocessor, images, batchSize),
      expected: examples.map(({ label }) => [label]),
      texts: examples.map(({ name }) => name),
      show,
    })
  }

  async predict(model: ImageClassifier, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const { preprocessor: processor, options } = this.context
    const classify = pipeline({ model, processor })
    const sources = rows.map((row) => imageIn(row, options.imageColumn))
    const lists = await classify(sources, { topK: null, batchSize: 64 })
    return lists.map((list) => predictionOf(list, model))
  }
}

/** The image in a column: pixels, bytes or a path. Paths are relative to the file of the row. */
function imageIn(row: Row, column: string): ImageSource {
  const value = valueIn(row, column)
  if (typeof value === 'string' && value !== '') return { file: resolve(dirname(row.file), value) }
  if (typeof value === 'object' && value !== null) {
    const { file, bytes, data } = value as Record<string, unknown>
    if (typeof file === 'string') return { file }
    if (bytes instanceof Uint8Array) return { bytes }
    if (data instanceof Uint8Array) return value as Image
  }
  throw new HeedError('invalid-data', `'${column}' must be an image, got ${shown(value)}`, {
    key: column,
    remedy: 'Give the path of an image, or pixels.',
  })
}

const LOOKED_AT = 32
const USUAL_SIDE = 224

/** Opens the processor of the fine-tuned model, or creates one that fits the first images. */
async function makeProcessor({ from, options, data }: DataSetup<Options>): Promise<ImageProcessor> {
  if (from !== undefined && existsSync(join(from, 'preprocessor_config.json')))
    return ImageProcessor.fromFile(from)
  const shapes = new Set<string>()
  let grey = true
  let looked = 0
  let [height, width] = [USUAL_SIDE, USUAL_SIDE]
  for await (const row of (await data.source()).rows()) {
    const open = async (): Promise<Image> => openImage(imageIn(row, options.imageColumn))
    const image = await open().catch(() => null) // errors are reported when rows are encoded
    if (!image) continue
    ;({ height, width } = image)
    shapes.add(`${width} x ${height}`)
    grey &&= image.channels < 3
    if (++looked === LOOKED_AT) break
  }
  const alike = shapes.size === 1 && Math.max(width, height) <= SMALL_IMAGE
  const side = options.imageSize ?? USUAL_SIDE
  const size =
    alike && options.imageSize === null ? { height, width } : { height: side, width: side }
  const middle = new Array<number>(grey ? 1 : 3).fill(0.5)
  return new ImageProcessor({ size, image_mean: middle, image_std: middle })
}
