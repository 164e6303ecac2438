// A hub on this machine: what pull and push ask the real one, and its faults.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const COMMIT = '0123456789abcdef0123456789abcdef01234567'

export interface FakeFile {
  content: Buffer
  /** Kept as a large file, with a sha256. */
  lfs?: boolean
  /** What is sent in place of the content. */
  sent?: Buffer
}

export interface FakeHub {
  endpoint: string
  files: Map<string, FakeFile>
  /** Method, path and range of every request. */
  log: string[]
  /** The next answers are cut off after these numbers of bytes, one number for each answer. */
  cuts: number[]
  /** Answers everything with this. */
  refuse?: { status: number; code?: string; body?: string }
  /** Whether ranges are understood. */
  ranges: boolean
  /** What was pushed: path to content. */
  pushed: Map<string, Buffer>
  exists: boolean
  created?: { visibility: string }
  authorization?: string
}

/** The one repository is org/model; it is also served under `otherNames`. */
export async function startHub(
  files: Record<string, string | FakeFile>,
  otherNames: readonly string[] = [],
): Promise<{ hub: FakeHub; close(): void }> {
  const entries = Object.entries(files).map(([path, file]): [string, FakeFile] => [
    path,
    typeof file === 'string' ? { content: Buffer.from(file) } : file,
  ])
  const hub: FakeHub = {
    endpoint: '',
    files: new Map(entries),
    log: [],
    cuts: [],
    ranges: true,
    pushed: new Map(),
    exists: true,
  }
  const server = createServer((request, response) => {
    for (const name of otherNames) request.url = request.url?.replace(name, 'org/model')
    answer(hub, request, response).catch((error) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  hub.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { hub, close }
}

async function answer(hub: FakeHub, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? '', hub.endpoint)
  const range = request.headers.range
  hub.log.push(`${request.method} ${url.pathname}${range ? ` ${range}` : ''}`)
  hub.authorization = request.headers.authorization
  const json = (value: unknown): void => void response.end(JSON.stringify(value))
  if (hub.refuse) {
    const { status, code = '', body } = hub.refuse
    return response.writeHead(status, { 'X-Error-Code': code }).end(body)
  }
  if (request.method === 'PUT') {
    hub.pushed.set(url.pathname.slice('/store/'.length), await bodyOf(request))
    return response.end()
  }
  if (/^\/api\/(models|datasets)\/[^/]+\/[^/]+\/revision\//.test(url.pathname))
    return json({ _id: '1', id: 'org/model', sha: COMMIT, lastModified: '2026-01-01' })
  const isTree = /^\/api\/(models|datasets)\/org\/model\/tree\//.test(url.pathname)
  if (isTree && url.pathname.endsWith(COMMIT)) return json(tree(hub))
  const file = /^(?:\/datasets)?\/org\/model\/resolve\/[0-9a-f]{40}\/(.+)$/.exec(url.pathname)
  if (file) return send(hub, decodeURIComponent(file[1]), range, response)
  return push(hub, url.pathname, request, response, json)
}

function tree({ files }: FakeHub) {
  return [...files].map(([path, { content, lfs }]) => {
    const oid = gitSha1(content)
    const large = lfs && { oid: sha256(content), size: content.length, pointerSize: 130 }
    return { type: 'file', path, size: content.length, oid, lfs: large || undefined }
  })
}

function send(hub: FakeHub, path: string, range: string | undefined, response: ServerResponse) {
  const file = hub.files.get(path)
  if (!file) return response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end()
  const content = file.sent ?? file.content
  const start = range && hub.ranges ? Number(/^bytes=(\d+)-$/.exec(range)?.[1]) : 0
  const rest = content.subarray(start)
  const headers: Record<string, string | number> = { 'Content-Length': rest.length }
  if (start > 0) headers['Content-Range'] = `bytes ${start}-${content.length - 1}/${content.length}`
  response.writeHead(start > 0 ? 206 : 200, headers)
  const cut = hub.cuts.shift()
  if (cut === undefined || cut >= rest.length) return response.end(rest)
  response.write(rest.subarray(0, cut), () => setTimeout(() => response.destroy(), 20))
}

async function push(
  hub: FakeHub,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  json: (value: unknown) => void,
) {
  const body = (await bodyOf(request)).toString()
  if (path === '/api/models/org/model') {
    if (!hub.exists) response.statusCode = 404
    return json({ id: 'org/model' })
  }
  if (path === '/api/repos/create') {
    hub.created = JSON.parse(body)
    return json({ url: `${hub.endpoint}/org/model`, id: 'org/model', name: 'org/model' })
  }
  if (path.startsWith('/api/models/org/model/preupload/'))
    return json({
      files: JSON.parse(body).files.map(({ path }: { path: string }) => {
        const uploadMode = path.endsWith('.safetensors') ? 'lfs' : 'regular'
        return { path, uploadMode, shouldIgnore: false }
      }),
    })
  if (path === '/org/model.git/info/lfs/objects/batch')
    return json({
      transfer: 'basic',
      objects: JSON.parse(body).objects.map(({ oid, size }: { oid: string; size: number }) => {
        return { oid, size, actions: { upload: { href: `${hub.endpoint}/store/${oid}` } } }
      }),
    })
  if (path.startsWith('/api/models/org/model/commit/')) {
    for (const line of body.split('\n').map((text) => JSON.parse(text))) {
      const { path, content, oid } = line.value
      if (line.key === 'file') hub.pushed.set(path, Buffer.from(content, 'base64'))
      if (line.key === 'lfsFile') {
        hub.pushed.set(path, hub.pushed.get(oid) as Buffer)
        hub.pushed.delete(oid)
      }
    }
    const commitUrl = `${hub.endpoint}/org/model/commit/${COMMIT}`
    return json({ success: true, commitOid: COMMIT, commitUrl, hookOutput: '' })
  }
  response.statusCode = 404
  response.end()
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts)
}

export const sha256 = (content: Buffer): string =>
  createHash('sha256').update(content).digest('hex')

const gitSha1 = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
