// Keys of preprocessor_config.json, and the defaults of each kind of image processor.
import { z } from 'zod'
import { HeedError } from '../../util/errors.ts'
import { type UnreadKeys, unreadKeys, warnOfUnreadKeys } from '../../util/unread-keys.ts'

const side = z.int().min(1).max(16384)
const heightAndWidth = z.strictObject({ height: side, width: side })
const square = z
  .union([z.tuple([side]), z.tuple([side, side])])
  .transform(([height, width = height]) => ({ height, width }))
const sizes = z.union([
  side,
  heightAndWidth,
  z.strictObject({ shortest_edge: side, longest_edge: side.nullish() }),
  square, // height and width
])
const perChannel = z.union([z.number(), z.array(z.number()).min(1).max(16)])

const schema = z.looseObject({
  /** Class of the image processor in transformers. It decides the defaults of the other keys. */
  image_processor_type: z.string().max(200).optional(),
  /** The same in older files. */
  feature_extractor_type: z.string().max(200).optional(),
  /** Whether to resize images to `size`. Default true. */
  do_resize: z.boolean().default(true),
  /** Size after resizing, in pixels: height and width, or the shortest edge. */
  size: sizes.optional(),
  /** Whether a single number in `size` means both edges rather than the shortest one. */
  default_to_square: z.boolean().optional(),
  /**
   * Number of the resampling filter in Pillow: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming. Default
   * 2.
   */
  resample: z.int().min(0).max(5).default(2),
  /** ConvNeXt: `size` divided by the shortest edge before the centre is cropped, for sizes below 384. */
  crop_pct: z.number().positive().max(1).optional(),
  /** Whether to crop the centre to `crop_size`. */
  do_center_crop: z.boolean().optional(),
  /** Size of the crop in pixels: height and width, or one number for both. */
  crop_size: z.union([side, heightAndWidth, square]).optional(),
  /** Whether to multiply the bytes by `rescale_factor`. Default true. */
  do_rescale: z.boolean().default(true),
  /** Factor of the bytes. Default 1/255. */
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  /** Whether to subtract `image_mean` and divide by `image_std`. Default true. */
  do_normalize: z.boolean().default(true),
  /** Mean of each channel, or one for all, after rescaling. Default 0.5. */
  image_mean: perChannel.default([0.5, 0.5, 0.5]),
  /** Standard deviation of each channel, or one for all, after rescaling. Default 0.5. */
  image_std: perChannel.default([0.5, 0.5, 0.5]),
})

type Keys = z.input<typeof schema>
/**
 * Contents of preprocessor_config.json. Null means the same as a missing key.
 * @interface
 */
export type ImageProcessorConfig = { [K in keyof Keys]: Keys[K] | null }
/**
 * A config with all defaults filled in.
 * @interface
 */
export type CompleteImageConfig = z.output<typeof schema>

/**
 * Validates a config and fills in the defaults. Unsupported keys cause one warning.
 * @throws HeedError that lists all invalid keys
 */
export function readImageConfig(given: ImageProcessorConfig, source: string): CompleteImageConfig {
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
  const result = schema.safeParse({ ...defaultsOf(present), ...present })
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`)
    throw new HeedError('invalid-config', `${source} has invalid keys:\n${lines.join('\n')}`, {
      remedy: 'Correct these keys.',
    })
  }
  warnOfUnreadKeys(present, (key) => Object.hasOwn(schema.shape, key), unreadImageKeys, source)
  return result.data
}

/** Keys of transformers 5.24 that have no effect on the result here. */
export const unreadImageKeys: UnreadKeys = {
  ...unreadKeys('processor_class', '_processor_class', 'image_processor_class', 'auto_map'),
  // Formats of inputs and outputs, and devices
  ...unreadKeys('do_convert_rgb', 'input_data_format', 'return_tensors', 'device', 'backend'),
  ...unreadKeys('disable_grouping', 'image_seq_length', '_valid_processor_keys'),
  ...unreadKeys('_valid_kwargs_names', 'model_input_names', 'feature_extractor_type'),
  do_pad: [false],
  pad_size: [],
  data_format: ['channels_first'],
}

/** Defaults by the prefix of the image processor's class name. */
function defaultsOf({
  image_processor_type,
  feature_extractor_type,
  crop_pct,
}: Partial<Keys>): Keys {
  const type = String(image_processor_type ?? feature_extractor_type ?? '')
  const kind = Object.keys(DEFAULTS).find((name) => type.startsWith(name))
  if (kind !== undefined) return DEFAULTS[kind]
  return crop_pct !== undefined && type === '' ? DEFAULTS.ConvNext : {}
}

const OPENAI_CLIP = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
}
const CLIP: Keys = {
  ...OPENAI_CLIP,
  size: { shortest_edge: 224 },
  default_to_square: false,
  crop_size: { height: 224, width: 224 },
  do_center_crop: true,
  resample: 3,
}

const DEFAULTS: Readonly<Record<string, Keys>> = {
  Bit: CLIP,
  CLIP,
  ConvNext: {
    size: { shortest_edge: 384 },
    default_to_square: false,
    resample: 3,
    crop_pct: 224 / 256,
  },
  DeiT: {
    size: { height: 256, width: 256 },
    crop_size: { height: 224, width: 224 },
    do_center_crop: true,
    resample: 3,
  },
  ViTHybrid: CLIP,
}
