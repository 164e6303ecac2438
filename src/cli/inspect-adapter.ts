// Prints an adapter in the unified view of He et al. (2022): what it computes, where, and how much it trains.
import { type AdapterSpec, adapterMethod, addAdapter } from '../adapt/index.ts'
import { countWeights, type Module } from '../nn/index.ts'
import { formatBytes } from '../util/format.ts'
import { pc } from './colors.ts'
import { short } from './text.ts'

/** Attaches a new adapter to a model without weights, and prints it. */
export function printAdapter(model: Module, spec: string | AdapterSpec | undefined): void {
  if (spec === undefined) return
  const all = countWeights(model)
  const adapter = addAdapter(model, spec)
  const { method, save, options } = adapter.config
  const { view, about } = adapterMethod(method)
  const trained = countWeights(adapter)
  const settings = Object.entries(options)
    .filter(([, value]) => typeof value === 'number' || typeof value === 'string')
    .map(([key, value]) => `${pc.dim(key)} ${value}`)
  const layers = new Set(adapter.paths.map((path) => path.replace(/\.\d+\./g, '.*.')))
  const list = layers.size > 0 ? `: ${adapter.paths.length} layers, ${[...layers].join(', ')}` : ''
  const whole: [string, string][] = save.length > 0 ? [['whole', save.join(', ')]] : []
  const lines: [string, string][] = [
    ['adapter', `${pc.bold(method)}, ${about}  ${settings.join('  ')}`.trim()],
    ['computes', `h ← ${term(view.base, 'h')} + ${term(view.scale, 'Δh')} with Δh = ${view.change}`],
    ['where', `${view.form === 'parallel' ? 'parallel to' : 'after'} the ${view.place}${list}`],
    ...whole,
    ['trains', `${short(trained)} parameters (${trained}), ${((100 * trained) / all).toFixed(3)} % of the model`],
    ['file', `${formatBytes(trained * 4)} as f32`],
  ] // biome-ignore format: a table
  console.log()
  for (const [name, text] of lines) console.log(`${pc.bold(name.padEnd(9))}  ${text}`)
}

const term = (factor: string, of: string): string => (factor === '1' ? of : `${factor}·${of}`)
