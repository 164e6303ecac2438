// A lock on a folder, so that two processes do not write into it at the same time.
import { createHash, randomBytes } from 'node:crypto'
import { link, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { HeedError } from '../../util/errors.ts'
import { temporaryPath, writeFileAtomic } from './atomic.ts'
import { fileError, systemCode } from './file-error.ts'
import { isHeld, patiently } from './patience.ts'
import { hasEnded, startOf, thisProcess } from './process-identity.ts'

const schema = z.object({
  host: z.string().max(64),
  pid: z.int().min(1),
  token: z.string().max(64),
  /** Start time of the process. See `startOf`. */
  started: z.string().max(32).optional(),
  /** Distinguishes the locks of a process. */
  id: z.string().max(32).optional(),
})

type Holder = z.output<typeof schema>

export interface FolderLock {
  /** Removes the lock. */
  release(): Promise<void>
}

/**
 * Locks a folder for this process. A lock is stale if its process has ended or, for another machine, if it has not been
 * renewed for ten minutes. Stale locks are replaced.
 * @throws HeedError that names the process that holds the lock
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, LOCK)
  const mine = {
    ...thisProcess,
    started: await startOf(process.pid),
    id: randomBytes(8).toString('hex'),
  }
  const text = `${JSON.stringify(mine)}\n`
  locks.add(mine.id)
  const other = await acquire(path, text)
  if (!other) return held(path, text, mine.id)
  locks.delete(mine.id)
  throw locked(folder, other.holder)
}

/** The locks that this process holds or tries to acquire. */
const locks = new Set<string>()

/** Whether this process has released a lock. On Windows its file stays while another program reads it. */
const isReleased = ({ token, id }: Holder): boolean =>
  token === thisProcess.token && id !== undefined && !locks.has(id)

/**
 * Creates a lock file with this content, or replaces a stale one.
 * @returns undefined on success; otherwise the existing lock, without `holder` if its file cannot be read
 */
async function acquire(path: string, text: string): Promise<{ holder?: Holder } | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await create(path, text)) return undefined
    const found = await readFile(path, 'utf8').catch(() => undefined)
    if (found === undefined) {
      await sleep(attempt === 0 ? 0 : PAUSE) // it has just been released
      continue
    }
    const holder = holderIn(found)
    const isOver = holder !== undefined && isReleased(holder)
    if (holder && !isOver && !(await isStale(path, holder))) return { holder }
    // A lock without content has just been created, or its process was killed at that moment.
    const isNew = (!holder || isOver) && attempt < ATTEMPTS / 2
    if (!isNew && (await replace(path, found, text))) return undefined
    await sleep(PAUSE)
  }
  return {}
}

/**
 * Replaces a stale lock. Because several processes may find it at the same time, a process must first acquire a second
 * lock, named by the hash of the stale content. While it holds that lock, no other process changes the file between the
 * comparison and the rename.
 */
async function replace(path: string, stale: string, text: string): Promise<boolean> {
  const claim = `${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 12)}`
  if (await acquire(claim, text)) return false
  try {
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== stale) return false
    await writeFileAtomic(path, text)
    return true
  } finally {
    await rm(claim, { force: true })
  }
}

const LOCK = '.lock'
const ATTEMPTS = 20
/** Delay between two attempts in milliseconds. */
const PAUSE = 50
const MINUTE = 60_000
const RENEW_EVERY = MINUTE
const STALE_AFTER = 10 * MINUTE

/**
 * Creates a file together with its content. Otherwise, the empty lock of a slow process would look like that of a
 * killed process.
 * @returns false if the file exists
 */
async function create(path: string, text: string): Promise<boolean> {
  const temporary = temporaryPath(path)
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    // On Windows a removed lock keeps its name while another process reads it.
    await patiently(() => link(temporary, path)).catch(async (error) => {
      if (systemCode(error) === 'EEXIST' || isHeld(error)) throw error
      await writeFile(path, text, { flag: 'wx' }) // a file system without hard links
    })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw fileError(error, 'write', path)
  } finally {
    await rm(temporary, { force: true })
  }
}

function held(path: string, text: string, id: string): FolderLock {
  const renew = async (): Promise<void> => {
    const now = new Date()
    await utimes(path, now, now).catch(() => create(path, text)) // the folder may have been removed
  }
  const timer = setInterval(() => void renew().catch(() => {}), RENEW_EVERY)
  timer.unref()
  return {
    async release() {
      clearInterval(timer)
      const current = await readFile(path, 'utf8').catch(() => '')
      if (current === text) await rm(path, { force: true })
      locks.delete(id)
    },
  }
}

function holderIn(text: string): Holder | undefined {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

async function isStale(path: string, holder: Holder): Promise<boolean> {
  const ended = hasEnded(holder)
  if (ended === undefined) return (await age(path)) > STALE_AFTER
  return ended || (await isReused(path, holder))
}

/** Whether the process number of the holder now belongs to another process. */
async function isReused(path: string, { pid, started }: Holder): Promise<boolean> {
  const now = await startOf(pid)
  if (started === undefined || now === undefined) return (await age(path)) > STALE_AFTER
  return now !== started
}

async function age(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined)
  return stats ? Date.now() - stats.mtimeMs : 0
}

function locked(folder: string, holder?: Holder): HeedError {
  const where = holder && holder.host !== thisProcess.host ? ` on ${holder.host}` : ''
  const who = holder ? `process ${holder.pid}${where}` : 'another process'
  return new HeedError(
    'invalid-state',
    `${folder} is in use by ${who}, which writes a training run to it`,
    {
      key: 'out',
      value: folder,
      remedy: `Wait until it ends, or set \`out\` to another folder. If it has already ended, remove ${join(folder, LOCK)}.`,
    },
  )
}
