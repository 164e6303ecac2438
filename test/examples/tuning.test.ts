import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'

let out: string
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'heed-tuning-'))
})
afterAll(() => rm(out, { recursive: true, force: true }))

it('a GPT learns sums from rewards by all methods', async () => {
  const printed = await runScript('examples/sums.ts', '--smoke', '--methods', 'all', '--out', out)
  const row = / +sampled +\d+\.\d % +greedy +\d+\.\d % +\d+ s$/
  const lines = printed.trim().split('\n')
  const methods = ['grpo', 'noise', 'rloo', 'ppo', 'dpo', 'rejection']
  expect(lines.slice(-6).map((line) => line.replace(row, ''))).toEqual(methods)
})

it('an adapter of a quantised model learns terms', async () => {
  const printed = await runScript('examples/terms.ts', '--smoke', '--out', out)
  const [before, after] = /perplexity +([\d.]+) +([\d.]+)/.exec(printed)?.slice(1).map(Number) ?? []
  expect(after).toBeLessThan(before)
  expect(printed).toMatch(/answers that end +\d+ % +\d+ %\ncapitals, five examples +\d+ % +\d+ %/)
})

it('learns preferences', async () => {
  const printed = await runScript('examples/terms.ts', '--smoke', '--preferences', '--out', out)
  expect(printed).toMatch(/reward +loss [\d.]+, accuracy [\d.]+, margin/)
  expect(printed).toMatch(
    /dpo +loss [\d.]+, accuracy [\d.]+,.* log_p_chosen -[\d.]+,.* preferred_at_start [\d.]+/,
  )
})
