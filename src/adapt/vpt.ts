// Visual prompt tuning: trained tokens after the class token, before the first or every layer (Jia et al., 2022).
import { z } from 'zod'
import type { ImageTokens } from '../models/index.ts'
import { init, type Module } from '../nn/index.ts'
import { cat, Parameter, Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { registerAdapter } from './method.ts'
import { AdapterModule } from './module.ts'
import { adapterTargetsOf, classOf } from './places.ts'
import { promptView } from './prompt.ts'
import { tokens, wholeModel } from './virtual.ts'

// N images, T tokens, S special tokens, P prompts, C width

/** Where prompts enter a vision transformer. */
interface Stack {
  /** Its output is the tokens of an image (N, T, C). */
  readonly embeddings: Module
  readonly layers: readonly Module[]
  /** Reads `embeddings`, and returns the states (N, T, C). */
  readonly root: Module
  readonly special: number
  readonly width: number
}

/** The prompts of the first layer, (1, P, C), or of each layer, (layers, P, C). */
class VisualPrompts extends AdapterModule {
  override readonly hasFactor = false
  override readonly isWhole = true
  override readonly exclusive = 'visual prompts'
  readonly prompts: Parameter
  readonly #stack: Stack // private, so that its weights do not become part of the adapter

  constructor(stack: Stack, count: number, layers: number) {
    super()
    this.#stack = stack
    // The paper's uniform values have this deviation for patches of 16 x 16 pixels.
    this.prompts = new Parameter(init.normal([layers, count, stack.width], 0.02))
  }

  attach(): () => void {
    const { embeddings, layers, root, special } = this.#stack
    const [count, tokens] = this.prompts.shape
    const removals = [
      embeddings.hook('', (_module, _inputs, x) => this.#with(x, 0, x.shape[1] - special)),
      ...layers
        .slice(1, count)
        .map((layer, i) =>
          layer.preHook('', (_module, [x, ...rest]) =>
            x instanceof Tensor
              ? [this.#with(x, i + 1, x.shape[1] - special - tokens), ...rest]
              : null,
          ),
        ),
      // States of prompts are no output.
      root.hook('', (_module, _inputs, x) =>
        cat([x.narrow(1, 0, special), rest(x, x.shape[1] - special - tokens)], 1),
      ),
    ]
    return () => {
      for (const remove of removals) remove()
    }
  }

  /** The special tokens of x, the prompts of a layer, and the last tokens of x. */
  #with(x: Tensor, layer: number, last: number): Tensor {
    const [images] = x.shape
    const [, tokens, width] = this.prompts.shape
    const prompts = this.prompts.narrow(0, layer, 1).expand(images, tokens, width)
    return cat([x.narrow(1, 0, this.#stack.special), prompts, rest(x, last)], 1)
  }
}

/** The last tokens of x (N, T, C). */
const rest = (x: Tensor, count: number): Tensor => x.narrow(1, x.shape[1] - count, count)

function stackOf(model: Module): Stack {
  const tokens: ImageTokens | undefined = adapterTargetsOf(model)?.imageTokens
  const [list] = classOf(model).layerLists ?? []
  const modules = model.namedModules()
  const found = modules.find(
    ([path]) => path === tokens?.embeddings || path.endsWith(`.${tokens?.embeddings}`),
  )
  if (!tokens || !found || list === undefined)
    throw new HeedError('unsupported', `vpt must be attached to a vision transformer, got ${model.constructor.name}`, { key: 'method', value: 'vpt', remedy: 'Use prompt or prefix for texts.' }) // biome-ignore format: one line
  const [path, embeddings] = found
  const above = path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : ''
  const layers = modules.flatMap(([name, module]) =>
    new RegExp(`^${list.replaceAll('.', '\\.')}\\.\\d+$`).test(name) ? module : [],
  )
  const width = Number(Object(model.config).hidden_size)
  return { embeddings, layers, special: tokens.special, width, root: above === '' ? model : model.getModule(above) } // biome-ignore format: one line
}

const options = z.strictObject({
  tokens,
  deep: z.boolean().default(false).describe('have other prompts before each layer'),
})

registerAdapter({
  name: 'vpt',
  about: 'trained tokens after the class token of an image (Jia et al., 2022)',
  view: promptView,
  options,
  ...wholeModel,
  modules(model, { options: { tokens, deep } }) {
    const stack = stackOf(model)
    return { vpt: new VisualPrompts(stack, tokens, deep ? stack.layers.length : 1) }
  },
  peft: null,
})
