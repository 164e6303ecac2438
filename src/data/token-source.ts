import { closeSync, readSync } from 'node:fs'
import { fileError } from '../io/files/file-error.ts'
import { HeedError } from '../util/errors.ts'
import { having } from '../util/options.ts'

/** A sequence of token ids in memory or in files. */
export interface TokenSource {
  /** Number of ids. */
  readonly length: number
  /** Copies `count` ids, starting at `start`, to `out` at position `at`. */
  read(start: number, count: number, out: Int32Array, at: number): void
  /** Closes the files. */
  close(): void
}

export const TOKEN_SOURCE = having('a source of tokens, such as JoinedExamples', 'read', 'close')

export type TokenArray = Uint16Array | Uint32Array | Int32Array

/** Ids in memory. */
export class MemorySource implements TokenSource {
  readonly length: number
  private readonly ids: TokenArray

  constructor(ids: TokenArray) {
    this.ids = ids
    this.length = ids.length
  }

  read(start: number, count: number, out: Int32Array, at: number): void {
    out.set(this.ids.subarray(start, start + count), at)
  }

  close(): void {}
}

/** An open shard on disk. */
export interface OpenShard {
  path: string
  file: number
  tokens: number
}

/** Ids in files. Reading a window costs one or two system calls. */
export class ShardSource implements TokenSource {
  readonly length: number
  private readonly shards: OpenShard[]
  private readonly starts: number[] = []
  private readonly bytesPerToken: 2 | 4
  private buffer = new Uint8Array(4096)

  constructor(shards: OpenShard[], bytesPerToken: 2 | 4) {
    this.shards = shards
    this.bytesPerToken = bytesPerToken
    let length = 0
    for (const shard of shards) {
      this.starts.push(length)
      length += shard.tokens
    }
    this.length = length
  }

  read(start: number, count: number, out: Int32Array, at: number): void {
    let shard = findSegment(this.starts, start)
    for (let done = 0; done < count; shard++) {
      const within = start + done - this.starts[shard]
      const here = Math.min(count - done, this.shards[shard].tokens - within)
      out.set(this.readShard(this.shards[shard], within, here), at + done)
      done += here
    }
  }

  close(): void {
    for (const { file } of this.shards.splice(0)) closeSync(file)
  }

  private readShard(shard: OpenShard, start: number, count: number): TokenArray {
    const bytes = count * this.bytesPerToken
    if (this.buffer.length < bytes) this.buffer = new Uint8Array(bytes)
    readExactly(shard, this.buffer.subarray(0, bytes), start * this.bytesPerToken)
    const { buffer } = this.buffer
    return this.bytesPerToken === 2
      ? new Uint16Array(buffer, 0, count)
      : new Uint32Array(buffer, 0, count)
  }
}

/** Fills `target` from a position in a shard. @throws HeedError if the file ends early */
export function readExactly(
  { file, path }: Pick<OpenShard, 'file' | 'path'>,
  target: Uint8Array,
  position: number,
): void {
  let done = 0
  while (done < target.length) {
    const length = Math.min(target.length - done, MAX_READ)
    let read: number
    try {
      read = readSync(file, target, done, length, position + done)
    } catch (error) {
      throw fileError(error, 'read', path)
    }
    if (read === 0)
      throw new HeedError('corrupt-file', `${path} became shorter while it was read`, {
        remedy: 'Delete the file and run again.',
      })
    done += read
  }
}

/** The index of the last segment that starts at or before `position`. */
export function findSegment(starts: ArrayLike<number>, position: number): number {
  let low = 0
  let high = starts.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (starts[middle] <= position) low = middle
    else high = middle
  }
  return low
}

const MAX_READ = 1 << 30 // one system call moves less than 2 GiB
