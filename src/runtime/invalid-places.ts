import { HeedError } from '../util/errors.ts'

const TOO_LARGE =
  'Indices start at 0. Token ids must be less than the vocabulary size of the model.'

const remedies: Readonly<Record<string, string>> = {
  take: TOO_LARGE,
  scatterAdd: TOO_LARGE,
  scatterSet: TOO_LARGE,
  crossEntropy:
    'Labels must be class indices from 0, or `ignoreIndex` where there is none. The last axis of the logits has one place for each class.',
}

/** The error for data that a kernel found to be invalid in a run, such as an index out of range. */
export const invalidPlaces = (kernel: string, message: string): HeedError =>
  new HeedError('invalid-data', message, { remedy: remedies[kernel] })
