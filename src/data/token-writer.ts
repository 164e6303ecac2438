import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileError } from '../io/files/file-error.ts'
import type { TokenMeta } from './token-files.ts'

/** Writes ids to the shards of a folder. Only one buffer is in memory. */
export class TokenWriter {
  tokens = 0
  readonly shards: TokenMeta['shards'] = []
  private readonly folder: string
  private readonly shardTokens: number
  private readonly buffer: Uint16Array | Uint32Array
  private filled = 0
  private file: number | undefined

  constructor(folder: string, dtype: 'u16' | 'u32', shardTokens: number) {
    this.folder = folder
    this.shardTokens = shardTokens
    const size = Math.min(BUFFER_TOKENS, shardTokens)
    this.buffer = dtype === 'u16' ? new Uint16Array(size) : new Uint32Array(size)
  }

  write(ids: ArrayLike<number>): void {
    for (let i = 0; i < ids.length; i++) {
      this.buffer[this.filled++] = ids[i]
      if (this.filled === this.buffer.length) this.flush()
    }
    this.tokens += ids.length
  }

  /** Writes and syncs everything. */
  finish(): void {
    this.flush()
    this.closeShard(true)
  }

  /** Closes the files without completing the folder. */
  abandon(): void {
    this.closeShard(false)
  }

  private flush(): void {
    let written = 0
    while (written < this.filled) {
      const shard = this.openShard()
      const here = Math.min(this.filled - written, this.shardTokens - shard.tokens)
      const part = this.buffer.subarray(written, written + here)
      this.writeBytes(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
      shard.tokens += here
      written += here
      if (shard.tokens === this.shardTokens) this.closeShard(true)
    }
    this.filled = 0
  }

  private openShard(): TokenMeta['shards'][number] {
    if (this.file === undefined) {
      const file = `tokens-${String(this.shards.length).padStart(5, '0')}.bin`
      this.file = this.attempt(() => openSync(join(this.folder, file), 'wx'))
      this.shards.push({ file, tokens: 0 })
    }
    return this.shards[this.shards.length - 1]
  }

  private writeBytes(bytes: Uint8Array): void {
    let done = 0
    while (done < bytes.length) {
      done += this.attempt(() => writeSync(this.file as number, bytes, done))
    }
  }

  private closeShard(sync: boolean): void {
    const file = this.file
    if (file === undefined) return
    this.file = undefined
    try {
      if (sync) this.attempt(() => fsyncSync(file))
    } finally {
      closeSync(file)
    }
  }

  private attempt<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw fileError(error, 'write tokens to', this.folder)
    }
  }
}

const BUFFER_TOKENS = 1 << 20
