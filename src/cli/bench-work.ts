// The work that `heed bench` measures: training steps and decoding steps.
import { Decoder } from '../generate/index.ts'
import { GPT2 } from '../models/index.ts'
import { AdamW } from '../optim/index.ts'
import { hold, manualSeed } from '../tensor/index.ts'
import type { Size } from './bench-size.ts'

export interface Work {
  name: string
  /** Number of tokens that a step reads or generates. */
  tokens: number
  /** Unmeasured preparation for this number of steps. */
  prepare(steps: number): Promise<void>
  /** Resolves when the device has finished the step. */
  step(): Promise<void>
}

export function gpt({ layers, heads, dim, context, vocab }: Size): GPT2 {
  manualSeed(1)
  return new GPT2({
    vocab_size: vocab,
    n_positions: context,
    n_embd: dim,
    n_layer: layers,
    n_head: heads,
    resid_pdrop: 0,
    embd_pdrop: 0,
    attn_pdrop: 0,
  })
}

/** Loss, gradients and AdamW update on a batch of synthetic tokens. */
export function training(model: GPT2, { batch, context, vocab }: Size): Work {
  const optimizer = new AdamW(model.parameters(), { lr: 1e-4 })
  const shape = [batch, context]
  const ids = tokens(batch * context, vocab)
  const targets = ids.map((_, i) => ids[(i + 1) % ids.length])
  const held = hold((x, y) => {
    const loss = model.train().loss(x, y)
    loss.backward()
    optimizer.update()
    return [loss]
  })
  const step = async (): Promise<void> => {
    optimizer.beginStep()
    const [loss] = await held({ data: ids, shape }, { data: targets, shape })
    await loss.item()
  }
  return { name: 'training step', tokens: batch * context, prepare: async () => {}, step }
}

/** Decodes token by token at the end of a full context. */
export function decoding(model: GPT2, { context, vocab }: Size): Work {
  const decoder = new Decoder(model.eval())
  const prepare = async (steps: number): Promise<void> => {
    await decoder.start([[...tokens(Math.max(1, context - steps), vocab)]])
  }
  const step = async (): Promise<void> => {
    await decoder.next([0])
  }
  return { name: 'decode step', tokens: 1, prepare, step }
}

const tokens = (count: number, vocab: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => (i * 31) % vocab)
