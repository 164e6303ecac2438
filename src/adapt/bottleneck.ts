// Bottlenecks: small networks after attention and the feed-forward network (Houlsby et al., 2019), after the feed-forward
// network (Pfeiffer et al., 2021), or parallel to it (He et al., 2022).
import { z } from 'zod'
import type { LayerBlocks } from '../models/index.ts'
import { init, Linear, type Module } from '../nn/index.ts'
import { Parameter, Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { type MethodSpec, registerAdapter, type UnifiedView } from './method.ts'
import { AdapterModule } from './module.ts'
import { adapterTargetsOf, type Place, placesIn } from './places.ts'
import { layerNumber, matches } from './targets.ts'

const ACTIVATIONS = {
  relu: (x: Tensor) => x.relu(),
  gelu: (x: Tensor) => x.gelu(),
  none: (x: Tensor) => x,
}

const options = z.strictObject({
  r: z.int().min(1).default(8).describe('width of the bottleneck'),
  activation: z.enum(['relu', 'gelu', 'none']).default('relu').describe('activation function between the two layers'),
  scale: z.number().default(1).describe('factor of the change'),
}) // biome-ignore format: a table

type Options = z.output<typeof options>

/** s·up(f(down(x))). The upward projection starts at 0, so that a new bottleneck changes nothing. */
abstract class Bottleneck extends AdapterModule {
  readonly down: Linear
  readonly up: Linear
  protected readonly place: () => Place // a function, so that the weights of the layer do not become part of the adapter
  readonly #options: Options

  constructor(place: Place, inputs: number, options: Options) {
    super()
    const { outputs } = place
    this.place = () => place
    this.#options = options
    this.down = new Linear(inputs, options.r, { std: 0.01 })
    this.up = new Linear(options.r, outputs, {})
    this.up.weight = new Parameter(init.zeros([outputs, options.r]))
    this.up.bias = new Parameter(init.zeros([outputs]))
  }

  protected change(x: Tensor, weight: Tensor): Tensor {
    const { activation, scale } = this.#options
    const inner = ACTIVATIONS[activation](this.down.forward(x))
    return this.up.forward(inner).mul(weight.mul(scale))
  }
}

/** After a layer: h ← h + s·up(f(down(h))). */
class Sequential extends Bottleneck {
  constructor(place: Place, options: Options) {
    super(place, place.outputs, options)
  }

  attach(weight: () => Tensor): () => void {
    return this.place().layer.hook('', (_module, _inputs, h) => h.add(this.change(h, weight())))
  }
}

/** Parallel to the network from `input` to the layer: h ← h + s·up(f(down(x))). */
class Parallel extends Bottleneck {
  readonly #input: () => Module

  constructor(place: Place, input: Module, options: Options) {
    super(place, place.outputs, options)
    this.#input = () => input
  }

  attach(weight: () => Tensor): () => void {
    let x: Tensor | null = null
    const removals = [
      this.#input().preHook('', (_module, [input]) => {
        x = input instanceof Tensor ? input : null
      }),
      this.place().layer.hook('', (_module, _inputs, h) =>
        x ? h.add(this.change(x, weight())) : h,
      ),
    ]
    return () => {
      for (const remove of removals) remove()
    }
  }
}

/** The layers at the ends of both halves of all transformer layers. @throws HeedError for a family without */
function blocksOf(
  model: Module,
  { method, layers }: MethodSpec,
): { attention: Place[]; feedForward: Place[]; inputs: Module[] } {
  const blocks: LayerBlocks | undefined = adapterTargetsOf(model)?.blocks
  if (!blocks)
    throw new HeedError('unsupported', `${method} must be attached to a transformer of a known family, got ${model.constructor.name}`, { key: 'method', value: method, remedy: 'Use lora with `targets`.' }) // biome-ignore format: one line
  const isChosen = (path: string): boolean => !layers || layers.includes(layerNumber(path))
  const places = placesIn(model).filter(({ path }) => isChosen(path))
  const attention = places.filter((place) => matches(blocks.attention, place))
  const [input, output] = blocks.feedForward
  const feedForward = places.filter(
    (place) => matches([output], place) && !attention.includes(place),
  )
  const inputs = model.namedModules().flatMap(([path, module]) => (path.endsWith(`.${input}`) && isChosen(path) ? module : [])) // biome-ignore format: one line
  if (feedForward.length > 0 && inputs.length === feedForward.length)
    return { attention, feedForward, inputs }
  throw new HeedError('unknown-name', `\`layers\` of ${method} must select layers of ${model.constructor.name}, got ${layers?.join(', ') ?? 'none'}, which select none`, { key: 'layers', value: layers, remedy: 'Layers are numbered from 0.' }) // biome-ignore format: one line
}

const after = (places: readonly Place[], options: Options): Record<string, AdapterModule> =>
  Object.fromEntries(places.map((place) => [place.path, new Sequential(place, options)]))

const shared = {
  options,
  selection: ['layers'] as const,
  complete: (_model: Module, spec: MethodSpec<typeof options>) => spec,
  peft: null,
}
const view: UnifiedView = {
  change: 'up·f(down·h)',
  place: 'feed-forward networks',
  form: 'sequential',
  base: '1',
  scale: '1',
}

registerAdapter({
  ...shared,
  name: 'houlsby',
  about: 'bottlenecks after attention and the feed-forward network (Houlsby et al., 2019)',
  view: { ...view, place: 'attention and feed-forward networks' },
  modules(model, spec) {
    const { attention, feedForward } = blocksOf(model, spec)
    return after([...attention, ...feedForward], spec.options)
  },
})

registerAdapter({
  ...shared,
  name: 'pfeiffer',
  about: 'bottlenecks after the feed-forward network (Pfeiffer et al., 2021)',
  view,
  modules: (model, spec) => after(blocksOf(model, spec).feedForward, spec.options),
})

registerAdapter({
  ...shared,
  name: 'parallel',
  about: 'bottlenecks parallel to the feed-forward network (He et al., 2022)',
  view: { ...view, change: 'up·f(down·x)', form: 'parallel', scale: 's' },
  modules(model, spec) {
    const { feedForward, inputs } = blocksOf(model, spec)
    return Object.fromEntries(
      feedForward.map((place, i) => [place.path, new Parallel(place, inputs[i], spec.options)]),
    )
  },
})
