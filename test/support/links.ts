import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether symbolic links can be made here: Windows wants a right for it, and wine makes none. */
export const hasLinks = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'heed-links-'))
  try {
    symlinkSync(folder, join(folder, 'link'))
    return existsSync(join(folder, 'link'))
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})()

if (!hasLinks) console.warn('symbolic links are not tested: they cannot be made here')
