import { optimizerDefinitions } from '../optim/index.ts'
import { HeedError } from '../util/errors.ts'
import type { SchemaProblem } from '../util/schema-issues.ts'
import { taskDefinitions } from './tasks/index.ts'

/** Creates the error for wrong keys and values in a configuration. */
export function configError(problems: readonly SchemaProblem[], source?: string): HeedError {
  const place = source === undefined ? '' : `${source}: `
  const explained = problems.map(withOwner)
  const [{ unknown, message, ...details }] = explained
  if (explained.length === 1)
    return new HeedError(unknown ? 'unknown-name' : 'invalid-option', `${place}${message}`, details)
  const lines = explained.map((problem) =>
    ['  ', problem.message, problem.remedy && `. ${problem.remedy}`].join(''),
  )
  return new HeedError(
    'invalid-option',
    `${place}The configuration has ${lines.length} mistakes:\n${lines.join('\n')}`,
    { key: details.key, value: details.value, expected: details.expected },
  )
}

/** An unknown key may be an option of other tasks and optimizers. */
function withOwner(problem: SchemaProblem): SchemaProblem {
  if (!problem.unknown) return problem
  const owners = [...taskDefinitions(), ...optimizerDefinitions()].filter(({ options }) =>
    Object.hasOwn(options.shape, problem.key),
  )
  if (owners.length === 0) return problem
  return {
    ...problem,
    message: `\`${problem.key}\` must be omitted with this task and optimizer`,
    remedy: `It is an option of ${owners.map(({ name }) => name).join(', ')}.`,
  }
}
