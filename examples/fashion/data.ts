// Fashion-MNIST (Xiao et al., 2017): 28 x 28 pixels of ten kinds of clothes; or bars made up on the spot.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readIdx } from 'heed/data'
import { fetchDebianPackages } from '../debian.ts'

export interface Images {
  side: number
  pixels: Uint8Array
  labels: Uint8Array
}

const PACKAGE = 'dataset-fashion-mnist'
const FILES = 'usr/share/datasets/fashion-mnist'

/** Fetched from Debian into `folder`, once. @throws Error that says what to do where that cannot be */
export async function fashion(folder: string): Promise<{ train: Images; test: Images }> {
  const files = join(folder, FILES)
  if (!existsSync(files)) fetchDebianPackages(folder, [PACKAGE])
  return { train: await open(files, 'train'), test: await open(files, 't10k') }
}

async function open(folder: string, part: string): Promise<Images> {
  const images = await readIdx(join(folder, `${part}-images-idx3-ubyte.gz`))
  const labels = await readIdx(join(folder, `${part}-labels-idx1-ubyte.gz`))
  return { side: images.shape[1], pixels: images.data, labels: labels.data }
}

/** Bars across and down. */
export function bars(count: number): Images {
  const side = 8
  const labels = Uint8Array.from({ length: count }, (_, n) => n % 2)
  const pixels = Uint8Array.from({ length: count * side * side }, (_, i) => {
    const n = Math.floor(i / (side * side))
    const place = n % 2 ? i % side : Math.floor(i / side) % side
    return (place === (n * 5) % side ? 200 : 20) + ((n * 31 + i * 17) % 40)
  })
  return { side, pixels, labels }
}

/** Writes some of the images as IDX files, and says where. */
export function writeSome(
  folder: string,
  name: string,
  all: Images,
  chosen: ArrayLike<number>,
): string {
  const { side, pixels, labels } = all
  const size = side * side
  const images = new Uint8Array(chosen.length * size)
  const own = new Uint8Array(chosen.length)
  Array.from(chosen).forEach((from, to) => {
    images.set(pixels.subarray(from * size, (from + 1) * size), to * size)
    own[to] = labels[from]
  })
  const path = join(folder, `${name}-images-idx3-ubyte`)
  writeFileSync(path, idx([chosen.length, side, side], images))
  writeFileSync(join(folder, `${name}-labels-idx1-ubyte`), idx([chosen.length], own))
  return path
}

function idx(shape: number[], data: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * shape.length))
  head.setUint32(0, 0x0800 + shape.length)
  shape.forEach((size, i) => {
    head.setUint32(4 + 4 * i, size)
  })
  return Buffer.concat([new Uint8Array(head.buffer), data])
}
