// Shared by peers from npm: the protocol of bench/side.ts, and the sizes of the trained model.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const installed = createRequire(`${process.argv[2]}package.json`)

/** Imports a package of the folder named by the first argument. */
export const load = (name) => import(pathToFileURL(installed.resolve(name)))

/** The version of a package, read from its folder because not every package exports its package.json. */
export function versionOf(name) {
  const url = new URL(`node_modules/${name}/package.json`, pathToFileURL(process.argv[2]))
  return `${JSON.parse(readFileSync(url, 'utf8')).version} (Node ${process.versions.node})`
}

/** @param prepare maps params to a step, which resolves when its results are available */
export async function serve(version, prepare, only = 'train') {
  let current = { key: '', step: null }
  for await (const line of createInterface({ input: process.stdin })) {
    const said = await answer(JSON.parse(line)).catch((error) => ({ error: String(error?.stack) }))
    console.log(JSON.stringify(said))
  }

  async function answer({ hello, family, params, ms }) {
    if (hello) return { version }
    if (family !== only) throw new Error(`no family ${family} here`)
    const key = JSON.stringify(params)
    if (current.key !== key) {
      current = { key, step: await prepare(params) }
      await current.step() // compiles
    }
    let [runs, took] = [0, 0]
    while (took < ms) {
      const start = performance.now()
      await current.step()
      took += performance.now() - start
      runs++
    }
    return { ms: took / runs, peakBytes: process.resourceUsage().maxRSS * 1024 }
  }
}

/** The shapes of GPT-2's parameters by name; layers are an array. */
export function gptShapes({ dim: C, layers, vocab: V, context: T }) {
  const layer = {
    ln1: [C],
    ln1b: [C],
    qkv: [C, 3 * C],
    qkvb: [3 * C],
    proj: [C, C],
    projb: [C],
    ln2: [C],
    ln2b: [C],
    fc: [C, 4 * C],
    fcb: [4 * C],
    out: [4 * C, C],
    outb: [C],
  }
  return {
    wte: [V, C],
    wpe: [T, C],
    h: Array.from({ length: layers }, () => layer),
    lnf: [C],
    lnfb: [C],
  }
}

/** Ids and targets of a batch, the same as on Heed's side. */
export function batchOf({ batch, context, vocab }) {
  const ids = Int32Array.from({ length: batch * context }, (_, i) => (i * 31) % vocab)
  return { ids, targets: ids.map((_, i) => ((i + 1) * 31) % vocab) }
}

export const normal = (n) =>
  Float32Array.from(
    { length: n },
    () => 0.02 * (Math.random() + Math.random() + Math.random() - 1.5) * 2,
  )
