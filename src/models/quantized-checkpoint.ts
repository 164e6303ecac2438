// Checkpoints that were quantised before publication. FP8 in blocks is converted to f32; other methods are rejected.
import { isJsonObject } from '../io/files/json.ts'
import type { Piece } from '../io/safetensors/safetensors.ts'
import { HeedError, shown } from '../util/errors.ts'
import type { WeightFile } from './weight-file.ts'

/**
 * Returns the weights of a checkpoint as plain numbers, according to `quantization_config`.
 * @throws HeedError that names the method, if it is not supported
 */
export function dequantizedWeights(file: WeightFile, config: object): WeightFile {
  const quantization_config: unknown = Reflect.get(config, 'quantization_config')
  const method = methodOf(config, file.names)
  if (method === null) return file
  if (method === 'fp8') return new FP8Weights(file, blockOf(quantization_config, file.path))
  const { title = 'another format', remedy } = METHODS[method] ?? {}
  const name = method === MLX ? 'config key quantization' : `quant_method ${shown(method)}`
  throw new HeedError(
    'unsupported',
    `The weights in ${file.path} must be plain numbers or FP8 in blocks, got ${title} (${name})`,
    {
      key: method === MLX ? 'quantization' : 'quantization_config',
      value: method,
      expected: 'plain numbers or FP8 in blocks',
      remedy: `Use the original, unquantised model, or a GGUF file of it${remedy ? `, or ${remedy}` : ''}.`,
    },
  )
}

const MLX = 'mlx'

/** Quantisation methods by `quant_method`. MLX has a separate key. */
const METHODS: Readonly<Record<string, { title: string; remedy?: string }>> = {
  awq: { title: 'AWQ' },
  bitsandbytes: { title: 'bitsandbytes (int8 or 4 bits)' },
  gptq: { title: 'GPTQ' },
  [MLX]: {
    title: 'weights quantised by MLX',
    remedy: 'convert it with `mlx_lm.convert` and its option `dequantize`',
  },
}

/** Names of tensors that only one method writes, for checkpoints whose config does not name the method. */
const TRACES: readonly (readonly [RegExp, string])[] = [
  [/\.weight_scale_inv$/, 'fp8'],
  [/\.(SCB|weight_format|absmax|quant_map|quant_state\..*)$/, 'bitsandbytes'],
  [/\.g_idx$/, 'gptq'],
  [/\.qzeros$/, 'awq'],
]

/** The quantisation method; null for a checkpoint that is not quantised. */
function methodOf(config: object, names: readonly string[]): string | null {
  const quantization_config: unknown = Reflect.get(config, 'quantization_config')
  if (isJsonObject(quantization_config)) {
    const { quant_method, load_in_8bit, load_in_4bit } = quantization_config
    if (typeof quant_method === 'string') return quant_method
    if (load_in_8bit === true || load_in_4bit === true) return 'bitsandbytes'
  }
  if (isMLX(quantization_config) || isMLX(Reflect.get(config, 'quantization'))) return MLX
  const trace = TRACES.find(([pattern]) => names.some((name) => pattern.test(name)))
  if (trace) return trace[1]
  const scaled = new Set(names.filter((name) => name.endsWith('.scales')))
  return names.some((name) => scaled.has(name.replace(/\.biases$/, '.scales')) && name.endsWith('.biases')) ? MLX : null // biome-ignore format: one line
}

/** Recognises MLX, which uses the key `quantization` and, in newer versions, also `quantization_config`. */
const isMLX = (value: unknown): boolean =>
  isJsonObject(value) && typeof value.group_size === 'number' && typeof value.bits === 'number'

/** Numbers of rows and columns that share a scale; null: one scale per tensor. */
type Block = readonly [rows: number, columns: number] | null

function blockOf(config: unknown, path: string): Block {
  const { weight_block_size: size = [128, 128] } = isJsonObject(config) ? config : {}
  if (size === null) return null
  if (
    Array.isArray(size) &&
    size.length === 2 &&
    size.every((n) => Number.isInteger(n) && Number(n) > 0)
  )
    return [Number(size[0]), Number(size[1])]
  throw new HeedError(
    'invalid-config',
    `weight_block_size of ${path} must be two positive whole numbers, got ${shown(size)}`,
    {
      key: 'weight_block_size',
      value: size,
      remedy: 'Correct quantization_config in config.json.',
    },
  )
}

const SCALE = '_scale_inv'

/** Weights in FP8. `name_scale_inv` contains the factor of each block of `name`. */
class FP8Weights implements WeightFile {
  readonly path: string
  readonly names: readonly string[]
  readonly #file: WeightFile
  readonly #scaled: ReadonlySet<string>
  readonly #block: Block

  constructor(file: WeightFile, block: Block) {
    const all = new Set(file.names)
    this.path = file.path
    this.#file = file
    this.#block = block
    this.#scaled = new Set(file.names.filter((name) => all.has(name + SCALE)))
    const scales = new Set([...this.#scaled].map((name) => name + SCALE))
    this.names = file.names.filter((name) => !scales.has(name))
  }

  info(name: string): { shape: readonly number[]; dtype?: string } {
    return this.#file.info(name)
  }

  async *pieces(name: string): AsyncGenerator<Piece> {
    if (!this.#scaled.has(name)) return yield* this.#file.pieces(name)
    const factor = await this.#factors(name)
    for await (const { start, values } of this.#file.pieces(name)) {
      for (let i = 0; i < values.length; i++) values[i] *= factor(start + i)
      yield { start, values }
    }
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** Returns a function from the index of an element to its factor. */
  async #factors(name: string): Promise<(index: number) => number> {
    const { shape } = this.#file.info(name)
    const [rows, columns] = [shape.slice(0, -1).reduce((a, b) => a * b, 1), shape.at(-1) ?? 1]
    const [blockRows, blockColumns] = this.#block ?? [rows, columns]
    const across = Math.ceil(columns / blockColumns)
    const scales = await this.#scales(name + SCALE, Math.ceil(rows / blockRows) * across)
    return (index) => {
      const row = Math.floor(index / columns)
      return scales[
        Math.floor(row / blockRows) * across + Math.floor((index % columns) / blockColumns)
      ]
    }
  }

  async #scales(name: string, count: number): Promise<Float32Array> {
    const { shape } = this.#file.info(name)
    const size = shape.reduce((a, b) => a * b, 1)
    if (size !== count)
      throw new HeedError(
        'corrupt-file',
        `${name} in ${this.path} must have ${count} scales, one per block, got ${size}`,
        { key: name, value: size, remedy: 'Check weight_block_size in config.json.' },
      )
    const scales = new Float32Array(count)
    for await (const { start, values } of this.#file.pieces(name)) scales.set(values, start)
    return scales
  }
}
