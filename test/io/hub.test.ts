import { mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type PullOptions, type PullProgress, pullModel, pushModel } from '../../src/io/index.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'
import { hasLinks } from '../support/links.ts'
import { COMMIT, type FakeHub, fakeHub, sha256 } from './fake-hub.ts'
import { temporaryFolder } from './temporary-folder.ts'

const WEIGHTS = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251))
const part = `.model.safetensors.${sha256(WEIGHTS).slice(0, 16)}.part`

const usual = () => ({
  'config.json': '{"model_type": "gpt2"}',
  'tokenizer.json': '{}',
  'README.md': '# A model',
  'model.safetensors': { content: WEIGHTS, lfs: true },
  'pytorch_model.bin': 'a pickle',
  'onnx/model.onnx': 'another form',
  'model.Q4_0.gguf': 'a third',
  '.gitattributes': '*.safetensors filter=lfs',
})

beforeEach(() => {
  for (const name of ['HF_TOKEN', 'HF_ENDPOINT', 'HF_HUB_OFFLINE']) vi.stubEnv(name, '')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

async function pull(hub: FakeHub, dir: string, options: PullOptions = {}) {
  return pullModel('org/model', dir, { endpoint: hub.endpoint, retryDelay: 1, ...options })
}

const resolved = (hub: FakeHub): string[] =>
  hub.log.filter((line) => line.includes('/resolve/')).map((line) => line.split(COMMIT)[1])

describe('pullModel', () => {
  it('fetches what a model folder needs, the config last, and no pickle', async () => {
    const hub = await fakeHub(usual())
    const dir = join(await temporaryFolder(), 'org', 'model')
    const seen: PullProgress[] = []
    const { commit, files } = await pull(hub, dir, { onProgress: (p) => seen.push(p) })
    expect(commit).toBe(COMMIT)
    expect(files.map(({ path }) => path)).toEqual([
      'tokenizer.json',
      'README.md',
      'model.safetensors',
      'config.json',
    ])
    expect((await readdir(dir)).sort()).toEqual(files.map(({ path }) => path).sort())
    expect(await readFile(join(dir, 'model.safetensors'))).toEqual(WEIGHTS)
    expect(seen.at(-1)).toMatchObject({ totalDone: seen[0].totalSize, file: 'config.json' })
    for (const [i, { totalDone }] of seen.entries())
      expect(totalDone).toBeGreaterThanOrEqual(seen[i - 1]?.totalDone ?? 0)
  })

  it('takes more when it is asked for', async () => {
    const hub = await fakeHub(usual())
    const dir = await temporaryFolder()
    await pull(hub, dir, { include: ['*.gguf', 'onnx/*'] })
    expect(await readFile(join(dir, 'model.Q4_0.gguf'), 'utf8')).toBe('a third')
    expect(await readdir(join(dir, 'onnx'))).toEqual(['model.onnx'])
    const wrong = pull(hub, dir, { include: ['*.(gguf)+'] })
    await expect(wrong).rejects.toThrow(
      heedError('missing-file', { key: 'include', value: ['*.(gguf)+'] }),
    )
  })

  it('keeps what is there, and mends what has changed', async () => {
    const hub = await fakeHub(usual())
    const dir = await temporaryFolder()
    await pull(hub, dir)
    await writeFile(join(dir, 'tokenizer.json'), '[]') // of the same size
    await truncate(join(dir, 'model.safetensors'), 1000)
    hub.log.length = 0
    const { files } = await pull(hub, dir)
    expect(files.filter(({ fetched }) => fetched).map(({ path }) => path)).toEqual([
      'tokenizer.json',
      'model.safetensors',
    ])
    expect(resolved(hub)).toEqual(['/tokenizer.json', '/model.safetensors'])
    expect(await readFile(join(dir, 'model.safetensors'))).toEqual(WEIGHTS)
  })

  it('goes on by itself when the connection breaks', async () => {
    const hub = await fakeHub({ 'model.safetensors': usual()['model.safetensors'] })
    hub.cuts = [100_000, 50_000]
    const dir = await temporaryFolder()
    await pull(hub, dir)
    const starts = resolved(hub).map((line) => Number(/bytes=(\d+)-$/.exec(line)?.[1] ?? 0))
    expect(starts).toHaveLength(3)
    expect(starts[1]).toBeGreaterThan(0)
    expect(starts[2]).toBeGreaterThan(starts[1])
    expect(await readFile(join(dir, 'model.safetensors'))).toEqual(WEIGHTS)
  })

  it('gives up when nothing comes any more, and a second pull goes on from there', async () => {
    const hub = await fakeHub({ 'model.safetensors': usual()['model.safetensors'] })
    hub.cuts = [120_000, 0, 0, 0, 0, 0]
    const dir = await temporaryFolder()
    await expect(pull(hub, dir)).rejects.toThrow()
    expect(await readdir(dir)).toEqual([part])
    const got = (await readFile(join(dir, part))).length
    expect(got).toBeGreaterThan(0)
    hub.log.length = 0
    hub.cuts = []
    await pull(hub, dir)
    expect(resolved(hub)).toEqual([`/model.safetensors bytes=${got}-`])
    expect(await readdir(dir)).toEqual(['model.safetensors'])
    expect(await readFile(join(dir, 'model.safetensors'))).toEqual(WEIGHTS)
  })

  it('starts anew where the server knows no ranges, or the part is too long', async () => {
    const hub = await fakeHub({ 'model.safetensors': usual()['model.safetensors'] })
    hub.ranges = false
    hub.cuts = [100_000]
    const dir = await temporaryFolder()
    await pull(hub, dir)
    expect(await readFile(join(dir, 'model.safetensors'))).toEqual(WEIGHTS)

    const other = await temporaryFolder()
    await writeFile(join(other, part), Buffer.alloc(400_000))
    await pull(hub, other)
    expect(await readFile(join(other, 'model.safetensors'))).toEqual(WEIGHTS)
  })

  it.each(['large', 'small'])('refuses a %s file whose checksum is wrong', async (size) => {
    const content = Buffer.from('the right thing')
    const sent = Buffer.from('a wrong thing!!')
    const hub = await fakeHub({
      'model.safetensors': { content, sent, lfs: size === 'large' },
    })
    const dir = await temporaryFolder()
    await writeFile(join(dir, 'model.safetensors'), 'what was there')
    await expect(pull(hub, dir)).rejects.toThrow(
      heedError('corrupt-file', { value: 'model.safetensors', mentions: 'checksum' }),
    )
    expect(await readdir(dir)).toEqual(['model.safetensors'])
    expect(await readFile(join(dir, 'model.safetensors'), 'utf8')).toBe('what was there')
  })

  it('refuses more bytes than a file has', async () => {
    const content = Buffer.from('short')
    const hub = await fakeHub({ 'model.safetensors': { content, sent: WEIGHTS } })
    await expect(pull(hub, await temporaryFolder())).rejects.toThrow(
      heedError('network', { value: 'model.safetensors', mentions: '5 bytes' }),
    )
  })

  it.each([
    '../config.json',
    '/etc/config.json',
    'a/../../config.json',
    'a\\..\\config.json',
    'a//config.json',
  ])('refuses a repository that names %j', async (path) => {
    const hub = await fakeHub({ ...usual(), [path]: 'hostile' })
    const dir = await temporaryFolder()
    await expect(pull(hub, join(dir, 'inside'))).rejects.toThrow(
      heedError('corrupt-file', { value: path }),
    )
    expect(await readdir(dir)).toEqual([])
  })

  it.each(['.ssh', 'NUL:', 'a\nb', 'c '])('takes no file named %j', async (path) => {
    const hub = await fakeHub({ ...usual(), [path]: 'odd' })
    const dir = await temporaryFolder()
    await expect(pull(hub, join(dir, 'x'), { include: ['*'] })).rejects.toThrow(
      heedError('corrupt-file', { value: '.gitattributes' }),
    )
    expect(await readdir(dir)).toEqual([])
  })

  it.skipIf(!hasLinks)('follows no link out of the folder', async () => {
    const hub = await fakeHub({ ...usual(), '1_Pooling/config.json': '{}' })
    const [dir, elsewhere] = [await temporaryFolder(), await temporaryFolder()]
    await symlink(elsewhere, join(dir, '1_Pooling'))
    await expect(pull(hub, dir)).rejects.toThrow(
      heedError('file-system', { mentions: ['1_Pooling', 'link'] }),
    )
    expect(await readdir(elsewhere)).toEqual([])
  })

  it('takes the weights of PyTorch where there is no safetensors, and otherwise says what there is', async () => {
    const { 'model.safetensors': _, ...rest } = usual()
    const { files } = await pull(await fakeHub(rest), await temporaryFolder())
    expect(files.map(({ path }) => path)).toContain('pytorch_model.bin')
    const { 'pytorch_model.bin': pickled, ...none } = rest
    const hub = await fakeHub({ ...none, 'flax_model.h5': pickled })
    const failing = pull(hub, await temporaryFolder())
    await expect(failing).rejects.toThrow(
      heedError('missing-file', {
        key: 'include',
        mentions: ['org/model', 'safetensors'],
        remedy: '"flax_model.h5"',
      }),
    )
  })

  it.each([
    [401, '', 'missing-file', { value: 'org/model', mentions: 'private', remedy: 'HF_TOKEN' }],
    [401, 'GatedRepo', 'network', { value: 'org/model', mentions: 'gated', remedy: '/org/model' }],
    [403, 'GatedRepo', 'network', { value: 'org/model', mentions: 'gated', remedy: 'Accept' }],
    [403, '', 'network', { value: 'org/model', mentions: 'denied', remedy: 'HF_TOKEN' }],
    [404, '', 'missing-file', { value: 'org/model', remedy: 'Check' }],
    [404, 'RevisionNotFound', 'missing-file', { key: 'revision', remedy: '/tree/main' }],
    [429, '', 'network', { value: 429, mentions: '429', remedy: 'again' }],
    [503, '', 'network', { value: 503, mentions: '503', remedy: 'again' }],
  ] as const)('explains %i %s', async (status, code, expectedCode, expected) => {
    const hub = await fakeHub(usual())
    hub.refuse = { status, code }
    const failing = pull(hub, await temporaryFolder())
    await expect(failing).rejects.toThrow(heedError(expectedCode, expected))
  })

  it('sends the token of HF_TOKEN to the hub of HF_ENDPOINT, and never prints it', async () => {
    const hub = await fakeHub(usual())
    vi.stubEnv('HF_TOKEN', 'hf_secret')
    vi.stubEnv('HF_ENDPOINT', `${hub.endpoint}/`)
    await pullModel('org/model', await temporaryFolder())
    expect(hub.authorization).toBe('Bearer hf_secret')
    hub.refuse = { status: 403 }
    const failing = pullModel('org/model', await temporaryFolder())
    await expect(failing).rejects.toThrow(
      heedError('network', { value: 'org/model', remedy: 'The token in HF_TOKEN' }),
    )
    await expect(failing).rejects.not.toThrow('secret')
    vi.stubEnv('HF_TOKEN', 'secret')
    await expect(pullModel('org/model', 'x')).rejects.toThrow(
      heedError('invalid-option', { key: 'token', mentions: 'hf_' }),
    )
  })

  it('says so without a network, off line, and for what is no hub', async () => {
    const hub = await fakeHub(usual())
    const dir = await temporaryFolder()
    await expect(pull(hub, dir, { endpoint: 'http://127.0.0.1:1' })).rejects.toThrow(
      heedError('network', { value: 'http://127.0.0.1:1', mentions: 'http://127.0.0.1:1' }),
    )
    await expect(pull(hub, dir, { endpoint: 'ftp://x' })).rejects.toThrow(
      heedError('invalid-option', { key: 'endpoint', value: 'ftp://x' }),
    )
    await expect(pullModel('../etc', dir)).rejects.toThrow(
      heedError('invalid-option', { key: 'name', value: '../etc' }),
    )
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    await expect(pull(hub, dir)).rejects.toThrow(heedError('network', { key: 'HF_HUB_OFFLINE' }))
    expect(hub.log).toEqual([])
    expect(await readdir(dir)).toEqual([])
  })

  it('can be stopped, and goes on', async () => {
    const hub = await fakeHub({ 'model.safetensors': usual()['model.safetensors'] })
    const stop = new AbortController()
    const dir = await temporaryFolder()
    const onProgress = ({ done }: PullProgress) => {
      if (done > 0) stop.abort(new Error('enough'))
    }
    hub.cuts = [50_000]
    await expect(pull(hub, dir, { signal: stop.signal, onProgress })).rejects.toThrow()
    expect(await readdir(dir)).toEqual([part])
    await pull(hub, dir)
    expect(await readFile(join(dir, 'model.safetensors'))).toEqual(WEIGHTS)
  })
})

describe('a name that is no folder', () => {
  it('is to be pulled first', async () => {
    await expect(fromPretrained('org/model')).rejects.toThrow(
      heedError('missing-file', { value: 'org/model', remedy: ['heed pull', 'org/model'] }),
    )
    await expect(fromPretrained('/org/model')).rejects.toThrow(
      heedError('missing-file', { value: '/org/model', remedy: 'path' }),
    )
  })
})

describe('pushModel', () => {
  const source = join(FIXTURES, 'gpt2', 'small')

  it('sends a folder that pull brings back', async () => {
    const hub = await fakeHub({})
    hub.exists = false
    const dir = await temporaryFolder()
    for (const name of ['config.json', 'model.safetensors'])
      await writeFile(join(dir, name), await readFile(join(source, name)))
    await mkdir(join(dir, 'checkpoints'))
    await writeFile(join(dir, 'checkpoints', 'optimizer.safetensors'), 'not to be sent')
    const options = { endpoint: hub.endpoint, token: 'hf_x' }
    const { url, files } = await pushModel(dir, 'org/model', options)
    expect(url).toContain(COMMIT)
    expect(hub.created).toMatchObject({ visibility: 'private' })
    expect([...hub.pushed.keys()].sort()).toEqual(['config.json', 'model.safetensors'])
    expect(files.sort()).toEqual(['config.json', 'model.safetensors'])

    for (const [path, content] of hub.pushed)
      hub.files.set(path, { content, lfs: path.endsWith('.safetensors') })
    const back = join(await temporaryFolder(), 'back')
    await pull(hub, back)
    const [was, is] = [await fromPretrained(source), await fromPretrained(back)]
    const name = 'transformer.wte.weight'
    expect(await is.stateDict()[name].data()).toEqual(await was.stateDict()[name].data())
  })

  it('needs a token, an owner, a model, and the right to write', async () => {
    const hub = await fakeHub({})
    const options = { endpoint: hub.endpoint, token: 'hf_x' }
    await expect(pushModel(source, 'org/model', { ...options, token: '' })).rejects.toThrow(
      heedError('invalid-option', { key: 'token' }),
    )
    await expect(pushModel(source, 'model', options)).rejects.toThrow(
      heedError('invalid-option', { key: 'name', value: 'model' }),
    )
    await expect(pushModel(await temporaryFolder(), 'org/model', options)).rejects.toThrow(
      heedError('missing-file', { expected: 'config.json' }),
    )
    hub.refuse = { status: 403 }
    await expect(pushModel(source, 'org/model', options)).rejects.toThrow(
      heedError('network', { value: 'org/model', mentions: 'denied' }),
    )
  })
})
