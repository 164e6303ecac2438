// Preprocessing of images by the preprocessor_config.json of a Hugging Face model folder.
import { join } from 'node:path'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { readJsonObject } from '../../io/files/json.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import { checkImage, type Image, withChannels } from './image.ts'
import {
  type CompleteImageConfig,
  type ImageProcessorConfig,
  readImageConfig,
} from './processor-config.ts'
import { RESAMPLES, resize } from './resize.ts'

const FILE = 'preprocessor_config.json'
const checkNew = argumentKinds('ImageProcessor', { config: 'record', source: 'text' })
const checkNormalize = argumentKinds('normalize', { out: 'floats', offset: 'count' })

/** Resizes, crops, rescales and normalises images to the input that a model expects. */
export class ImageProcessor {
  /** The settings, with defaults. */
  readonly config: CompleteImageConfig
  /** Channels of the result: 1 or 3. */
  readonly channels: number
  private readonly means: number[]
  private readonly deviations: number[]

  /** @throws HeedError that lists all invalid keys */
  constructor(config: ImageProcessorConfig = {}, source = 'the image processor') {
    checkNew(config, source)
    this.config = readImageConfig(config, source)
    const { image_mean, image_std } = this.config
    this.channels = Math.max(...[image_mean, image_std].map((list) => [list].flat().length))
    this.means = this.each(image_mean, 'image_mean', source)
    this.deviations = this.each(image_std, 'image_std', source)
    if (this.deviations.includes(0))
      throw new HeedError('invalid-config', `image_std of ${source} must not contain 0`, {
        key: 'image_std',
        value: image_std,
        remedy: 'Use the standard deviation of each channel, for example 0.5.',
      })
  }

  /** Reads the config of a model folder, or a JSON file. @throws HeedError for a missing file and invalid keys */
  static async fromFile(path: string): Promise<ImageProcessor> {
    checkArgument('ImageProcessor.fromFile', 'path', path, 'text')
    const file = path.endsWith('.json') ? path : join(path, FILE)
    return new ImageProcessor(await readJsonObject(file, { maxBytes: 1e6 }), file)
  }

  /** Writes preprocessor_config.json to a folder. @throws HeedError if the file cannot be written */
  async save(folder: string): Promise<void> {
    checkArgument('ImageProcessor.save', 'folder', folder, 'text')
    const config = { image_processor_type: 'ViTImageProcessor', ...this.config }
    await writeFileAtomic(join(folder, FILE), `${JSON.stringify(config, null, 2)}\n`)
  }

  /** Height and width of the result of `fit`; null if it depends on the image. */
  get outputSize(): readonly [number, number] | null {
    const { do_resize, size = DEFAULT_SIDE } = this.config
    const crop = this.crop
    if (crop) return crop
    if (!do_resize) return null
    if (typeof size === 'number') return this.keepsShape ? null : [size, size]
    return 'height' in size ? [size.height, size.width] : null
  }

  /** Converts an image to the channels and size of the model. Values remain bytes. */
  fit(image: Image): Image {
    checkImage('fit', image)
    const { do_resize, size = DEFAULT_SIDE } = this.config
    let fitted = withChannels(image, this.channels)
    if (do_resize) {
      const [height, width] = this.resizedTo(fitted, size)
      fitted = resize(fitted, width, height, RESAMPLES[this.config.resample])
    }
    const crop = this.crop
    return crop ? centerCrop(fitted, ...crop) : fitted
  }

  /**
   * Rescales and normalises a fitted image. Writes (channels, height, width) to `out`, starting at `offset`.
   * @throws HeedError for other channels, and if `out` is too small
   */
  normalize(image: Image, out: Float32Array, offset = 0): void {
    const { width, height, channels, data } = checkImage('normalize', image)
    checkNormalize(out, offset)
    this.checkRoom(image, out.length - offset)
    const { do_rescale, rescale_factor, do_normalize } = this.config
    const scale = do_rescale ? rescale_factor : 1
    const pixels = width * height
    for (let c = 0; c < channels; c++) {
      const mean = do_normalize ? this.means[c] : 0
      const deviation = do_normalize ? this.deviations[c] : 1
      const table = Float32Array.from(
        { length: 256 },
        (_, byte) => (byte * scale - mean) / deviation,
      )
      const start = offset + c * pixels
      for (let i = 0; i < pixels; i++) out[start + i] = table[data[i * channels + c]]
    }
  }

  private checkRoom({ channels, data }: Image, room: number): void {
    if (channels === this.channels && data.length <= room) return
    throw new HeedError(
      'invalid-option',
      `normalize: \`image\` must have ${this.channels} channels and at most ${room} values, the space in \`out\` after \`offset\`, got ${channels} channels and ${data.length} values`,
      {
        key: 'image',
        remedy: 'Pass the result of `fit` and an array that is large enough for it.',
      },
    )
  }

  /** Size of the centre crop: crop_size, or for ConvNeXT a shortest_edge below 384. */
  private get crop(): [number, number] | null {
    const { size, do_center_crop, crop_size = DEFAULT_SIDE } = this.config
    if (do_center_crop)
      return typeof crop_size === 'number'
        ? [crop_size, crop_size]
        : [crop_size.height, crop_size.width]
    const edge = this.isConvNext ? shortestEdge(size ?? CONVNEXT_SIDE) : 0
    return edge > 0 && edge < CONVNEXT_SIDE ? [edge, edge] : null
  }

  private get isConvNext(): boolean {
    const { image_processor_type: type, feature_extractor_type: old, crop_pct } = this.config
    return /^ConvNext/.test(String(type ?? old)) || (type === undefined && crop_pct != null)
  }

  /** Whether a size of one number means the shorter side, as in CLIP. */
  private get keepsShape(): boolean {
    return this.config.default_to_square === false
  }

  private resizedTo(
    image: Image,
    size: NonNullable<CompleteImageConfig['size']>,
  ): [number, number] {
    if (this.isConvNext) {
      const edge = shortestEdge(size)
      if (edge >= CONVNEXT_SIDE) return [edge, edge]
      return bySide(image, Math.trunc(edge / (this.config.crop_pct ?? 224 / 256)))
    }
    if (typeof size === 'number') return this.keepsShape ? bySide(image, size) : [size, size]
    return 'height' in size
      ? [size.height, size.width]
      : bySide(image, size.shortest_edge, size.longest_edge)
  }

  private each(value: number | number[], key: string, source: string): number[] {
    const list = typeof value === 'number' ? new Array<number>(this.channels).fill(value) : value
    if (list.length === this.channels) return list
    throw new HeedError(
      'invalid-config',
      `${key} of ${source} must have ${this.channels} numbers, one for each channel, got ${list.length}`,
      { key, value, remedy: 'Use one number, or a list with one for each channel.' },
    )
  }
}

const DEFAULT_SIDE = 224
const CONVNEXT_SIDE = 384 // from this size on, ConvNeXT stretches images instead of cropping them

const shortestEdge = (size: NonNullable<CompleteImageConfig['size']>): number => {
  if (typeof size === 'number') return size
  return 'shortest_edge' in size ? size.shortest_edge : Math.min(size.height, size.width)
}

/** Height and width for a given shorter side; the longer side is rounded down. */
function bySide(
  { width, height }: Image,
  shortest: number,
  longest: number | null = null,
): [number, number] {
  const [short, long] = width <= height ? [width, height] : [height, width]
  let newShort = shortest
  let newLong = Math.trunc((shortest * long) / short)
  if (longest !== null && newLong > longest) {
    newShort = Math.trunc((longest * newShort) / newLong)
    newLong = longest
  }
  return width <= height ? [newLong, newShort] : [newShort, newLong]
}

/** Crops the centre of an image; smaller images are padded with zeros. */
function centerCrop(image: Image, height: number, width: number): Image {
  const { channels, data } = image
  if (image.height === height && image.width === width) return image
  const top = cropStart(image.height, height)
  const left = cropStart(image.width, width)
  const out = new Uint8Array(height * width * channels)
  const first = Math.max(0, -left)
  const last = Math.min(width, image.width - left)
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++) {
    const from = ((y + top) * image.width + left + first) * channels
    out.set(data.subarray(from, from + (last - first) * channels), (y * width + first) * channels)
  }
  return { width, height, channels, data: out }
}

/** Rounds halves down for cropping and up for padding. */
const cropStart = (have: number, want: number): number =>
  have >= want ? Math.floor((have - want) / 2) : -Math.ceil((want - have) / 2)
