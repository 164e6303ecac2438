// Wrong calls that once had no effect, gave NaN or failed much later: each is one clear error, or works as in PyTorch.
import { describe, expect, it } from 'vitest'
import {
  F,
  fullLike,
  Parameter,
  rand,
  randn,
  type Tensor,
  tensor,
  uniform,
  where,
  zeros,
} from '../../src/index.ts'
import { HeedError } from '../../src/util/errors.ts'

const x = tensor([[1, -2, 3]])

/** The message and remedy of the error that a call without types throws. */
function answer(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (!(error instanceof HeedError)) throw error
    return `${error.message} ${error.remedy ?? ''}`
  }
  throw new Error('The call was accepted')
}

const call = (f: unknown, ...args: unknown[]): unknown =>
  (f as (...args: unknown[]) => unknown)(...args)

describe('calls that work as in PyTorch', () => {
  it('clamp(min, max)', async () => {
    expect(await x.clamp(-1, 1).tolist()).toEqual([[1, -1, 1]])
    expect(await x.clamp(null, 2).tolist()).toEqual([[1, -2, 2]])
    expect(await x.clamp(tensor([2, 0, 0])).tolist()).toEqual([[2, 0, 3]])
    expect(await x.clip({ max: 1 }).tolist()).toEqual([[1, -2, 1]])
  })

  it('permute, flip and repeat with a list', () => {
    expect(x.permute([1, 0]).shape).toEqual([3, 1])
    expect(x.repeat([2, 2]).shape).toEqual([2, 6])
    expect(x.flip([0, 1]).shape).toEqual([1, 3])
  })
})

describe('calls that are refused', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['clamp()', () => call(() => x.clamp(undefined)), /clamp.*`min`.*`max`/],
    ['clamp({ minimum })', () => x.clamp({ minimum: 1 } as never), /among min, max.*`min`\?/],
    ['where(mask)', () => call(where, x.gt(0)), /`yes` and `no`.*nonzero\(\)/],
    ['mask.where(1)', () => call(() => x.gt(0).where(1, undefined as never)), /where.*`no`/],
    ['add(undefined)', () => x.add(undefined as never), /^add: .*operand.* got undefined/],
    ['mul(promise)', () => x.mul(x.sum().item() as never), /^mul: .*got a Promise.*\bAwait/],
    ['sub([1])', () => x.sub([1] as never), /got \[1\] .*tensor\(values\)/],
    ['var(1, false)', () => x.var(1, false as never), /\bvar\b.* got false/],
    ['std(1, { unbiased })', () => x.std(1, { unbiased: false } as never), /got `unbiased`/],
    ['sum(0, 1)', () => x.sum(0, 1 as never), /`keepdim`.* got 1.*sum\(\[0/],
    ['mean({ dim: 0 })', () => x.mean({ dim: 0 } as never), /axis.* -2 to 1/],
    ["to('bf16')", () => x.to('bf16' as never), /`dtype` .*got "bf16" .*files.*'f32'/],
    ["to('cuda')", () => x.to('cuda' as never), /`dtype` .*f32.* got "cuda"/],
    ["dtype: 'float32'", () => tensor([1], { dtype: 'float32' as never }), /"float32" Use 'f32'/],
    ['zeros(2, 3)', () => zeros(2 as never, 3 as never), /zeros.* got 2 .*zeros\(\[2, 3\]\)/],
    ['randn(2, 3)', () => randn(2 as never, 3 as never), /randn.* got 2 .*randn\(\[2, 3\]\)/],
    ['rand([2], 3)', () => rand([2], 3 as never), /`generator`.* Generator, got 3/],
    ['uniform([2], "a")', () => uniform([2], 'a' as never), /`low`.* got "a"/],
    ['matmul(undefined)', () => x.matmul(undefined as never), /^matmul: `other`/],
    ['take(mask)', () => x.take(x.gt(0)), /got bool .*maskedSelect/],
    [
      'mseLoss of two shapes',
      () => F.mseLoss(x, zeros([1, 2])),
      /mseLoss.*shape.*\(1, 3\).*\(1, 2\)/,
    ],
    ["mseLoss(…, 'average')", () => F.mseLoss(x, x, 'average' as never), /'mean', 'sum' or 'none'/],
    ['dropout(x, 2)', () => F.dropout(x, 2), /`p`.* 2\b/],
    ['conv2d({ strides })', () => call(F.conv2d, zeros([1, 1, 2, 2]), zeros([1, 1, 1, 1]), null, { strides: 1 }), /`stride`\?/], // biome-ignore format: one line
    ['crossEntropy({ label_smoothing })', () => F.crossEntropy(x, zeros([1], 'i32'), { label_smoothing: 0.1 } as never), /`labelSmoothing`\?/], // biome-ignore format: one line
  ])('%s', (_, wrong, message) => {
    expect(answer(wrong)).toMatch(message)
  })

  it('does not change a tensor whose new values are wrong', async () => {
    const state = new Parameter(tensor([1, 2]))
    expect(answer(() => state.assign(undefined as never))).toMatch(/^assign: .*operand/)
    expect(answer(() => state.assignAt(tensor([1]), -1))).toMatch(/`offset`.*-1/)
    expect(await state.tolist()).toEqual([1, 2])
  })
})

describe('names of PyTorch', () => {
  it.each([
    ['bmm', /\bbmm\b.*\bmatmul\b/],
    ['index_select', /\bindex_select\b.*\bindexSelect\b/],
    ['log_softmax', /\blog_softmax\b.*\blogSoftmax\b/],
    ['numel', /\bnumel\b.*\bsize\b/],
    ['add_', /x\.assign\(x\.add\(…\)\)/],
  ])('%s', (name, message) => {
    const method = (x as unknown as Record<string, (y: Tensor) => Tensor>)[name]
    expect(answer(() => method.call(x, x))).toMatch(message)
  })

  it('answer for properties, also when they are set', () => {
    const untyped = x as unknown as Record<string, unknown>
    expect(answer(() => untyped.ndim)).toMatch(/\bndim\b.*\brank\b/)
    expect(answer(() => (untyped.requires_grad = true))).toMatch(
      /\brequires_grad\b.*\brequiresGrad\b/,
    )
    const functions = F as unknown as Record<string, () => unknown>
    expect(answer(() => functions.cross_entropy())).toMatch(/\bF\.crossEntropy\b/)
  })

  it('are not seen by what looks at a tensor', () => {
    const seen: string[] = []
    for (const key in x) seen.push(key)
    expect(seen).not.toContain('bmm')
    expect(Object.keys(x)).not.toContain('ndim')
    expect(JSON.stringify(Object.keys(x))).not.toContain('requires_grad')
  })
})

it('fills a tensor like another one', async () => {
  expect(await fullLike(tensor([1, 2], { dtype: 'i32' }), 7).tolist()).toEqual([7, 7])
})
