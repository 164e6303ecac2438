import { expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'

it('one layer learns AND and OR but not XOR, a hidden layer learns all three', async () => {
  const table = await runScript('examples/gates.ts')
  const verdicts = [...table.matchAll(/^ +(one (?:hidden )?layer) .* {3}(not learned|learned)$/gm)]
  expect(verdicts.map(([, network, verdict]) => `${network}: ${verdict}`)).toEqual([
    'one layer: learned', // AND
    'one hidden layer: learned',
    'one layer: learned', // OR
    'one hidden layer: learned',
    'one layer: not learned', // XOR
    'one hidden layer: learned',
  ])
})
