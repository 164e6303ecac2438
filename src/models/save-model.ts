// Saves and loads any module, optionally with its optimiser, in one file.
import { tensorsToWrite } from '../io/safetensors/from-tensors.ts'
import { openSafetensors, saveSafetensors } from '../io/safetensors/safetensors.ts'
import type { Module } from '../nn/index.ts'
import { checkModule } from '../nn/module.ts'
import { OPTIMIZER, type StateFile, shapesIn } from '../nn/state-source.ts'
import { Optimizer, type OptimizerState } from '../optim/index.ts'
import { tensor } from '../tensor/index.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'

/**
 * Saves the parameters and buffers of any module, and optionally the state of its optimiser, to a `.safetensors` file,
 * or to `model.safetensors` in a folder. Other programs can read the weights by their names in `stateDict()`.
 *
 *     await saveModel('mlp.safetensors', model, optimizer)
 *     await loadModel('mlp.safetensors', model, optimizer)   // in the next process
 *
 * @throws HeedError if the file cannot be written, or weights are quantised
 */
export async function saveModel(path: string, model: Module, optimizer?: Optimizer): Promise<void> {
  checkArguments('saveModel', path, model, optimizer)
  const weights = await tensorsToWrite(model.stateDict())
  const metadata: Record<string, string> = { format: 'pt' }
  if (!optimizer) return saveSafetensors(path, weights, { metadata })
  const { step, tensors } = optimizer.stateDict(model.namedParameters())
  const renamed = Object.entries(tensors).map(([name, state]) => [OPTIMIZER + name, state] as const)
  const state = await tensorsToWrite(Object.fromEntries(renamed))
  metadata.optimizer_step = String(step)
  await saveSafetensors(path, [...weights, ...state], { metadata })
}

/**
 * Loads a file written by `saveModel` into a module and, optionally, its optimiser. Other `.safetensors` files with the
 * same names also work.
 * @throws HeedError if names or shapes differ, or the file has no state for the optimiser; nothing is loaded then
 */
export async function loadModel<M extends Module>(
  path: string,
  model: M,
  optimizer?: Optimizer,
): Promise<M> {
  checkArguments('loadModel', path, model, optimizer)
  const file = await openSafetensors(path)
  try {
    const state = optimizer && (await savedState(file, path))
    model.matchState(shapesIn(file)) // throws before anything changes
    if (optimizer && state) optimizer.loadStateDict(state, model.namedParameters())
    return await model.loadStateDict(file)
  } finally {
    await file.close()
  }
}

async function savedState(
  file: StateFile & { readonly metadata: Readonly<Record<string, string>> },
  path: string,
): Promise<OptimizerState> {
  const step = Number(file.metadata.optimizer_step)
  if (!Number.isSafeInteger(step) || step < 0)
    throw new HeedError(
      'invalid-option',
      `${path} must contain the state of an optimiser, got only weights`,
      {
        key: 'optimizer',
        value: path,
        remedy: 'Omit `optimizer`, or save with saveModel(path, model, optimizer).',
      },
    )
  const tensors: OptimizerState['tensors'] = {}
  for (const name of file.names) {
    if (!name.startsWith(OPTIMIZER)) continue
    const values = await file.read(name, { as: 'f32' })
    tensors[name.slice(OPTIMIZER.length)] = tensor(values, { shape: file.info(name).shape })
  }
  return { step, tensors }
}

function checkArguments(owner: string, path: unknown, model: unknown, optimizer: unknown): void {
  checkArgument(owner, 'path', path, 'text')
  checkModule(owner, model)
  if (optimizer !== undefined && !(optimizer instanceof Optimizer))
    throw wrongArgument(owner, 'optimizer', optimizer, 'an Optimizer')
}
