// A package registry on the loopback interface, for testing installations without a network.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from '../../native/compile.mjs'

export interface Registry {
  readonly url: string
  /** Names of the packages whose files were fetched, in order. */
  readonly fetched: readonly string[]
  close(): void
}

interface Packed {
  manifest: { name: string; version: string }
  tarball: Buffer
}

/**
 * Serves the packages in these folders, and all others from the checkout's node_modules. Unknown packages are answered
 * with 404. Each package has one version.
 */
export async function serveRegistry(folders: readonly string[]): Promise<Registry> {
  const own = new Map(folders.map((folder) => [manifestOf(folder).name, folder]))
  const packed = new Map<string, Packed | null>()
  const fetched: string[] = []
  const find = (name: string): Packed | null => {
    const known = packed.get(name)
    if (known !== undefined) return known
    const folder = own.get(name) ?? join(root, 'node_modules', name)
    const made = existsSync(join(folder, 'package.json')) ? pack(folder) : null
    packed.set(name, made)
    return made
  }
  const server = createServer((request, response) => answer(request, response, find, fetched))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}/`, fetched, close }
}

/** `GET /NAME` is the description of a package, `GET /NAME/-/VERSION.tgz` the package. */
function answer(
  { url = '/', headers }: IncomingMessage,
  response: ServerResponse,
  find: (name: string) => Packed | null,
  fetched: string[],
): void {
  const [name, file] = decodeURIComponent(url.slice(1).split('?')[0]).split('/-/')
  const found = /^(?:@[\w.-]+\/)?[\w-][\w.-]*$/.test(name) ? find(name) : null
  if (found === null) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
  } else if (file) {
    fetched.push(name)
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(found.tarball)
  } else {
    const text = JSON.stringify(describe(found, `http://${headers.host}`))
    response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  }
}

function describe({ manifest, tarball }: Packed, host: string): object {
  const { name, version } = manifest
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  const shasum = createHash('sha1').update(tarball).digest('hex')
  const dist = { tarball: `${host}/${name}/-/${version}.tgz`, integrity, shasum }
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
    time: { [version]: '2020-01-01T00:00:00.000Z' }, // some managers refuse what is only some days old
  }
}

/** Packs a folder like npm, but includes all of its files. */
function pack(folder: string): Packed {
  const into = mkdtempSync(join(tmpdir(), 'heed-pack-'))
  try {
    const filter = (path: string): boolean => path !== join(folder, 'node_modules')
    cpSync(folder, join(into, 'package'), { recursive: true, filter })
    const tar = execFileSync('tar', ['-cf', '-', '-C', into, 'package'], { maxBuffer: 1 << 30 })
    return { manifest: manifestOf(folder), tarball: gzipSync(tar, { level: 1 }) }
  } finally {
    rmSync(into, { recursive: true })
  }
}

function manifestOf(folder: string): Packed['manifest'] {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
