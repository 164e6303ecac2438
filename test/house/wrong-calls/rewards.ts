// `heed/rewards`.
import * as rewards from '../../../src/rewards/index.ts'
import { type Argument, type Sample, samplesOf } from './damage.ts'

const functions: Readonly<Record<string, readonly Argument[]>> = {
  exactMatch: [{ value: { column: 'a' }, wrong: [null, 3, 'x', { colum: 'a' }, { column: 3 }] }],
  jsonSchemaMatch: [
    { value: { type: 'object' }, wrong: [undefined, null, 3, 'x', { type: 'objekt' }] },
  ],
  lengthReward: [{ value: { max: 3 }, wrong: [undefined, null, 3, {}, { max: 'x' }, { max: 0 }] }],
  numberMatch: [{ value: { column: 'a' }, wrong: [null, 3, 'x', { tolerance: 'x' }] }],
  parseReward: [{ value: 'number:tolerance=1', wrong: [undefined, null, 3, {}, 'numbr', 'number:a', 'number:a=1', 'number:tolerance=x', 'pattern:pattern=(', 'json-schema:file=absent'] }], // biome-ignore format: one line
  patternMatch: [{ value: 'a+', wrong: [undefined, null, 3, {}, '(', '(?=a)'] }],
  rewardNames: [],
}

export const names = Object.keys(functions)
export const samples: Sample[] = samplesOf(rewards, functions)
