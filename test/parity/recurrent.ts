// Recurrent layers and cells with the weights of a case, for the parity table.
import type { Tensor } from '../../src/index.ts'
import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell } from '../../src/nn/index.ts'

const layers = { RNN, LSTM, GRU }
const cells = { RNN: RNNCell, LSTM: LSTMCell, GRU: GRUCell }

interface Sources {
  inputs: Record<string, Tensor>
  args: Record<string, unknown>
}

/** [c,] h, output: the order of their names. */
export function recurrentLayer({ inputs: { x, h0, c0, ...weights }, args }: Sources): Tensor[] {
  const hidden = weights.weight_hh_l0.shape[1]
  const model = new layers[args.kind as keyof typeof layers](x.shape[2], hidden, {
    numLayers: args.num_layers as number | undefined,
    bias: args.bias as boolean | undefined,
    batchFirst: args.batch_first as boolean | undefined,
    bidirectional: args.bidirectional as boolean | undefined,
    ...(args.nonlinearity ? { nonlinearity: args.nonlinearity as 'relu' } : {}),
  })
  checkNames(model, weights)
  Object.assign(model, weights)
  const state = h0 && (c0 ? [h0, c0] : [h0])
  const found = model.forward(x, { state, lengths: args.lengths as number[] | undefined })
  return [...[...found.state].reverse(), found.output]
}

export function recurrentCell({ inputs: { x, h0, c0, ...weights }, args }: Sources): Tensor[] {
  const cell = new cells[args.kind as keyof typeof cells](x.shape[1], h0.shape[1], {
    bias: args.bias as boolean | undefined,
    ...(args.nonlinearity ? { nonlinearity: args.nonlinearity as 'relu' } : {}),
  })
  checkNames(cell, weights)
  Object.assign(cell, weights)
  return [...cell.forward(x, c0 ? [h0, c0] : [h0])].reverse()
}

function checkNames(model: RNN | RNNCell, weights: Record<string, Tensor>): void {
  const shapes = (all: Record<string, Tensor>): string =>
    Object.entries(all)
      .map(([name, { shape }]) => `${name} ${shape}`)
      .sort()
      .join()
  if (shapes(model.stateDict()) !== shapes(weights))
    throw new Error(`PyTorch has ${shapes(weights)}, we ${shapes(model.stateDict())}`)
}
