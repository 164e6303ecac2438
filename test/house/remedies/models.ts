import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Countable,
  countModel,
  GPT2,
  modelClass,
  resizeTokenEmbeddings,
  type SaveOptions,
  SentenceEncoder,
  savePretrained,
} from '../../../src/models/index.ts'
import { dropoutKeys, newModel } from '../../../src/models/new-model.ts'
import { pipeline } from '../../../src/pipelines/index.ts'
import { checkBatchSize } from '../../../src/pipelines/run-examples.ts'
import { FIXTURES } from '../../fixtures/cases.ts'
import type { RemedyCase } from './case.ts'

const folder = (name: string): string => join(FIXTURES, 'pipelines', name)
const gpt2 = () => new GPT2({ vocab_size: 5, n_positions: 8, n_embd: 4, n_layer: 1, n_head: 2 })

/** Builds a model of a small config with a mistake. */
const config = (site: string, modelType: string, json: object, about?: string): RemedyCase => ({
  site: `src/models/${site}`,
  about,
  run: (changes) => new (modelClass(modelType, modelType === 'gpt2' ? 'causal-lm' : 'seq2seq-lm'))({ ...json, ...changes } as never), // biome-ignore format: one line
})

const sizes = { layers: 1, heads: 3, dim: 16, context: 8, padTokenId: 0 }
const marian = { vocab_size: 9, d_model: 8, encoder_layers: 1, decoder_layers: 1, encoder_attention_heads: 2, decoder_attention_heads: 2, encoder_ffn_dim: 8, decoder_ffn_dim: 8, max_position_embeddings: 8, pad_token_id: 8, decoder_start_token_id: 8, eos_token_id: 0, forced_eos_token_id: 0 } // biome-ignore format: one line
const t5 = { vocab_size: 9, d_model: 8, d_kv: 4, d_ff: 8, num_layers: 1, num_heads: 2 }
const rnn = { vocab_size: 9, embedding_size: 4, num_hidden_layers: 1 }

export const modelCases: RemedyCase[] = [
  {
    site: 'src/models/resize-embeddings.ts#resizeTokenEmbeddings',
    run: ({ size = 4 }) => resizeTokenEmbeddings(gpt2(), Number(size)),
  },
  {
    site: 'src/models/count.ts#countModel',
    run: ({ context = 9 }) => countModel(gpt2() as Countable, Number(context)),
  },
  {
    site: 'src/models/new-model.ts#dropoutKeys',
    run: ({ dropout = 0.1 }) => dropoutKeys('resnet', Number(dropout)),
  },
  ...['gpt2', 'llama', 'gemma', 'bert'].map((modelType) => ({
    site: 'src/models/new-model.ts#sizesError',
    about: modelType,
    run: (changes: object) =>
      newModel({
        modelType,
        head: modelType === 'bert' ? 'masked-lm' : 'causal-lm',
        sizes: { ...sizes, ...changes },
        config: { vocab_size: 9 },
      }),
  })),
  {
    site: 'src/models/pretrained.ts#checkDType',
    run: (changes) =>
      savePretrained(gpt2(), mkdtempSync(join(tmpdir(), 'heed-remedy-')), {
        dtype: 'f8',
        ...changes,
      } as unknown as SaveOptions),
  },
  {
    site: 'src/models/sentence-encoder.ts#checkEmbed',
    run: async (changes) => {
      const encoder = await SentenceEncoder.fromPretrained(folder('encoder'))
      await encoder.embed(['a'], { batchSize: 0, ...changes })
    },
  },
  config('shared/config.ts#checkDivides', 'gpt2', { vocab_size: 5, n_positions: 4, n_embd: 12, n_layer: 1, n_head: 5 }), // biome-ignore format: one line
  config('text/marian-config.ts#checkPadding', 'marian', { ...marian, pad_token_id: 9 }),
  config('text/marian-config.ts#checkTied', 'marian', { ...marian, tie_word_embeddings: false }),
  config('text/seq2seq_rnn-config.ts#checkDirections', 'seq2seq_rnn', { ...rnn, hidden_size: 7, bidirectional: true }), // biome-ignore format: one line
  config('text/t5-config.ts#checkActivation', 't5', { ...t5, feed_forward_proj: 'gated-x' }),
  config('text/t5-config.ts#checkDistance', 't5', { ...t5, relative_attention_max_distance: 16 }),
  {
    site: 'src/pipelines/feature-extraction.ts#featureExtraction',
    run: async (changes) => {
      const embed = await pipeline('feature-extraction', folder('encoder'))
      await embed('a', { pooling: 'median', ...changes } as never)
    },
  },
  {
    site: 'src/pipelines/run-examples.ts#checkBatchSize',
    run: (changes) => checkBatchSize({ batchSize: 0, ...changes }.batchSize),
  },
  {
    site: 'src/pipelines/run-examples.ts#BATCH_SIZE',
    run: async (changes) => {
      const embed = await pipeline('feature-extraction', folder('encoder'))
      await embed('a', { batchSize: 0, ...changes })
    },
  },
  {
    site: 'src/pipelines/token-classification.ts#tagAll',
    run: async (changes) => {
      const tag = await pipeline('token-classification', folder('token'))
      await tag('a', { aggregation: 'last', ...changes } as never)
    },
  },
]
