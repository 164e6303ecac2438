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
  generate: 'src/generate/index.ts',
  pipelines: 'src/pipelines/index.ts',
  train: 'src/train/index.ts',
  cli: 'src/cli/main.ts',
}
// Packages that lie within Heed's own files, with their licences: a start opens a hundred files less.
const bundled = ['zod', 'commander', 'picocolors']

// rolldown makes its `require`, which commander uses, while the library is loaded. That would fail in a CommonJS bundle
// by esbuild, which has no import.meta.url.
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
      throw new Error('a chunk makes `require` while it is loaded')
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
      ...['relaxed', 'simd128'].map((isa) => `src/runtime/wasm/${isa}.wasm`),
      ...bundled.map((name) => ({
        from: `node_modules/${name}/LICENSE`,
        to: `dist/${name}.LICENSE`,
      })),
    ],
    plugins: [requireWhenUsed],
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
