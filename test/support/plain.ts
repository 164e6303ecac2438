import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

// What commands print is compared without colours, wherever the tests run (CI asks for colours).
delete process.env.FORCE_COLOR
process.env.NO_COLOR = '1'

// No test finds what another one, or a run by hand, has left.
const cache = mkdtempSync(join(tmpdir(), 'heed-cache-'))
process.env.HEED_CACHE = cache
afterAll(() => rmSync(cache, { recursive: true, force: true }))
