// pipeline() with a name of the hub, on a hub of this machine.
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { pipeline } from '../../src/index.ts'
import type { HubModelOptions } from '../../src/pipelines/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { type FakeFile, type FakeHub, fakeHub } from '../io/fake-hub.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { flipBit } from '../support/flip-bit.ts'
import { heedError } from '../support/heed-error.ts'

const FOLDER = join(FIXTURES, 'pipelines', 'masked-lm')
let cacheDir: string

beforeEach(async () => {
  cacheDir = await temporaryFolder()
  for (const name of ['HF_TOKEN', 'HF_ENDPOINT', 'HF_HUB_OFFLINE']) vi.stubEnv(name, '')
  onTestFinished(() => void vi.unstubAllEnvs())
})

async function hubWith(change: (files: Record<string, FakeFile>) => void = () => {}) {
  const files: Record<string, FakeFile> = {}
  for (const name of await readdir(FOLDER)) {
    const content = await readFile(join(FOLDER, name))
    files[name] = { content, lfs: name.endsWith('.safetensors') }
  }
  change(files)
  const hub = await fakeHub(files)
  vi.stubEnv('HF_ENDPOINT', hub.endpoint)
  return hub
}

const open = (options: HubModelOptions = {}) =>
  pipeline('fill-mask', 'org/model', { cacheDir, ...options })
const resolved = (hub: FakeHub): string[] => hub.log.filter((line) => line.includes('/resolve/'))
const filesThere = (): Promise<string[]> => readdir(join(cacheDir, 'org--model')).catch(() => [])

/** The address of a server that was here before. */
async function closedEndpoint(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

describe('a name of the hub', () => {
  it('is downloaded once, with progress, and answers as the folder does', async () => {
    const hub = await hubWith()
    const seen: number[] = []
    const others: unknown[] = []
    const fill = await open({
      onProgress: ({ totalDone, totalSize }) => seen.push(totalDone / totalSize),
      progress_callback: (progress) => others.push(progress),
    })
    const local = await pipeline('fill-mask', FOLDER)
    expect(await fill('a [MASK]')).toEqual(await local('a [MASK]'))
    expect(seen.at(-1)).toBe(1)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    const { length } = await readFile(join(FOLDER, 'model.safetensors'))
    expect(others).toContainEqual({
      status: 'done',
      name: 'org/model',
      file: 'model.safetensors',
      progress: 100,
      loaded: length,
      total: length,
    })
    hub.log.length = 0
    await open()
    expect(hub.log).toEqual([])
  })

  it('resumes a download that was interrupted', async () => {
    const hub = await hubWith()
    const stop = new AbortController()
    const onProgress: HubModelOptions['onProgress'] = ({ file, done, size }) => {
      if (file === 'model.safetensors' && done > 0 && done < size) stop.abort(new Error('stopped'))
    }
    hub.cuts = [1e9, 1e9, 1000]
    await expect(open({ signal: stop.signal, onProgress })).rejects.toThrow('stopped')
    expect(await filesThere()).not.toContain('config.json')
    hub.log.length = 0
    hub.cuts = []
    await open()
    expect(resolved(hub)[0]).toMatch(/model\.safetensors bytes=\d+-$/)
    expect(resolved(hub)).toHaveLength(2) // and the config, which comes last
  })

  it.each(['model.safetensors', 'config.json', 'tokenizer.json'])(
    'whose %s was damaged in the cache is refused',
    async (name) => {
      await hubWith()
      await open()
      const path = join(cacheDir, 'org--model', name)
      flipBit(path, -30)
      await expect(open()).rejects.toThrow(heedError('corrupt-file', { value: path }))
    },
  )

  it.each([
    ['model.safetensors', 'changed'],
    ['config.json', 'changed'],
    ['model.safetensors', 'a page'],
    ['config.json', 'a page'],
    ['tokenizer.json', 'a page'],
  ])('whose %s is %s is refused, and nothing of it stays', async (name, kind) => {
    const hub = await hubWith((files) => {
      const { content } = files[name]
      const page = Buffer.from('<!DOCTYPE html><html>Sign in</html>'.padEnd(content.length))
      const changed = Buffer.from(content)
      changed[changed.length >> 1] ^= 1
      files[name].sent = kind === 'changed' ? changed : page.subarray(0, content.length)
    })
    await expect(open()).rejects.toThrow(heedError('corrupt-file', { value: name }))
    const there = await filesThere()
    expect(there.filter((file) => file.startsWith(name) || file.startsWith(`.${name}`))).toEqual([])
    expect(there).not.toContain('config.json')
    for (const file of hub.files.values()) file.sent = undefined
    await open()
  })

  it.each([
    [{ status: 404 }, 'missing-file', { value: 'org/model' }],
    [{ status: 401 }, 'missing-file', { value: 'org/model', mentions: 'private' }],
    [{ status: 401, code: 'GatedRepo' }, 'network', { value: 'org/model', mentions: 'gated' }],
    [{ status: 403 }, 'network', { value: 'org/model', mentions: 'denied' }],
    [{ status: 200, body: '<html>Sign in</html>' }, 'network', { mentions: 'a hub' }],
  ] as const)('answered with %j is one clear error', async (refuse, code, expected) => {
    const hub = await hubWith()
    hub.refuse = refuse
    await expect(open()).rejects.toThrow(heedError(code, { ...expected, remedy: /./ }))
    expect(await filesThere()).toEqual([])
  })

  it('without a network is one sentence', async () => {
    const endpoint = await closedEndpoint()
    vi.stubEnv('HF_ENDPOINT', endpoint)
    await expect(open()).rejects.toThrow(
      heedError('network', { value: endpoint, mentions: 'refused' }),
    )
    expect(await filesThere()).toEqual([])
  })

  it('takes the names of transformers.js, and refuses what it does not honour by name', async () => {
    const hub = await hubWith()
    const options = { cache_dir: cacheDir, local_files_only: true } as HubModelOptions
    await expect(pipeline('fill-mask', 'org/model', options)).rejects.toThrow(
      heedError('missing-file', { key: 'localFilesOnly' }),
    )
    for (const name of ['dtype', 'device', 'model_file_name', 'subfolder', 'session_options'])
      await expect(open({ [name]: 'x' })).rejects.toThrow(
        heedError('unsupported', { key: name, mentions: ['pipeline', `\`${name}\``] }),
      )
    await expect(open({ cacheDirectory: 'x' } as HubModelOptions)).rejects.toThrow(
      heedError('unknown-name', { remedy: '`cacheDir`' }),
    )
    expect(hub.log).toEqual([])
  })
})
