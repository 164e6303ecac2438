// Granite (IBM, 2024): Llama with factors for embeddings, scores, residuals and logits.
import { z } from 'zod'
import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { causalLM, outputLayer } from '../heads/causal-lm.ts'
import { textEncoder } from '../heads/text-model.ts'
import { llamaDefaults, llamaFamily } from '../shared/llama.ts'
import { llamaCommonSchema } from '../shared/llama-config.ts'

const factor = z.number().default(1)

const schema = once(() =>
  llamaCommonSchema().extend({
    /** Whether the projections of the attention have a bias. */
    attention_bias: z.boolean().default(false),
    /** Whether the linear layers of the feed-forward network have a bias. */
    mlp_bias: z.boolean().default(false),
    /** Factor of the embeddings. */
    embedding_multiplier: factor,
    /** Factor of the attention scores, in place of 1/√D. */
    attention_multiplier: factor,
    /** Factor of the output of each block. */
    residual_multiplier: factor,
    /** Divisor of the logits. */
    logits_scaling: z
      .number()
      .refine((value) => value !== 0, 'must not be 0')
      .default(1), // a divisor
  }),
)

/**
 * Config of Granite.
 * @interface
 */
export type GraniteConfig = z.output<ReturnType<typeof schema>>

const family = llamaFamily<GraniteConfig>({
  modelType: 'granite',
  title: 'Granite',
  schema,
  plan: (config) => ({
    attentionScale: config.attention_multiplier,
    embeddingScale: config.embedding_multiplier,
    residualScale: config.residual_multiplier,
  }),
})

/** Granite as a causal language model. */
export class Granite extends causalLM(family, 'GraniteForCausalLM', {
  ...outputLayer(family),
  logits: ({ lm_head }, states, { config }) => lm_head.forward(states).div(config.logits_scaling),
}) {}

/** Definition of the Granite family. */
export const granite = defineModel({
  ...family,
  ...llamaDefaults,
  paper: 'IBM (2024). Granite 3.0 Language Models',
  heads: [Granite, textEncoder(family, 'GraniteModel')],
  gguf: null,
})
