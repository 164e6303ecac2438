// (IA)³: scales keys, values and the inner activations of the feed-forward network (Liu et al., 2022).
import { z } from 'zod'
import { init } from '../nn/index.ts'
import { Parameter, type Tensor } from '../tensor/index.ts'
import { onLayers, placesOf, registerAdapter } from './method.ts'
import { AdapterLayer, type Merged } from './module.ts'
import type { Place } from './places.ts'
import { matches } from './targets.ts'

/** Interpolates between 1 (weight 0) and the learned scale (weight 1). */
const interpolated = (scale: Tensor, weight: Tensor | number): Tensor =>
  scale.sub(1).mul(weight).add(1)

/** Scales the outputs of a layer. */
class OutputScale extends AdapterLayer {
  readonly ia3_l: Parameter // (outputs, 1)

  constructor(place: Place) {
    super(place)
    this.ia3_l = new Parameter(init.ones([place.outputs, 1]))
  }

  override changeOutput(_x: Tensor, y: Tensor, weight: Tensor): Tensor {
    return y.mul(interpolated(this.ia3_l, weight).reshape(-1))
  }

  override merged(weight: number): Merged {
    const scale = interpolated(this.ia3_l, weight)
    const { bias } = this.place
    return {
      weight: this.place.weight().mul(scale),
      ...(bias && { bias: bias.mul(scale.reshape(-1)) }),
    }
  }
}

/** Scales the inputs of a layer. */
class InputScale extends AdapterLayer {
  readonly ia3_l: Parameter // (1, inputs)

  constructor(place: Place) {
    super(place)
    this.ia3_l = new Parameter(init.ones([1, place.inputs]))
  }

  override changeInput(x: Tensor, weight: Tensor): Tensor {
    return x.mul(interpolated(this.ia3_l, weight).reshape(-1))
  }

  override merged(weight: number): Merged {
    return { weight: this.place.weight().mul(interpolated(this.ia3_l, weight)) }
  }
}

const options = z.strictObject({
  feedForward: z
    .array(z.string())
    .default([])
    .describe('names of the layers whose inputs are scaled; by default those of the family'),
})

registerAdapter({
  name: 'ia3',
  about: 'scales of keys, values and feed-forward activations (Liu et al., 2022)',
  view: {
    change: 'h ⊙ (l − 1)',
    place: 'keys, values, feed-forward activations',
    form: 'sequential',
    base: '1',
    scale: '1',
  },
  options,
  ...onLayers<z.output<typeof options>>({
    defaults: ({ ia3, feedForward }) => ({ targets: [...ia3, ...feedForward], feedForward: [...feedForward] }), // biome-ignore format: one line
    create: (place, { feedForward }) =>
      matches(feedForward, place) ? new InputScale(place) : new OutputScale(place),
  }),
  peft: {
    type: 'IA3',
    used: ['feedforward_modules', 'fan_in_fan_out'],
    write: ({ feedForward }, adapter) => ({
      feedforward_modules: feedForward,
      fan_in_fan_out: placesOf(adapter).every(({ transposed }) => transposed),
      init_ia3_weights: true,
    }),
    read: ({ feedforward_modules: feedForward }) => ({
      feedForward: typeof feedForward === 'string' ? [feedForward] : (feedForward ?? []),
    }),
  },
})
