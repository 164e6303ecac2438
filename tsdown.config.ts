import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: {
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
    worker: 'src/runtime/wasm/worker.js',
    'encode-worker': 'src/train/encode-worker.js',
  },
  copy: ['relaxed', 'simd128'].map((isa) => `src/runtime/wasm/${isa}.wasm`),
  format: 'esm',
  platform: 'node',
  target: 'node20',
  dts: { tsgo: false, compilerOptions: { stripInternal: true } },
  clean: true,
  sourcemap: false,
  fixedExtension: false,
})
