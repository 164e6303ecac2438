import { defineConfig } from 'tsdown'

const entry = {
  index: 'src/index.ts',
  nn: 'src/nn/index.ts',
  optim: 'src/optim/index.ts',
  tokenizers: 'src/tokenizers/index.ts',
  data: 'src/data/index.ts',
  metrics: 'src/metrics/index.ts',
  io: 'src/io/index.ts',
  models: 'src/models/index.ts',
  generate: 'src/generate/index.ts',
  pipelines: 'src/pipelines/index.ts',
  train: 'src/train/index.ts',
  cli: 'src/cli/main.ts',
}
// Packages that lie within Heed's own files, with their licences: a start opens a hundred files less.
const bundled = ['zod', 'commander', 'picocolors']

const common = {
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: false,
  fixedExtension: false,
} as const

export default defineConfig([
  {
    ...common,
    entry: {
      ...entry,
      worker: 'src/runtime/wasm/worker.js',
      'encode-worker': 'src/train/encode-worker.js',
    },
    copy: [
      ...['relaxed', 'simd128'].map((isa) => `src/runtime/wasm/${isa}.wasm`),
      ...bundled.map((name) => ({
        from: `node_modules/${name}/LICENSE`,
        to: `dist/${name}.LICENSE`,
      })),
    ],
    // Schemas of a user's zod work as well.
    noExternal: bundled,
    dts: false,
    clean: true,
  },
  {
    ...common,
    // The types are those of the package, so that they are the same as a user's.
    entry,
    dts: { tsgo: false, emitDtsOnly: true, compilerOptions: { stripInternal: true } },
    clean: false,
  },
])
