import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsdown'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

const entry = {
  index: 'src/index.ts',
  nn: 'src/nn/index.ts',
  optim: 'src/optim/index.ts',
  tokenizers: 'src/tokenizers/index.ts',
  data: 'src/data/index.ts',
  metrics: 'src/metrics/index.ts',
  io: 'src/io/index.ts',
  models: 'src/models/index.ts',
  adapt: 'src/adapt/index.ts',
  generate: 'src/generate/index.ts',
  rewards: 'src/rewards/index.ts',
  pipelines: 'src/pipelines/index.ts',
  train: 'src/train/index.ts',
  cli: 'src/cli/main.ts',
}
// Packages that are bundled into Heed's own files, with their licences. Heed then opens a hundred files less on start.
const bundled = ['zod', 'commander', 'picocolors']

// commander uses `require`, which rolldown creates when the library is loaded. In a CommonJS bundle made by esbuild this
// would fail, because import.meta.url is undefined there. So it is created on first use.
const requireWhenUsed = {
  name: 'require-when-used',
  renderChunk(code: string): string {
    const changed = code
      .replace(
        'import { createRequire } from "node:module";',
        'import nodeModule from "node:module";',
      )
      .replace(
        '__require = /* @__PURE__ */ createRequire(import.meta.url);',
        '__require = (name) => nodeModule.createRequire(import.meta.url)(name);',
      )
    if (/[^.]createRequire\(/.test(changed))
      throw new Error(
        'a chunk must create `require` on first use, not when it is loaded; see requireWhenUsed',
      )
    return changed
  },
}

const common = {
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: false,
  define: { HEED_VERSION: JSON.stringify(version) },
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
      'src/browser.cjs',
      'src/train/report/report.css',
      'src/train/report/report.js',
      ...['relaxed', 'simd128'].map((isa) => `src/runtime/wasm/${isa}.wasm`),
      ...bundled.map((name) => ({
        from: `node_modules/${name}/LICENSE`,
        to: `dist/${name}.LICENSE`,
      })),
    ],
    plugins: [requireWhenUsed],
    // Schemas made with the user's own copy of zod work, too.
    noExternal: bundled,
    dts: false,
    clean: true,
  },
  {
    ...common,
    // Types of dependencies are imported from their packages, so that they are identical to the user's.
    entry,
    dts: { tsgo: false, emitDtsOnly: true, compilerOptions: { stripInternal: true } },
    clean: false,
  },
])
