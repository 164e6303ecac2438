// Unusual folders that transformers opens, against what it makes of them: see scripts/fixtures/lenient.py.
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { tensor } from '../../src/index.ts'
import { openSafetensors, saveSafetensors } from '../../src/io/index.ts'
import { fromPretrained, type Head, Llama, savePretrained } from '../../src/models/index.ts'
import { activations } from '../../src/nn/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

const root = join(FIXTURES, 'lenient')
const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'))
const expected: Record<string, number[]> = await read(join(root, 'expected.json'))

const headOf = (name: string): Head => {
  if (name.startsWith('bert-label')) return 'sequence-classification'
  if (/^(t5|marian)/.test(name)) return 'seq2seq-lm'
  return /^(bert|roberta|distilbert)/.test(name) ? 'masked-lm' : 'causal-lm'
}

/** The first numbers of the output, and the warnings. */
async function opened(dir: string, head: Head): Promise<{ numbers: number[]; warnings: string[] }> {
  const spy = vi.spyOn(console, 'warn').mockImplementation(() => {})
  try {
    const model = await fromPretrained(dir, head as 'seq2seq-lm')
    const ids = tensor([[5, 9, 2, 7, 11]], { dtype: 'i32' })
    const target = head === 'seq2seq-lm' ? [ids.narrow(1, 0, 3)] : []
    const output = await (model.forward as (...args: unknown[]) => typeof ids)(
      ids,
      ...target,
    ).data()
    const warnings = spy.mock.calls.map(([text]) => String(text))
    return { numbers: Array.from(output.slice(0, 12)), warnings }
  } finally {
    spy.mockRestore()
  }
}

const close = (got: readonly number[], want: readonly number[]): void => {
  expect(want.length).toBeGreaterThan(0)
  for (const [i, x] of want.entries()) expect(got[i]).toBeCloseTo(x, 4)
}

describe('a folder that transformers opens', () => {
  it.each(Object.keys(expected))('%s has its numbers', async (name) => {
    const dir = join(root, name)
    const { numbers, warnings } = await opened(dir, headOf(name))
    close(numbers, expected[name])
    const about = { 'tied-other': /different values/, 'both-names': /precedence/, nobody: /v_head\.summary/, 'other-emb': /different values/ } // biome-ignore format: one line
    for (const [part, text] of Object.entries(about))
      if (name.includes(part)) expect(warnings.join('\n')).toMatch(text)
    if (!Object.keys(about).some((part) => name.includes(part))) expect(warnings).toEqual([])
  })

  it('with a head of its own is saved with it', async () => {
    const dir = await temporaryFolder()
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    for (const name of ['llama-tied-other-head', 't5-tied-other-head', 'bert-tied-other-head']) {
      const model = await fromPretrained(join(root, name), headOf(name))
      await savePretrained(model, join(dir, name))
      const { tie_word_embeddings } = await read(join(dir, name, 'config.json'))
      expect(tie_word_embeddings).toBe(false)
      const { numbers } = await opened(join(dir, name), headOf(name))
      close(numbers, expected[name])
    }
    warn.mockRestore()
  })
})

type Stored = 'i8' | 'u8' | 'u32' | 'f32'

describe('a quantised folder', () => {
  const config = {
    vocab_size: 8,
    hidden_size: 4,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 1,
  }
  /** A model folder with another config and other tensors. */
  async function folder(change: object, extra: Record<string, Stored> = {}) {
    const dir = await temporaryFolder()
    await savePretrained(new Llama(config), dir)
    const file = await openSafetensors(dir)
    const tensors = await Promise.all(
      file.names.map(async (name) => {
        const dtype = extra[name] ?? 'f32'
        const values = await file.read(name, { as: 'f32' })
        const data = { f32: values, i8: new Int8Array(values), u8: new Uint8Array(values), u32: new Uint32Array(values) }[dtype] // biome-ignore format: one line
        return { name, dtype, shape: file.info(name).shape, data }
      }),
    )
    const more = Object.entries(extra)
      .filter(([name]) => !file.has(name))
      .map(([name, dtype]) => ({ name, dtype, shape: [1], data: new Float32Array(1) }))
    await file.close()
    await saveSafetensors(dir, [...tensors, ...more])
    const path = join(dir, 'config.json')
    await writeFile(path, JSON.stringify({ ...(await read(path)), ...change }))
    return dir
  }

  const refused: [string, object, Record<string, Stored>, RegExp][] = [
    ['GPTQ', { quantization_config: { quant_method: 'gptq', bits: 4 } }, {}, /GPTQ/],
    ['AWQ', { quantization_config: { quant_method: 'awq' } }, {}, /AWQ/],
    ['bitsandbytes', { quantization_config: { quant_method: 'bitsandbytes' } }, {}, /bitsandbytes/],
    [
      'bitsandbytes of older versions',
      { quantization_config: { load_in_8bit: true } },
      {},
      /bitsandbytes/,
    ],
    ['another method', { quantization_config: { quant_method: 'hqq' } }, {}, /hqq/],
    ['GPTQ without a config', {}, { 'model.layers.0.mlp.up_proj.g_idx': 'f32' }, /GPTQ/],
    ['AWQ without a config', {}, { 'model.layers.0.mlp.up_proj.qzeros': 'f32' }, /AWQ/],
    [
      'bitsandbytes without a config',
      {},
      { 'model.layers.0.mlp.up_proj.SCB': 'f32' },
      /bitsandbytes/,
    ],
    ['MLX', { quantization: { group_size: 64, bits: 4 } }, {}, /\bMLX\b/],
    [
      'MLX of newer versions',
      { quantization_config: { group_size: 32, bits: 4, mode: 'mxfp4' } },
      {},
      /\bMLX\b/,
    ],
    [
      'MLX without a config',
      {},
      {
        'model.layers.0.mlp.up_proj.weight': 'u32',
        'model.layers.0.mlp.up_proj.scales': 'f32',
        'model.layers.0.mlp.up_proj.biases': 'f32',
      },
      /\bMLX\b/,
    ],
    [
      'int8 without scales',
      {},
      { 'model.layers.0.mlp.up_proj.weight': 'i8' },
      /up_proj\.weight .*int8/,
    ],
    ['uint8 without scales', {}, { 'model.layers.0.mlp.up_proj.weight': 'u8' }, /uint8/],
  ]
  it.each(refused)('of %s is refused by that name', async (_, change, extra, mentions) => {
    const error = fromPretrained(await folder(change, extra))
    await expect(error).rejects.toThrow(heedError('unsupported', { mentions }))
  })

  it('by MLX says how to make plain weights of it', async () => {
    const error = fromPretrained(await folder({ quantization: { group_size: 64, bits: 4 } }))
    await expect(error).rejects.toThrow(
      heedError('unsupported', { key: 'quantization', remedy: 'mlx_lm.convert' }),
    )
  })

  it('with null for a quantization is opened', async () => {
    await fromPretrained(await folder({ quantization_config: null, quantization: null }))
  })

  it('in FP8 with the scales of other blocks is refused', async () => {
    const dir = await temporaryFolder()
    await cp(join(root, 'llama-fp8-blocks'), dir, { recursive: true })
    const path = join(dir, 'config.json')
    const json = await read(path)
    const write = (weight_block_size: unknown) =>
      writeFile(path, JSON.stringify({ ...json, quantization_config: { ...json.quantization_config, weight_block_size } })) // biome-ignore format: one line
    await write([16, 16])
    await expect(fromPretrained(dir)).rejects.toThrow(
      heedError('corrupt-file', {
        key: 'model.layers.0.self_attn.q_proj.weight_scale_inv',
        value: 9,
      }),
    )
    await write([0, 8])
    await expect(fromPretrained(dir)).rejects.toThrow(
      heedError('invalid-config', { key: 'weight_block_size', value: [0, 8] }),
    )
  })
})

describe('activation functions', () => {
  it('are those of transformers', async () => {
    const { x, values } = await read(join(root, 'activations.json'))
    expect(Object.keys(activations).sort()).toEqual(Object.keys(values).sort())
    for (const [name, wanted] of Object.entries<number[]>(values)) {
      const got = await activations[name as 'gelu'](tensor(x)).data()
      for (const [i, y] of wanted.entries()) expect(got[i], `${name}(${x[i]})`).toBeCloseTo(y, 5)
    }
  })

  it('with parameters are refused by name', () => {
    expect(() => new Llama({ hidden_act: 'xielu' as never })).toThrow(
      heedError('invalid-config', { key: 'hidden_act', mentions: "'xielu'" }),
    )
    expect(() => new Llama({ hidden_act: 'prelu' as never })).toThrow(
      heedError('invalid-config', { key: 'hidden_act', mentions: "'prelu'" }),
    )
  })
})
