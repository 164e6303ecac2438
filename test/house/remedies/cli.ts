import { benchSize } from '../../../src/cli/bench-size.ts'
import { gpt } from '../../../src/cli/bench-work.ts'
import { studentKeys } from '../../../src/cli/distill.ts'
import type { RemedyCase } from './case.ts'

const bench =
  (given: Record<string, number>): RemedyCase['run'] =>
  (changes) => {
    const { steps = 10, ...size } = { ...given, ...(changes as Record<string, number>) }
    gpt(benchSize('small', { layers: 1, ...size }, steps))
  }

export const cliCases: RemedyCase[] = [
  {
    site: 'src/cli/distill.ts#studentKeys',
    run: ({ student = 'every:x' }) => studentKeys(String(student), 'teacher'),
  },
  { site: 'src/cli/bench-size.ts#benchSize', about: 'heads', run: bench({ heads: 3 }) },
  { site: 'src/cli/bench-size.ts#benchSize', about: 'steps', run: bench({ steps: 64 }) },
  {
    site: 'src/cli/bench-size.ts#benchSize',
    about: 'context',
    run: bench({ context: 2, steps: 5 }),
  },
]
