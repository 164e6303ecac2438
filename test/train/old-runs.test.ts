// Runs, a saved model and a GGUF file that version 0.1.0 wrote (scripts/fixtures/old-runs.ts): they open, predict,
// evaluate and resume as they did then, bit for bit; where that has changed since, a comment says why.
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runs, toPredict } from '../../scripts/fixtures/old-run-cases.ts'
import { openRows } from '../../src/data/index.ts'
import { tensor } from '../../src/index.ts'
import { openGGUF, writeGGUF } from '../../src/io/index.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { evaluateRun, openRun, predictRun, RunFolder, trainModel } from '../../src/train/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { cpuDevices, onEach } from '../support/devices.ts'
import { linesOf, scratch } from './support.ts'

interface Expected {
  predictions: object[]
  metrics: Record<string, unknown>
  log: Record<string, number>[]
  weights: string
}

const at = scratch()
const folder = (name: string): string => join(FIXTURES, 'old-runs', name)
const expected: { compiler: string; devices: Record<string, Record<string, unknown>> } = JSON.parse(
  readFileSync(folder('expected.json'), 'utf8'),
)
/** The native kernels compute the same bits where the same compiler built them. */
const sameCompiler = compilerHere() === expected.compiler

onEach(
  cpuDevices.filter(({ name }) => name in expected.devices),
  (device) => {
    const deviceName = (): string => `${device().name} ${(device() as { isa?: string }).isa}`
    const isExact = (): boolean => sameCompiler || deviceName().startsWith('wasm')
    const wanted = <T>(name: string): T => expected.devices[deviceName()][name] as T

    describe.each(Object.keys(runs))('an old run: %s', (name) => {
      it('predicts and evaluates as before', async () => {
        const { predictions, metrics } = wanted<Expected>(name)
        const { rowOptions } = await openRun(folder(name))
        const rows = (await openRows(toPredict[name] ?? runs[name].data, rowOptions)).rows()
        const found: object[] = []
        for await (const { output } of predictRun(folder(name), rows)) {
          found.push(output)
          if (found.length === predictions.length) break
        }
        const evaluation = await evaluateRun(folder(name), runs[name].data, { limit: 12 })
        if (isExact()) expect(found).toEqual(predictions)
        expect(evaluation.metrics.loss).toBeGreaterThan(0)
        if (name.startsWith('text')) return // windows of the text since then, in place of its lines
        const { loss: lossBefore, ...before } = metrics
        const { loss, ...now } = evaluation.metrics
        if (isExact()) expect(now).toEqual(before)
        // All terms of the objective since then.
        if (lossBefore !== undefined && !['masked-lm', 'classification-joint'].includes(name))
          expect(loss).toBeCloseTo(Number(lossBefore), isExact() ? 6 : 3)
      })

      it('resumes as before', async () => {
        const out = at(`${deviceName()} ${name}`)
        cpSync(folder(name), out, { recursive: true })
        const before = await new RunFolder(out).latest()
        if (!before) throw new Error('there is no checkpoint')
        const { step } = before.state
        await trainModel({ config: before.state.config, out, resume: true })
        const { log, weights } = wanted<Expected>(name)
        const found = linesOf(out).filter((line) => line.step > step)
        expect(found.map((line) => line.step)).toEqual(log.map((line) => line.step))
        // Micro-batches are parts of one batch since then, so that other windows of the text are drawn.
        if (before.state.config.accumulate > 1) return
        // The loss of causal models is a sum in another order since then, which may change its last bits.
        const isCausal = before.state.config.task === 'text-generation'
        if (isExact() && !isCausal) expect(found).toEqual(log)
        if (isExact() && !isCausal) expect(sha256(join(out, 'model.safetensors'))).toBe(weights)
        for (const [i, { loss }] of log.entries())
          if (loss !== undefined) expect(found[i].loss).toBeCloseTo(loss, isExact() ? 5 : 2)
      })
    })

    // Activations of products in blocks were rounded to bytes then, and are to 16 bits now.
    it.each([
      ['saved', true, 5e-5],
      ['llama.gguf', false, 0.3],
    ])('an old model: %s computes the same', async (name, exact, bound) => {
      const model = await fromPretrained(folder(name))
      const logits = model.eval().forward(tensor([[1, 5, 9, 2]], { dtype: 'i32' }))
      const found = [...(await logits.data()).slice(-8)]
      if (exact && isExact()) expect(found).toEqual(wanted(name))
      for (const [i, value] of wanted<number[]>(name).entries())
        expect(Math.abs(found[i] - value)).toBeLessThan(bound)
    })
  },
)

it('a GGUF file is written with the same bytes', async () => {
  const source = await openGGUF(folder('llama.gguf'))
  const tensors = source.names.map((name) => ({
    ...source.info(name),
    name,
    data: () => source.readBlocks(name),
  }))
  await writeGGUF(at('llama.gguf'), Object.fromEntries(source.metadata.entries), tensors)
  await source.close()
  expect(sha256(at('llama.gguf'))).toBe(sha256(folder('llama.gguf')))
})

function compilerHere(): string | undefined {
  const record = new URL('../../native/build/heed.json', import.meta.url)
  return existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')).compiler : undefined
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
