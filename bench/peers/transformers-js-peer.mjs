// The side of @huggingface/transformers, on ONNX Runtime. Sentences of similar length share a batch, as in Heed, which is
// the most favourable order for it.
import { basename, dirname } from 'node:path'
import { load, serve, versionOf } from './npm-peer.mjs'
import { novelSentences } from './sentences.mjs'

const { env, pipeline } = await load('@huggingface/transformers')
env.allowRemoteModels = false

serve(
  versionOf('@huggingface/transformers'),
  async ({ folder, sentences, batchSize }) => {
    env.localModelPath = dirname(folder)
    const threads = Number(process.env.OMP_NUM_THREADS)
    const extract = await pipeline('feature-extraction', basename(folder), {
      dtype: 'fp32',
      device: 'cpu',
      session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
    })
    const texts = novelSentences(sentences).sort((a, b) => a.length - b.length)
    return async () => {
      for (let i = 0; i < texts.length; i += batchSize)
        await extract(texts.slice(i, i + batchSize), { pooling: 'mean', normalize: true })
    }
  },
  'embed',
)
