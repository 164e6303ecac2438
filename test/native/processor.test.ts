// What the kernels read of the processor by CPUID and XGETBV is what the compiler's library reads.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { buildProcessorProgram } from '../../scripts/nodes/processor.ts'
import { isOtherNode, native } from '../support/native.ts'

const folder = mkdtempSync(join(tmpdir(), 'heed-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const program = process.arch === 'x64' && !isOtherNode ? buildProcessorProgram(folder) : null
if (!program) console.warn('The detection of instruction sets is not compared: no compiler for x64 here') // biome-ignore format: one line

it.skipIf(!program)('instruction sets are those that the compiler detects', () => {
  const [own, compilers] = execFileSync(program ?? '', { encoding: 'utf8' })
    .trim()
    .split('\n')
  expect(own).toBe(compilers)
  const { addon } = native()
  if (addon) expect(addon.isas.join(' ')).toBe(own.replace('vnni ', ''))
})
