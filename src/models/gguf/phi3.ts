import type { GGUFFormat } from './format.ts'
import { llamaGGUF } from './llama.ts'

const llama = llamaGGUF({ architecture: 'phi3', className: 'Phi3ForCausalLM', partial: true })

/** GGUF format of Phi-3: Llama with fused projections. */
export const phi3GGUF: GGUFFormat = {
  ...llama,
  config: async (file, name) => {
    const window = file.metadata.number(`${name}.attention.sliding_window`, 0)
    return { ...(await llama.config(file, name)), sliding_window: window === 0 ? null : window }
  },
  names: {
    ...llama.names,
    inner: {
      ...llama.names.inner,
      attn_qkv: 'self_attn.qkv_proj',
      ffn_up: 'mlp.gate_up_proj',
    },
  },
}
