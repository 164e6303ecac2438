// P-tuning: a prompt that a small network computes in training (Liu et al., 2021, "GPT Understands, Too").
import { z } from 'zod'
import { init, Linear } from '../nn/index.ts'
import { Parameter, type Tensor } from '../tensor/index.ts'
import { registerAdapter } from './method.ts'
import { PromptTokens, promptView, widthOf } from './prompt.ts'
import {
  checkModelKeys,
  hidden,
  MODEL_KEYS,
  modelKeys,
  RowNetwork,
  readerOf,
  savedPrefix,
  tableOf,
  tokens,
  wholeModel,
} from './virtual.ts'

/** Three linear layers with ReLU. */
class PromptEncoder extends RowNetwork {
  readonly embedding: Parameter // (rows, C)
  readonly mlp_head: readonly Linear[]

  constructor(rows: number, width: number, hidden: number) {
    super()
    this.embedding = new Parameter(init.normal([rows, width]))
    this.mlp_head = [new Linear(width, hidden), new Linear(hidden, hidden), new Linear(hidden, width)] // biome-ignore format: one line
  }

  override forward(): Tensor {
    const [first, second, last] = this.mlp_head
    return last.forward(second.forward(first.forward(this.embedding).relu()).relu())
  }
}

const options = z.strictObject({ tokens, hidden })

registerAdapter({
  name: 'p-tuning',
  about: 'a prompt that a small network computes (Liu et al., 2021)',
  view: promptView,
  options,
  ...wholeModel,
  modules(model, { options: { tokens, hidden } }) {
    const reader = readerOf('p-tuning', model, tokens)
    const { outputs: width } = tableOf('p-tuning', reader)
    const rows = tokens * reader.model.stackCount
    const network = () => new PromptEncoder(rows, width, hidden ?? width)
    return {
      prompt: new PromptTokens(reader.model, { count: tokens, shape: [rows, width], network }),
    }
  },
  peft: {
    type: 'P_TUNING',
    savedPrefix,
    check: checkModelKeys,
    used: [...MODEL_KEYS, 'encoder_reparameterization_type', 'encoder_hidden_size', 'encoder_num_layers', 'encoder_dropout'], // biome-ignore format: one line
    write: ({ tokens, hidden }, adapter) => ({
      ...modelKeys(adapter, tokens, widthOf(adapter.modules)),
      encoder_reparameterization_type: 'MLP',
      encoder_hidden_size: hidden ?? widthOf(adapter.modules),
      encoder_num_layers: 2,
      encoder_dropout: 0,
    }),
    read: ({ num_virtual_tokens, encoder_hidden_size }) => ({
      tokens: num_virtual_tokens,
      hidden: encoder_hidden_size ?? null,
    }),
  },
})
