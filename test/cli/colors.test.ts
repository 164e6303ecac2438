import { expect, it } from 'vitest'
import { hasColors, isTerminal } from '../../src/cli/colors.ts'

it.each([
  ['a terminal', true, {}, true, true],
  ['a file', false, {}, false, false],
  ['a file of a CI', false, { CI: 'true' }, false, false],
  ['a dumb terminal', true, { TERM: 'dumb' }, false, false],
  ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false, true],
  ['a terminal with an empty NO_COLOR', true, { NO_COLOR: '' }, true, true],
  ['a file with FORCE_COLOR', false, { FORCE_COLOR: '1' }, true, false],
  ['a terminal with FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, false, true],
  ['both', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false, true],
])('%s', (_, isTTY, env, colors, redraws) => {
  expect([hasColors({ isTTY }, env), isTerminal({ isTTY }, env)]).toEqual([colors, redraws])
})
