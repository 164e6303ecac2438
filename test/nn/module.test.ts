import { describe, expect, it } from 'vitest'
import { hold, Parameter, realize, stats, type Tensor, tensor } from '../../src/index.ts'
import { Dropout, Linear, Module, Sequential } from '../../src/nn/index.ts'
import { heedError } from '../support/heed-error.ts'

class Attention extends Module<{ width: number }> {
  c_proj = new Linear(this.config.width, this.config.width)
  drop = new Dropout(0.5)

  forward(x: Tensor): Tensor {
    return this.drop.forward(this.c_proj.forward(x))
  }
}

class Block extends Module<{ width: number }> {
  attn = new Attention(this.config)

  forward(x: Tensor): Tensor {
    return x.add(this.attn.forward(x))
  }
}

class Model extends Module<{ width: number }> {
  h = [new Block(this.config), new Block(this.config)]
  lm_head = new Linear(this.config.width, this.config.width, {
    bias: false,
    weight: this.h[0].attn.c_proj.weight,
  })

  forward(x: Tensor): Tensor {
    return this.lm_head.forward(this.h.reduce((y, block) => block.forward(y), x))
  }
}

const make = (): Model => new Model({ width: 2 })
const x = (): Tensor => tensor([[1, 2]])
const names = [
  'h.0.attn.c_proj.weight',
  'h.0.attn.c_proj.bias',
  'h.1.attn.c_proj.weight',
  'h.1.attn.c_proj.bias',
]
const values = (...shape: number[]): { data: Float32Array; shape: number[] } => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
  shape,
})
const complete = () => ({
  'h.0.attn.c_proj.weight': values(2, 2),
  'h.0.attn.c_proj.bias': values(2),
  'h.1.attn.c_proj.weight': values(2, 2),
  'h.1.attn.c_proj.bias': values(2),
})

describe('names', () => {
  it('are paths of fields; a tied parameter has its first one only', () => {
    const model = make()
    expect(model.namedParameters().map(([name]) => name)).toEqual(names)
    expect(model.parameters()).toHaveLength(4)
    expect(Object.keys(model.stateDict())).toEqual(names)
    expect(model.namedModules().map(([name]) => name)).toEqual([
      '',
      'h.0',
      'h.0.attn',
      'h.0.attn.c_proj',
      'h.0.attn.drop',
      'h.1',
      'h.1.attn',
      'h.1.attn.c_proj',
      'h.1.attn.drop',
      'lm_head',
    ])
  })

  it('are numbers in a Sequential', () => {
    const model = new Sequential(new Linear(2, 3), new Dropout(), new Linear(3, 1))
    expect(Object.keys(model.stateDict())).toEqual(['0.weight', '0.bias', '2.weight', '2.bias'])
  })

  it('stand on what a forward pass computes, and in its errors', () => {
    const model = make()
    expect(model.forward(x()).node.scope).toBe('lm_head')
    expect(() => model.forward(tensor([[1, 2, 3]]))).toThrow(
      heedError('shape', { mentions: ['h.0.attn.c_proj', 'matmul'] }),
    )
    expect(model.h[1].attn.forward(x()).node.scope).toBe('drop')
    expect(model.forward(x()).node.scope).toBe('lm_head')
  })

  it('take the class for a module that is no field', () => {
    const stranger = new Linear(2, 2)
    class Host extends Module {
      own = new Sequential({ forward: () => null } as never)
      forward(y: Tensor): Tensor {
        return stranger.forward(y)
      }
    }
    expect(new Host().forward(x()).node.scope).toBe('Linear')
  })
})

describe('loadStateDict', () => {
  it('lists everything that does not fit in one error, and changes nothing', async () => {
    const model = make()
    const before = await model.h[0].attn.c_proj.weight.data()
    const { 'h.1.attn.c_proj.bias': _, ...dict } = complete()
    const bad = { ...dict, 'h.1.attn.c_proj.weight': values(3, 2), extra: values(1) }
    expect(() => model.loadStateDict(bad)).toThrow(
      heedError('shape', {
        mentions: [
          'Model',
          '1 missing:\n    h.1.attn.c_proj.bias\n',
          '1 unexpected:\n    extra\n',
          'shape:\n    h.1.attn.c_proj.weight',
          '(3, 2)',
          '(2, 2)',
        ],
      }),
    )
    expect(await model.h[0].attn.c_proj.weight.data()).toEqual(before)
  })

  it('lets names be missing or unexpected when it is not strict, but never shapes', () => {
    const model = make()
    model.loadStateDict({ 'h.0.attn.c_proj.bias': values(2), extra: values(1) }, { strict: false })
    const wrong = { 'h.0.attn.c_proj.bias': values(3) }
    expect(() => model.loadStateDict(wrong, { strict: false })).toThrow(
      heedError('shape', { mentions: ['(3)', '(2)'] }),
    )
  })

  it('finds a tied parameter under any of its names', async () => {
    const model = make()
    const { 'h.0.attn.c_proj.weight': weight, ...dict } = complete()
    model.loadStateDict({ ...dict, 'lm_head.weight': weight })
    expect([...(await model.h[0].attn.c_proj.weight.data())]).toEqual([1, 2, 3, 4])
    expect(() => model.loadStateDict(dict)).toThrow(
      heedError('shape', { mentions: ['1 missing', 'h.0.attn.c_proj.weight'] }),
    )
  })

  it('is not confused by names that objects have anyway', () => {
    const dict = JSON.parse(
      '{"__proto__": {"data": [1], "shape": [1]}, "constructor": {"data": [1], "shape": [1]}}',
    )
    expect(() => make().loadStateDict(dict)).toThrow(
      heedError('shape', { mentions: ['2 unexpected', '__proto__', 'constructor'] }),
    )
  })

  it('never computes the values that it replaces', async () => {
    const model = make()
    model.loadStateDict(complete())
    const { runs } = stats()
    const bias = model.h[1].attn.c_proj.bias as Tensor
    expect([...(await bias.data())]).toEqual([1, 2])
    expect(stats().runs).toBe(runs)
    await realize([model.eval().forward(x())])
    expect(stats().runs).toBe(runs + 1)
  })

  it('writes into memory that programs hold', async () => {
    const layer = new Linear(2, 1, { bias: false })
    const held = hold((input) => [layer.forward(input)])
    const input = { data: Float32Array.of(1, 1), shape: [1, 2] }
    await held(input)
    await held(input)
    layer.loadStateDict({ weight: values(1, 2) })
    const [y] = await held(input)
    expect(await y.item()).toBe(3)
  })

  it('takes the state of another model', async () => {
    const [a, b] = [make(), make()]
    b.loadStateDict(a.stateDict())
    await realize(b.parameters())
    expect(await b.h[1].attn.c_proj.weight.data()).toEqual(await a.h[1].attn.c_proj.weight.data())
    expect(b.h[1].attn.c_proj.weight).not.toBe(a.h[1].attn.c_proj.weight)
  })
})

describe('modes', () => {
  it('reach every module', () => {
    const model = make().eval()
    expect(model.namedModules().some(([, module]) => module.training)).toBe(false)
    expect(model.train().h[1].attn.drop.training).toBe(true)
  })

  it('freeze by prefix', () => {
    const model = make().freeze('h.1')
    expect(model.parameters().map((p) => p.requiresGrad)).toEqual([true, true, false, false])
    model.forward(x()).sum().backward()
    expect(model.h[1].attn.c_proj.weight.grad).toBeNull()
    expect(model.h[0].attn.c_proj.weight.grad).not.toBeNull()
    expect(
      model
        .unfreeze()
        .parameters()
        .every((p) => p.requiresGrad),
    ).toBe(true)
    expect(() => model.freeze('h.1.atn')).toThrow(
      heedError('unknown-name', { key: 'prefix', value: 'h.1.atn', remedy: 'h.1.attn.c_proj' }),
    )
  })
})

describe('hooks', () => {
  it('see each call of a module by its path, until they are removed', () => {
    const model = make().eval()
    const seen: string[] = []
    const remove = model.hook('h.1.attn', (module, [input], output) => {
      seen.push(`${module.constructor.name} ${(input as Tensor).shape} ${output.shape}`)
    })
    model.forward(x())
    remove()
    model.forward(x())
    expect(seen).toEqual(['Attention 1,2 1,2'])
  })

  it('can replace the output', async () => {
    const model = new Sequential(new Linear(2, 2), new Linear(2, 1))
    model.hook('0', (_module, _inputs, output) => output.mul(0))
    const y = model.forward(x())
    expect(await y.item()).toBeCloseTo(await model[1].stateDict().bias.item(), 6)
  })

  it('see modules whose forward is a field', () => {
    class Doubled extends Module {
      forward = (input: Tensor): Tensor => input.mul(2)
    }
    class Outer extends Module {
      parts = [new Doubled(), new Doubled()]
      forward = (input: Tensor): Tensor => this.parts.reduce((y, part) => part.forward(y), input)
    }
    const model = new Outer()
    const seen: string[] = []
    for (const path of ['', 'parts.1']) model.hook(path, () => void seen.push(path))
    expect(model.forward(x()).node.scope).toBe('parts.1')
    expect(seen).toEqual(['parts.1', ''])
  })

  it('take the end of a path that only one module has', () => {
    const model = make()
    expect(model.getModule('1.attn')).toBe(model.h[1].attn)
    expect(() => model.hook('attn', () => {})).toThrow(
      heedError('unknown-name', {
        mentions: ["'attn'", '2 modules'],
        remedy: 'h.0.attn, h.1.attn',
      }),
    )
    expect(() => model.hook('h.0.atn', () => {})).toThrow(
      heedError('unknown-name', { mentions: ['Model', "'h.0.atn'"], remedy: 'h.0.attn' }),
    )
  })
})

describe('two parameters from one tensor', () => {
  it('are apart, and leave the tensor alone', async () => {
    const first = tensor([1, 2])
    const computed = first.mul(1)
    await realize([computed])
    for (const source of [first, computed]) {
      const [a, b] = [new Parameter(source), new Parameter(source)]
      expect(source.node.tracked).toBe(false)
      a.mul(3).sum().backward()
      expect(a.grad).not.toBeNull()
      expect(b.grad).toBeNull()
      a.assign(a.mul(10))
      await realize([a, b])
      expect([...(await a.data())]).toEqual([10, 20])
      expect([...(await b.data())]).toEqual([1, 2])
      expect([...(await source.data())]).toEqual([1, 2])
    }
  })
})
