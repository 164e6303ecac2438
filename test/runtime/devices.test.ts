import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type Bindings,
  defaultDevice,
  device,
  deviceNames,
  type Executable,
  type Lowered,
  Parameter,
  ReferenceDevice,
  registerDevice,
  setDefaultDevice,
  tensor,
} from '../../src/index.ts'
import { SGD } from '../../src/optim/index.ts'
import type { ErrorCode } from '../../src/util/error-codes.ts'
import { heedError } from '../support/heed-error.ts'

/** The reference device, counting the runs of its programs. */
class Counting extends ReferenceDevice {
  override readonly name = 'counting'
  runs = 0

  override compile(graph: Lowered) {
    const program = super.compile(graph)
    const run = program.run.bind(program)
    program.run = (bindings: Bindings) => {
      this.runs++
      return run(bindings)
    }
    return program satisfies Executable
  }
}

const original = defaultDevice()
afterEach(() => {
  setDefaultDevice(original)
})

describe('registerDevice', () => {
  it('opens the device when it is first used, once, and computes and trains on it', async () => {
    const create = vi.fn(() => new Counting())
    registerDevice({ name: 'counting', create })
    expect(deviceNames()).toEqual(['cpu', 'wasm', 'reference', 'counting'])
    expect(create).not.toHaveBeenCalled()
    const counting = setDefaultDevice('counting') as Counting
    expect(device('counting')).toBe(counting)
    expect(create).toHaveBeenCalledTimes(1)

    const weight = new Parameter(tensor([3, 4]))
    const optimizer = new SGD([weight], { lr: 0.5 })
    const loss = weight.square().sum()
    loss.backward()
    await optimizer.step()
    expect(await loss.item()).toBe(25)
    expect([...(await weight.data())]).toEqual([0, 0])
    expect(counting.runs).toBeGreaterThan(0)
  })

  it('refuses names that are taken or unsafe, and definitions without `create`', () => {
    const create = () => new Counting()
    const refused = (definition: object, code: ErrorCode): void =>
      expect(() => registerDevice(definition as never)).toThrow(heedError(code))
    refused({ name: 'cpu', create }, 'already-exists')
    refused({ name: '__proto__', create }, 'invalid-option')
    refused({ name: '../gpu', create }, 'invalid-option')
    refused({ name: 'gpu' }, 'invalid-option')
    expect(deviceNames()).not.toContain('gpu')
  })

  it('refuses what `create` returns when it is no device', () => {
    registerDevice({ name: 'broken', create: () => ({ compile() {} }) as never })
    expect(() => device('broken')).toThrow(
      heedError('invalid-option', { key: 'device', mentions: ["'broken'", 'allocate'] }),
    )
  })
})

describe('device', () => {
  it('names the nearest device', () => {
    expect(() => device('wsm')).toThrow(
      heedError('unknown-name', { mentions: 'got "wsm"', remedy: 'wasm?' }),
    )
    expect(() => device('constructor')).toThrow(heedError('unknown-name'))
  })
})
