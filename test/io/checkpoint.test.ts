import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { latestCheckpoint, saveCheckpoint } from '../../src/io/files/checkpoint.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { heedError } from '../support/heed-error.ts'
import { loader } from '../support/run-script.ts'
import { temporaryFolder } from './temporary-folder.ts'

const textFiles = (value: string) => ({
  'model.safetensors': value,
  'optimizer.safetensors': Buffer.from(value),
  'trainer_state.json': (path: string) => writeFile(path, value),
})

const text = (path: string) => readFile(path, 'utf8')

describe('saveCheckpoint', () => {
  it('saves a set of files that latestCheckpoint finds', async () => {
    const run = join(await temporaryFolder(), 'run')
    expect(await latestCheckpoint(run)).toBeUndefined()
    const saved = await saveCheckpoint(run, 200, textFiles('two hundred'))
    const found = await latestCheckpoint(run)
    expect(found).toEqual({ ...saved, damaged: [] })
    expect(found?.step).toBe(200)
    expect(found?.path).toBe(join(run, 'checkpoints', 'step-000200'))
    expect(Object.keys(found?.files ?? {})).toEqual(Object.keys(textFiles('')))
    expect(await text(found?.files['trainer_state.json'] ?? '')).toBe('two hundred')
    expect(await text(join(run, 'model.safetensors'))).toBe('two hundred')
    expect((await readdir(run)).sort()).toEqual(['checkpoints', 'model.safetensors'])
  })

  it('shares the disk space of the published model', async () => {
    const run = await temporaryFolder()
    const { files } = await saveCheckpoint(run, 1, textFiles('x'))
    const inode = async (path: string) => (await stat(path)).ino
    expect(await inode(join(run, 'model.safetensors'))).toBe(
      await inode(files['model.safetensors']),
    )
  })

  it('keeps the newest and publishes what it is told to', async () => {
    const run = await temporaryFolder()
    const options = { keep: 3, publish: ['trainer_state.json', 'not-there.json'] }
    for (const step of [1, 2, 3, 4, 5])
      await saveCheckpoint(run, step, textFiles(`${step}`), options)
    const kept = (await readdir(join(run, 'checkpoints'))).sort()
    expect(kept).toEqual(['step-000003', 'step-000004', 'step-000005'])
    expect((await readdir(run)).sort()).toEqual(['checkpoints', 'trainer_state.json'])
    await saveCheckpoint(run, 6, textFiles('6'), { keep: 1 })
    expect(await readdir(join(run, 'checkpoints'))).toEqual(['step-000006'])
  })

  it('goes by the order of saving when a run was set back', async () => {
    const run = await temporaryFolder()
    for (const step of [100, 200]) await saveCheckpoint(run, step, textFiles('first'), { keep: 9 })
    for (const step of [150, 200]) await saveCheckpoint(run, step, textFiles('again'), { keep: 9 })
    const latest = await latestCheckpoint(run)
    expect(latest?.step).toBe(200)
    expect(await text(latest?.files['model.safetensors'] ?? '')).toBe('again')
    await saveCheckpoint(run, 10, textFiles('back'), { keep: 2 })
    expect((await latestCheckpoint(run))?.step).toBe(10)
    expect((await readdir(join(run, 'checkpoints'))).sort()).toEqual([
      'step-000010',
      'step-000200.2',
    ])
  })

  it('leaves the last set when a file cannot be written', async () => {
    const run = await temporaryFolder()
    await saveCheckpoint(run, 1, textFiles('good'))
    const full = async () => {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    }
    const failing = saveCheckpoint(run, 2, { ...textFiles('bad'), 'optimizer.safetensors': full })
    await expect(failing).rejects.toThrow(
      heedError('file-system', { value: run, mentions: 'disk' }),
    )
    expect((await latestCheckpoint(run))?.step).toBe(1)
    expect(await text(join(run, 'model.safetensors'))).toBe('good')
    expect(await readdir(join(run, 'checkpoints'))).toEqual(['step-000001'])
  })

  it.each(['../x', 'a/b', '', '.', '..', 'checkpoint.json', 'a\0'])(
    'refuses the file name %j',
    async (name) => {
      const run = await temporaryFolder()
      await expect(saveCheckpoint(run, 1, { [name]: 'x' })).rejects.toThrow(
        heedError('invalid-option', { key: 'files' }),
      )
    },
  )

  it.each([-1, 0.5, Number.NaN])('refuses step %d', async (step) => {
    await expect(saveCheckpoint(await temporaryFolder(), step, {})).rejects.toThrow(
      heedError('invalid-option', { key: 'step' }),
    )
  })
})

describe('latestCheckpoint', () => {
  it('passes over damaged folders, which stay', async () => {
    const run = await temporaryFolder()
    await saveCheckpoint(run, 1, textFiles('one'))
    const { files } = await saveCheckpoint(run, 2, textFiles('two'))
    await truncate(files['optimizer.safetensors'], 1)
    await mkdir(join(run, 'checkpoints', 'step-000003'))
    expect((await latestCheckpoint(run))?.step).toBe(1)
    await saveCheckpoint(run, 4, textFiles('four'), { keep: 1 })
    const names = (await readdir(join(run, 'checkpoints'))).sort()
    expect(names).toEqual(['step-000002', 'step-000003', 'step-000004'])
    await rm(join(run, 'checkpoints', 'step-000004'), { recursive: true })
    await rm(join(run, 'checkpoints', 'step-000003'), { recursive: true })
    await expect(latestCheckpoint(run)).rejects.toThrow(
      heedError('corrupt-file', {
        mentions: ['step-000002', 'optimizer.safetensors', '3 bytes', 'got 1'],
      }),
    )
  })

  it('does not follow names out of the folder', async () => {
    const run = await temporaryFolder()
    const { path } = await saveCheckpoint(run, 1, textFiles('one'))
    const manifest = { step: 1, sequence: 1, files: { '../../../secret': 3 } }
    await writeFile(join(path, 'checkpoint.json'), JSON.stringify(manifest))
    await expect(latestCheckpoint(run)).rejects.toThrow(
      heedError('corrupt-file', { mentions: '"../../../secret"' }),
    )
  })
})

describe('kill -9 at any moment', () => {
  const KILLS = process.platform === 'win32' ? 8 : 20 // processes start slowly there

  it('leaves a set that fits together, never older than the last save that was reported', async () => {
    const run = await temporaryFolder()
    let reported = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const awaited = kill % 2 === 0 ? 'ready\n' : /ready\n\d+\n/ // the second: one save is done
      reported = Math.max(reported, await killWhileSaving(run, awaited, 3 + ((kill * 37) % 60)))
      await expectConsistent(run, reported)
    }
    expect(reported).toBeGreaterThanOrEqual(KILLS / 2) // the writer really did save
    await saveCheckpoint(run, 10_000, textFiles('end'), { keep: 1 })
    expect(await readdir(join(run, 'checkpoints'))).toEqual(['step-010000'])
    expect((await readdir(run)).sort()).toEqual(['checkpoints', 'model.safetensors'])
  }, 120_000)

  /** Resolves with the last step that the killed process had reported as saved. */
  async function killWhileSaving(run: string, awaited: string | RegExp, afterMs: number) {
    const script = fileURLToPath(new URL('checkpoint-writer.ts', import.meta.url))
    const child = spawn(process.execPath, [...loader, script, run], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (part) => {
      output += part
    })
    await until(child, () => output.search(awaited) >= 0)
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(child.signalCode).toBe('SIGKILL') // it has not ended by itself
    return Number(output.trim().split('\n').at(-1)?.replace('ready', '0'))
  }

  async function until(child: ChildProcess, done: () => boolean): Promise<void> {
    while (!done()) {
      if (child.exitCode !== null) throw new Error(`the writer ended with code ${child.exitCode}`)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  async function expectConsistent(run: string, reported: number): Promise<void> {
    const latest = await latestCheckpoint(run)
    if (reported > 0) expect(latest).toBeDefined()
    if (latest === undefined) return
    expect(latest.step).toBeGreaterThanOrEqual(reported)
    expect(JSON.parse(await text(latest.files['trainer_state.json']))).toEqual({
      step: latest.step,
    })
    expect(await firstAndLast(latest.files['model.safetensors'])).toEqual([
      latest.step,
      latest.step,
    ])
    expect(await firstAndLast(latest.files['optimizer.safetensors'])).toEqual([
      latest.step,
      latest.step,
    ])
    if (reported === 0) return
    const [published, last] = await firstAndLast(join(run, 'model.safetensors'))
    expect(published).toBe(last)
    expect(published).toBeGreaterThanOrEqual(reported)
    expect(published).toBeLessThanOrEqual(latest.step)
  }

  async function firstAndLast(path: string): Promise<number[]> {
    const file = await openSafetensors(path)
    const values = await file.read('w', { as: 'f32' })
    await file.close()
    return [values[0], values[values.length - 1]]
  }
})
