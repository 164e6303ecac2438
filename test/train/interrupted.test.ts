// A run survives what happens to its process and its folder: killed before the first checkpoint, extended, removed,
// a flipped bit in any file, two processes at once.
import { rmSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { latestCheckpoint } from '../../src/io/files/checkpoint.ts'
import { checkFiles } from '../../src/io/files/verify.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { RunFolder } from '../../src/train/index.ts'
import type { TrainEvent } from '../../src/train/train-model.ts'
import { heed } from '../cli/in-process.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, weightsOf, writeRows } from './support.ts'

const at = scratch()
const keys = {
  model: 'gpt2',
  data: [at('text.txt')],
  warmup: 0,
  saveEvery: 2,
  evalEvery: 2,
  seed: 3,
}

beforeAll(async () => {
  await writeFile(at('text.txt'), 'the cat sat on the mat and the dog ran after it. '.repeat(60))
  await trainTiny(at('whole'), { ...keys, steps: 6 })
})

/** A copy of the run, to be damaged. */
async function copyOf(name: string): Promise<string> {
  await cp(at('whole'), at(name), { recursive: true })
  return at(name)
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((x) => x.isFile()).map((x) => join(x.parentPath ?? x.path, x.name))
}

it('a run that was killed before its first checkpoint starts over from its configuration', async () => {
  const out = at('early')
  await trainTiny(out, { ...keys, steps: 6 }, { stopAt: 1 })
  const config = await new RunFolder(out).configuration()
  expect(config).toMatchObject({ model: 'gpt2', steps: 6 })
  await rm(join(out, 'checkpoints'), { recursive: true })
  await expect(trainTiny(out, { ...keys, steps: 6 })).rejects.toThrow(
    heedError('already-exists', { remedy: 'resume' }),
  )
  await trainTiny(out, { ...keys, steps: 6 }, { resume: true })
  expect(linesOf(out)).toEqual(linesOf(at('whole')))
  expect(await weightsOf(out)).toEqual(await weightsOf(at('whole')))
})

it('a failure before the first step leaves the folder free for the next try', async () => {
  const out = at('failed')
  await writeFile(at('empty.txt'), '')
  await expect(trainTiny(out, { ...keys, data: [at('empty.txt')], steps: 2 })).rejects.toThrow(
    heedError('invalid-data', { key: 'data', value: at('empty.txt') }),
  )
  await trainTiny(out, { ...keys, steps: 2 })
})

describe('a finished run', () => {
  it('is extended, and the rule of the schedule is stated', async () => {
    const out = await copyOf('extended')
    let warnings: readonly string[] = []
    const on = (event: TrainEvent): void => {
      if (event.type === 'start') warnings = event.warnings
    }
    const { step } = await trainTiny(out, { ...keys, steps: 9 }, { resume: true, on })
    expect(step).toBe(9)
    expect(warnings.join()).toMatch(/^9 steps .*\b6\b.*\(cosine\).*9 steps.*\d/)
    expect(linesOf(out).map((line) => line.step)).toContain(9)
    await expect(trainTiny(out, { ...keys, steps: 4 }, { resume: true })).rejects.toThrow(
      heedError('invalid-option', { key: 'steps' }),
    )
  })

  it('is extended by epochs, which then replace the steps', async () => {
    const out = await copyOf('epochs')
    const { mistake } = await heed('train', '--out', out, '--resume', '--epochs', '0.01')
    expect(mistake).toMatch(/--epochs .*\d+ steps/)
  })
})

it('a folder that is removed during the run is written again, and what is lost is reported', async () => {
  const out = at('removed')
  const texts: string[] = []
  const on = (event: TrainEvent): void => {
    if (event.type === 'warning') texts.push(event.text)
    if (event.type === 'saved' && event.step === 2) rmSync(out, { recursive: true })
  }
  await trainTiny(out, { ...keys, steps: 6 }, { on })
  expect(texts).toEqual([
    `${out} was removed during the run. It is written again; previously saved files are lost: the checkpoints and the best model (step 2)`,
  ])
  expect(linesOf(out)).toEqual(linesOf(at('whole')))
  expect(await weightsOf(out)).toEqual(await weightsOf(at('whole')))
  await fromPretrained(out)
  expect((await checkFiles(out))?.filter(({ problem }) => problem)).toEqual([])
})

it('two processes cannot train into one folder', async () => {
  const out = at('both')
  const both = await Promise.allSettled([
    trainTiny(out, { ...keys, steps: 2 }),
    trainTiny(out, { ...keys, steps: 2 }),
  ])
  const failures = both.flatMap((x) => (x.status === 'rejected' ? [x.reason] : []))
  expect(failures).toHaveLength(1)
  expect(failures[0]).toMatchObject({ code: 'invalid-state', details: { key: 'out' } })
})

describe('a flipped bit', () => {
  it('in any file is found by heed verify, which names the file', async () => {
    const out = await copyOf('flipped')
    let state = 1
    const random = (n: number): number => (state = (state * 48271) % 2147483647) % n
    for (const file of await filesBelow(out)) {
      const bytes = await readFile(file)
      for (let i = 0; i < 3; i++) {
        const damaged = Buffer.from(bytes)
        damaged[random(bytes.length)] ^= 1 << random(8)
        await writeFile(file, damaged)
        const { mistake } = await heed('verify', out)
        expect(mistake, file).toMatch(/damaged|valid JSON|UTF-8/)
      }
      await writeFile(file, bytes)
    }
    const { out: text, mistake } = await heed('verify', out)
    expect(mistake).toBe('')
    expect(text).toMatch(
      /✓ best\/model\.safetensors[\s\S]*✓ checkpoints\/step-000006[\s\S]*are intact/,
    )
  })

  it('in the newest checkpoint: the one before is used, and the steps that run again are stated', async () => {
    const out = await copyOf('older')
    const path = join(out, 'checkpoints', 'step-000006', 'optimizer.safetensors')
    const bytes = await readFile(path)
    bytes[bytes.length - 5] ^= 4
    await writeFile(path, bytes)
    expect(await latestCheckpoint(out)).toMatchObject({ step: 4 })
    let warnings: readonly string[] = []
    await trainTiny(
      out,
      { ...keys, steps: 6 },
      { resume: true, on: (event) => event.type === 'start' && (warnings = event.warnings) },
    )
    expect(warnings).toEqual([
      `A checkpoint is damaged; resuming from step 4: ${join(out, 'checkpoints', 'step-000006')}: optimizer.safetensors: its SHA-256 has changed since it was written`,
    ])
    expect(await weightsOf(out)).toEqual(await weightsOf(at('whole')))
  })

  it.each(['tokenizer.json', 'config.json', 'task.json', 'metrics.jsonl'])(
    'in %s: the run is not resumed',
    async (name) => {
      const out = await copyOf(`not resumed for ${name}`)
      const path = join(out, name)
      const text = await readFile(path, 'utf8')
      await writeFile(
        path,
        text.replace(/\d/, (digit) => `${Number(digit) ^ 1}`),
      )
      await expect(trainTiny(out, { ...keys, steps: 9 }, { resume: true })).rejects.toThrow(
        heedError('corrupt-file', { value: path }),
      )
    },
  )

  it('in the configuration of a run without a checkpoint: it does not start over from it', async () => {
    const out = await copyOf('changed configuration')
    await rm(join(out, 'checkpoints'), { recursive: true })
    const path = join(out, 'run.json')
    await writeFile(path, (await readFile(path, 'utf8')).replace('"seed": 3', '"seed": 2'))
    await expect(new RunFolder(out).configuration()).rejects.toThrow(
      heedError('corrupt-file', { value: path }),
    )
  })

  it('in the number of bytes that a hash covers is found', async () => {
    const out = await copyOf('bytes')
    const path = join(out, 'hashes.json')
    const text = await readFile(path, 'utf8')
    await writeFile(
      path,
      text.replace(/(?<="bytes": )\d+/, (bytes) => `${Number(bytes) + 1}`),
    )
    expect((await heed('verify', out)).out).toContain('✗ metrics.jsonl: it must have at least')
  })

  it('in a file of a folder in the run is found', async () => {
    const out = at('pooled')
    const data = writeRows(at('pairs.jsonl'), [
      { sentence1: 'a cat', sentence2: 'the cat' },
      { sentence1: 'a dog', sentence2: 'the dog' },
    ])
    const pairs = { model: 'distilbert', task: 'feature-extraction', data: [data], steps: 1 }
    await trainTiny(out, { ...pairs, batch: 2, valFraction: 0 })
    const path = join(out, '1_Pooling', 'config.json')
    await writeFile(path, (await readFile(path, 'utf8')).replace('mean', 'meao'))
    expect((await heed('verify', out)).out).toContain('✗ 1_Pooling/config.json')
    await expect(fromPretrained(out)).rejects.toThrow(heedError('corrupt-file', { value: path }))
  })

  it('in weights is not looked for where the configuration alone is read', async () => {
    const out = await copyOf('configuration')
    for (const step of ['step-000006', 'step-000004']) {
      const path = join(out, 'checkpoints', step, 'optimizer.safetensors')
      const bytes = await readFile(path)
      bytes[bytes.length - 5] ^= 4
      await writeFile(path, bytes)
    }
    expect(await new RunFolder(out).state()).toMatchObject({ step: 6, config: { model: 'gpt2' } })
    await expect(new RunFolder(out).latest()).rejects.toThrow(
      heedError('corrupt-file', { mentions: ['step-000006', 'optimizer.safetensors'] }),
    )
    const state = join(out, 'checkpoints', 'step-000006', 'trainer_state.json')
    await writeFile(state, (await readFile(state, 'utf8')).replace('"seed"', '"sEed"'))
    expect(await new RunFolder(out).state()).toMatchObject({ step: 4 })
  })

  it('in the weights: the run does not open; accepted files do', async () => {
    const out = await copyOf('weights')
    await rm(join(out, 'checkpoints'), { recursive: true })
    const path = join(out, 'model.safetensors')
    const bytes = await readFile(path)
    bytes[(await stat(path)).size - 3] ^= 1
    await writeFile(path, bytes)
    await expect(fromPretrained(out)).rejects.toThrow(
      heedError('corrupt-file', { value: path, mentions: 'SHA-256' }),
    )
    expect((await heed('verify', out, '--accept')).mistake).toBe('')
    await fromPretrained(out)
  })
})

it('files without hashes, as older versions wrote them, are accepted as they are', async () => {
  const out = await copyOf('without hashes')
  const folders = [out, join(out, 'best')]
  for (const folder of folders) await rm(join(folder, 'hashes.json'))
  const before = await heed('verify', out)
  expect(before.mistake).toBe('')
  expect(before.out).toContain(`heed verify ${out.includes(' ') ? `'${out}'` : out} --accept`)
  expect(before.out).not.toContain('config.json')
  await writeFile(join(out, 'report.html'), '')
  const accepted = await heed('verify', out, '--accept')
  expect(accepted.out).not.toContain('report.html')
  expect(accepted.out).toMatch(
    /✓ config\.json[\s\S]*✓ metrics\.jsonl[\s\S]*✓ best\/model\.safetensors/,
  )
  expect(accepted.out).not.toContain('--accept')
  await writeFile(join(out, 'task.json'), ' ', { flag: 'a' })
  expect((await heed('verify', out)).mistake).toMatch(/1 of \d+ files/)
  await expect(fromPretrained(out)).rejects.toThrow(
    heedError('corrupt-file', { value: join(out, 'task.json') }),
  )
  const other = at('no run')
  await mkdir(other)
  expect((await heed('verify', other, '--accept')).mistake).toContain(other)
})

describe('patience', () => {
  // A learning rate of 0.5 makes the loss worse after a few steps.
  const stale = { ...keys, lr: 0.5, clip: 0, steps: 40, saveEvery: 0, patience: 2 }

  it('ends a run whose validation loss does not improve, as a finished run', async () => {
    const warnings: string[] = []
    const on = (event: TrainEvent): void => {
      if (event.type === 'warning') warnings.push(event.text)
    }
    const { step, best, finished, evaluation } = await trainTiny(at('stale'), stale, { on })
    expect(best?.step).toBe(step - 4) // two evaluations of two steps
    expect(step).toBeLessThan(40)
    expect({ finished, isEvaluated: evaluation !== null }).toEqual({ finished: true, isEvaluated: true }) // biome-ignore format: one line
    expect(warnings).toEqual([expect.stringContaining(`Stopped at step ${step}`)])

    const again = await trainTiny(at('stale'), stale, { resume: true })
    expect(again).toMatchObject({ step, finished: true })
    const longer = await trainTiny(
      at('stale'),
      { ...stale, patience: 0, steps: step + 2 },
      { resume: true },
    )
    expect(longer.step).toBe(step + 2)
  })

  it('needs evaluations', async () => {
    const without = trainTiny(at('blind'), { ...stale, evalEvery: 0 })
    await expect(without).rejects.toMatchObject({
      code: 'invalid-option',
      details: { key: 'patience' },
    })
  })
})
