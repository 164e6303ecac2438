// What the architectures of GGUF files are called in a config.json, and what their writers change.

export interface Architecture {
  modelType: string
  /** The class in transformers. */
  className: string
  /** Rows of queries and keys lie as the paper's rotary embeddings want them, not as config.json's. */
  interleaved: boolean
  /** What is to be added to the weights of norms. */
  normShift: number
  /** Fields of the config that the metadata does not have. */
  fields: Readonly<Record<string, unknown>>
}

/** By `general.architecture`. */
export const architectures: Readonly<Record<string, Architecture>> = {
  // Also Mistral, SmolLM2 and all others that differ by size alone.
  llama: {
    modelType: 'llama',
    className: 'LlamaForCausalLM',
    interleaved: true,
    normShift: 0,
    fields: { hidden_act: 'silu' },
  },
  qwen2: {
    modelType: 'qwen2',
    className: 'Qwen2ForCausalLM',
    interleaved: false,
    normShift: 0,
    fields: { hidden_act: 'silu' },
  },
  qwen3: {
    modelType: 'qwen3',
    className: 'Qwen3ForCausalLM',
    interleaved: false,
    normShift: 0,
    fields: { hidden_act: 'silu' },
  },
  // Its norms multiply by 1 + weight; files hold the sum.
  gemma: {
    modelType: 'gemma',
    className: 'GemmaForCausalLM',
    interleaved: false,
    normShift: -1,
    fields: { hidden_act: 'gelu_pytorch_tanh', hidden_activation: 'gelu_pytorch_tanh' },
  },
}
