import { taskDefinition } from '../../../src/train/tasks/index.ts'
import { Registry } from '../../../src/util/registry.ts'
import type { RemedyCase } from './case.ts'

const colours = new Registry<number>('colour')
for (const [i, name] of ['red', 'green', 'blue', 'grey'].entries()) colours.register(name, i)

export const nameCases: RemedyCase[] = [
  {
    site: 'src/util/registry.ts#unknownName',
    run: ({ colour = 'gren' }) => colours.get(String(colour)),
  },
  {
    site: 'src/models/task-names.ts#unknownTask',
    run: ({ task = 'clasification' }) => taskDefinition(String(task)),
  },
]
