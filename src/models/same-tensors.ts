import type { WeightFile } from './weight-file.ts'

/** Whether two tensors of a file have the same values. Reads them in pieces. */
export async function sameTensors(file: WeightFile, a: string, b: string): Promise<boolean> {
  const left = new ValueReader(file, a)
  const right = new ValueReader(file, b)
  try {
    for (;;) {
      const [x, y] = [await left.next(), await right.next()]
      const count = Math.min(x.length, y.length)
      if (count === 0) return x.length === y.length
      for (let i = 0; i < count; i++) if (x[i] !== y[i]) return false
      left.skip(count)
      right.skip(count)
    }
  } finally {
    await left.close()
    await right.close()
  }
}

/** Reads the values of a tensor in order, independent of how it is split into pieces. */
class ValueReader {
  readonly #pieces: ReturnType<WeightFile['pieces']>
  #values = new Float32Array()

  constructor(file: WeightFile, name: string) {
    this.#pieces = file.pieces(name)
  }

  /** Values that have not been skipped yet; empty at the end. */
  async next(): Promise<Float32Array> {
    while (this.#values.length === 0) {
      const { done, value } = await this.#pieces.next()
      if (done) break
      this.#values = value.values
    }
    return this.#values
  }

  skip(count: number): void {
    this.#values = this.#values.subarray(count)
  }

  async close(): Promise<void> {
    await this.#pieces.return(undefined)
  }
}
