// Learning rates proportional to the scale of each parameter (Shazeer and Stern, 2018, section 8).
import type { Parameter, Tensor } from '../tensor/index.ts'

/** The rate times the root mean square of the parameter, which is at least `least`. */
export const scaledRate = (rate: Tensor, parameter: Parameter, least: Tensor | number): Tensor =>
  rms(parameter).maximum(least).mul(rate)

/** The root mean square of all elements. */
export const rms = (x: Tensor): Tensor => x.square().mean().sqrt()
