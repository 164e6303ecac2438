import { fileURLToPath } from 'node:url'
import { withChannels } from '../../../src/data/images/image.ts'
import { RandomWindows, SequentialWindows, TokenDataset } from '../../../src/data/index.ts'
import { syntaxOf } from '../../../src/data/readers/dialect.ts'
import { decoderFor } from '../../../src/data/readers/encoding.ts'
import { bleuMetric, pairedBootstrap } from '../../../src/metrics/index.ts'
import { OptionRules, ruleOf } from '../../../src/util/options.ts'
import type { RemedyCase } from './case.ts'

const tokens = TokenDataset.fromIds([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { vocabSize: 20 })
/** Any text file. */
const TABLE = fileURLToPath(new URL('text.txt', import.meta.url))
const image = { width: 1, height: 1, channels: 3, data: new Uint8Array(3) }

export const dataCases: RemedyCase[] = [
  {
    site: 'src/metrics/bootstrap.ts#checkPairedBootstrap',
    run: (changes) =>
      pairedBootstrap(bleuMetric(), [['a b'], ['a c']], ['a b'], { samples: 0, ...changes }),
  },
  {
    site: 'src/util/options.ts#OptionRules.wrong',
    run: (changes) =>
      new OptionRules({ size: { ...ruleOf('size'), try: [1, 2] } }).check('f', changes),
  },
  {
    site: 'src/data/images/image.ts#withChannels',
    run: ({ channels = 2 }) => withChannels(image, Number(channels)),
  },
  {
    site: 'src/data/readers/dialect.ts#separatorIn',
    run: (changes) => syntaxOf(TABLE, { separator: ';;', ...changes }, ','),
  },
  {
    site: 'src/data/readers/dialect.ts#quoteIn',
    run: (changes) => syntaxOf(TABLE, { quote: 'double', ...changes }, ','),
  },
  {
    site: 'src/data/readers/encoding.ts#decoderFor',
    run: ({ encoding = 'klingon' }) => decoderFor(new Uint8Array(2), TABLE, String(encoding)),
  },
  {
    site: 'src/data/token-dataset.ts#TokenDataset.split',
    run: (changes) => tokens.split({ fraction: 1, ...changes }),
  },
  {
    site: 'src/data/windows.ts#SequentialWindows.constructor',
    run: (changes) => new SequentialWindows(tokens, { batchSize: 9, contextLength: 2, ...changes }),
  },
  {
    site: 'src/data/windows.ts#checkLength',
    run: (changes) => new RandomWindows(tokens, { batchSize: 1, contextLength: 50, ...changes }),
  },
]
