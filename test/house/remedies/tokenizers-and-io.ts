import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { saveCheckpoint } from '../../../src/io/files/checkpoint.ts'
import {
  openGGUF,
  openSafetensors,
  saveSafetensors,
  writeSafetensors,
} from '../../../src/io/index.ts'
import { makeTokenizerStep } from '../../../src/tokenizers/encode/register-step.ts'
import { t5Files } from '../../../src/tokenizers/formats/sentencepiece.ts'
import { extendTokenizer, Tokenizer, trainTokenizer } from '../../../src/tokenizers/index.ts'
import { temporaryFolder } from '../../io/temporary-folder.ts'
import type { RemedyCase } from './case.ts'

const words = trainTokenizer(['a b c'], { type: 'wordpiece', vocabSize: 60 })
const characters = trainTokenizer(['a b c'], { type: 'char' })
const text = 'a b c a b c'
const fixtures = new URL('../../fixtures/', import.meta.url)
const spiece = () => {
  const json = readFileSync(new URL('tokenizers/sentencepiece.json', fixtures), 'utf8')
  const { models } = JSON.parse(json) as { models: { name: string; file: string }[] }
  return Buffer.from(models.find(({ name }) => name === 'unigram')?.file ?? '', 'base64')
}

export const tokenizerAndIoCases: RemedyCase[] = [
  {
    site: 'src/tokenizers/encode/batch.ts#noPadding',
    run: (changes) => characters.batch(['a', text], changes),
  },
  {
    site: 'src/tokenizers/tokenizer.ts#checkBatch',
    run: (changes) => words.batch(['a', text], { padToMultipleOf: 0, ...changes }),
  },
  {
    site: 'src/tokenizers/encode/encoding.ts#truncate',
    run: (changes) => words.batch([text], { maxLength: 1, ...changes }),
  },
  {
    site: 'src/tokenizers/encode/encoding.ts#tooLong',
    run: (changes) =>
      words.encodeWithOffsets(text, {
        pair: 'a',
        maxLength: 5,
        truncation: 'only_second',
        ...changes,
      }),
  },
  {
    site: 'src/tokenizers/encode/register-step.ts#tokenizerStep',
    run: ({ type = 'NFQ' }) => makeTokenizerStep('normalizer', { type }, 'tokenizer.json'),
  },
  {
    site: 'src/tokenizers/chat/chat-template.ts#chooseTemplate',
    run: (changes) =>
      Tokenizer.fromJSON(words.toJSON(), {
        chat_template: [{ name: 'rag', template: 'x' }],
      }).applyChatTemplate([{ role: 'user', content: 'a' }], changes),
  },
  {
    site: 'src/tokenizers/formats/sentencepiece.ts#t5Files',
    run: (changes) => t5Files(spiece(), { extra_ids: -1, ...changes }, 'spiece.model'),
  },
  {
    site: 'src/tokenizers/train/extend.ts#tooMany',
    run: ({ pieces = 100 }) =>
      extendTokenizer(trainTokenizer(['to be or not'], { type: 'bpe', vocabSize: 257 }), ['to be, to bend'], { pieces: Number(pieces) }), // biome-ignore format: one line
  },
  {
    site: 'src/tokenizers/train/train.ts#checkVocabSize',
    run: (changes) => trainTokenizer([text], { type: 'bpe', vocabSize: 3, ...changes }),
  },
  {
    site: 'src/io/files/checkpoint.ts#checkArguments',
    run: async (changes) =>
      saveCheckpoint(await temporaryFolder(), 1, { a: 'x' }, { keep: 0, ...changes }),
  },
  {
    site: 'src/io/safetensors/save.ts#saveFolder',
    run: async (changes) =>
      saveSafetensors(await temporaryFolder(), [], { maxShardBytes: 0, ...changes }),
  },
  {
    site: 'src/io/safetensors/file.ts#unknownTensor',
    run: async ({ name = 'wte.weight' }) => {
      const path = join(await temporaryFolder(), 'x.safetensors')
      const [dtype, shape, data] = ['f32', [1], new Float32Array(1)] as const
      await writeSafetensors(path, [{ name: 'transformer.wte.weight', dtype, shape, data }])
      const file = await openSafetensors(path)
      try {
        return file.info(String(name))
      } finally {
        await file.close()
      }
    },
  },
  {
    site: 'src/io/gguf/gguf.ts#GGUFFile.stored',
    run: async ({ name = 'q8' }) => {
      const file = await openGGUF(fileURLToPath(new URL('gguf/blocks.gguf', fixtures)))
      try {
        return file.info(String(name))
      } finally {
        await file.close()
      }
    },
  },
]
