import { BatchDecoder } from '../../../src/generate/batch-decoder.ts'
import { type BeamOptions, beamSearch } from '../../../src/generate/beam-search.ts'
import { Decoder } from '../../../src/generate/decoder.ts'
import {
  Chat,
  decayLength,
  frequencyPenalty,
  Judge,
  maxTime,
  Rollouts,
  rankResponses,
  repetitionPenalty,
} from '../../../src/generate/index.ts'
import { checkMaxTokens } from '../../../src/generate/processors/processor.ts'
import { createSampler } from '../../../src/generate/sampling.ts'
import { GPT2 } from '../../../src/models/index.ts'
import { trainTokenizer, withChatTemplate } from '../../../src/tokenizers/index.ts'
import type { RemedyCase } from './case.ts'

const model = () => new GPT2({ vocab_size: 5, n_positions: 8, n_embd: 4, n_layer: 1, n_head: 2 })

const tokenizer = await withChatTemplate(
  trainTokenizer(['user assistant: safe sensible specific interesting 01'], { type: 'char' }),
  'chatml',
)
const talker = () =>
  new GPT2({ vocab_size: tokenizer.vocabSize, n_positions: 128, n_embd: 4, n_layer: 1, n_head: 2 })

const beams =
  (options: BeamOptions): RemedyCase['run'] =>
  (changes) =>
    beamSearch(new BatchDecoder(model(), { maxTokens: 2 }), [[1]], {
      maxTokens: 2,
      ...options,
      ...changes,
    })

const sampler = (key: string, value: number): RemedyCase => ({
  site: 'src/generate/sampling.ts#check',
  about: key,
  run: (changes) => createSampler({ [key]: value, ...changes }),
})

export const generateCases: RemedyCase[] = [
  sampler('temperature', -1),
  sampler('topK', 1.5),
  sampler('topP', 0),
  sampler('minP', 2),
  sampler('topH', 0),
  sampler('typicalP', 2),
  sampler('epsilonCutoff', 1),
  sampler('etaCutoff', -1),
  {
    site: 'src/generate/batch-decoder.ts#tooLong',
    run: ({ maxTokens = 20 }) =>
      new BatchDecoder(model(), { maxTokens: Number(maxTokens) }).start([[1, 2]]),
  },
  {
    site: 'src/generate/beam-search.ts#withDefaults',
    about: 'best',
    run: beams({ beams: 2, best: 3 }),
  },
  {
    site: 'src/generate/beam-search.ts#withDefaults',
    about: 'lengthPenalty',
    run: beams({ beams: 2, lengthPenalty: Number.NaN }),
  },
  {
    site: 'src/generate/decoder.ts#Decoder.constructor',
    run: ({ contextLength = 1 }) => new Decoder(model(), Number(contextLength)),
  },
  {
    site: 'src/generate/processors/penalties.ts#counting',
    run: ({ frequencyPenalty: penalty = Number.NaN }) => frequencyPenalty(Number(penalty)),
  },
  {
    site: 'src/generate/processors/length.ts#decayLength',
    run: ({ decayLength: factor = Number.NaN }) => decayLength(1, Number(factor), [0]),
  },
  {
    site: 'src/generate/processors/length.ts#maxTime',
    run: ({ maxTime: seconds = -1 }) => maxTime(Number(seconds)),
  },
  {
    site: 'src/generate/processors/penalties.ts#checkFactor',
    run: ({ repetitionPenalty: penalty = 0 }) => repetitionPenalty(Number(penalty)),
  },
  {
    site: 'src/generate/processors/processor.ts#checkMaxTokens',
    run: ({ maxTokens = -1 }) => checkMaxTokens(Number(maxTokens)),
  },
  {
    site: 'src/generate/judge/judge.ts#checkJudge',
    run: ({ batchSize = 0 }) => new Judge(talker(), tokenizer, { batchSize: Number(batchSize) }),
  },
  {
    site: 'src/generate/judge/rank.ts#SAFETY',
    run: ({ safety = 2 }) => rankResponses([{ safe: 0.1 }], { safety: Number(safety) }),
  },
  {
    site: 'src/generate/chat.ts#checkSayBest',
    run: ({ candidates = 0 }) => {
      const [chat, judge] = [new Chat(talker(), tokenizer), new Judge(talker(), tokenizer)]
      return chat.sayBest('a', judge, { candidates: Number(candidates), maxTokens: 1 })
    },
  },
  {
    site: 'src/generate/rollouts.ts#Rollouts.constructor',
    run: ({ temperature = 0 }) =>
      new Rollouts(model(), { maxTokens: 2, temperature: Number(temperature) }),
  },
]
