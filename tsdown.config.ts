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

interface Emitter {
  emitFile(file: { type: 'asset'; fileName: string; source: string }): void
}

// Writes the licences of all packages whose code is in the bundle, as NAME.LICENSE.
const licences = {
  name: 'licences',
  generateBundle(this: Emitter, _: unknown, bundle: object) {
    const chunks = Object.values(bundle) as { moduleIds?: string[] }[]
    const files = chunks.flatMap(({ moduleIds = [] }) => moduleIds)
    const names = files.flatMap(
      (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
    )
    for (const name of new Set(names)) {
      const source = readFileSync(`node_modules/${name}/LICENSE`, 'utf8')
      this.emitFile({ type: 'asset', fileName: `${name.replace('/', '+')}.LICENSE`, source })
    }
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
    ],
    plugins: [requireWhenUsed, licences],
    // Leaves out comments. Docstrings are in the files of types, where editors read them.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false } },
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
