// The exported functions and classes without rows of wrong calls, by entry point, and why.

const NO_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  '.': [
    'clearPrograms',
    'defaultDevice',
    'defaultGenerator',
    'deviceNames',
    'stats',
    'synchronize',
  ],
  './nn': [
    'Hardswish',
    'Identity',
    'LogSigmoid',
    'Mish',
    'ReLU',
    'SiLU',
    'Sigmoid',
    'Softplus',
    'Tanh',
  ],
  './optim': ['optimizerDefinitions'],
  './adapt': ['adapterMethods', 'AdapterModule'],
  './generate': ['normalise', 'removeInvalidValues'],
  './pipelines': ['taskNames'],
  './models': ['modelTypes', 'presetNames'],
  './train': ['trainTasks'],
  './data': ['Mistakes', 'Packer'],
}

/** Classes to derive from, errors, devices (which check their options in their own tests), names of PyTorch. */
const OTHER_TESTS: Readonly<Record<string, readonly string[]>> = {
  '.': [
    'CpuDevice',
    'HeedError',
    'OutOfMemoryError',
    'ReferenceDevice',
    'ShapeError',
    'StaleTensorError',
    'Tensor',
    'pipeline', // that of heed/pipelines
  ],
  './nn': ['Module', 'MultiheadAttention', 'RecurrentCell', 'StateAttention'],
  './optim': ['Optimizer'],
  './generate': ['Drafter'],
  './train': ['DivergedError'],
}

const ALL = [NO_ARGUMENTS, OTHER_TESTS]

export const WITHOUT_ROWS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [...new Set(ALL.flatMap((table) => Object.keys(table)))].map((entry) => [
    entry,
    ALL.flatMap((table) => table[entry] ?? []),
  ]),
)
