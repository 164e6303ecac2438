import type { Batch } from '../data/index.ts'
import { type Held, hold, type Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { isPlain } from '../util/check-keys.ts'

/** The tensors of a batch by name, in the body of a held program. */
export type BatchTensors = Readonly<Record<string, Tensor>>

/** Holds a program with named inputs, like `hold`; compiles one program for each set of names and shapes. */
export function holdBatch(
  body: (batch: BatchTensors) => Tensor[],
): (batch: Batch) => Promise<Tensor[]> {
  const programs = new Map<string, Held>()
  return (batch) => {
    const names = isPlain(batch) ? Object.keys(batch) : []
    if (names.length === 0)
      throw wrongArgument('A batch', 'batch', batch, 'an object of { data, shape } by name')
    const key = names.join(' ')
    let held = programs.get(key)
    if (!held) {
      held = hold((...inputs) =>
        body(Object.fromEntries(names.map((name, i) => [name, inputs[i]]))),
      )
      programs.set(key, held)
    }
    return held(...Object.values(batch))
  }
}
