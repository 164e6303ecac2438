// The options of all commands, and how errors and help name them.
import { type Command, Option } from 'commander'
import { expect, it, vi } from 'vitest'
import { commandNames, loadCommand } from '../../src/cli/commands.ts'
import { run } from '../../src/cli/main.ts'
import { withFlags } from '../../src/cli/print-error.ts'
import { modelTypes } from '../../src/models/index.ts'
import { optimizerDefinitions } from '../../src/optim/index.ts'
import { taskDefinitions } from '../../src/train/tasks/index.ts'
import { heed } from './in-process.ts'

const commands = await Promise.all(commandNames().map((name) => loadCommand(name, [])))

it.each(commands.map((command) => [command.name(), command] as const))(
  'heed %s describes every argument and option, and switches in both directions',
  (_, command) => {
    const texts = [command, ...command.registeredArguments, ...command.options].map(
      ({ description }) =>
        typeof description === 'function' ? command.description() : description,
    )
    for (const text of texts) expect(text).toMatch(/\w{4}/)
    const off = command.options.filter(({ negate }) => negate).map(({ description }) => description)
    for (const text of off) expect(text).not.toMatch(/not that|to false$/)
    expect(new Set(off).size).toBe(off.length)
  },
)

it('every switch of a task or an optimizer says what it does when it is off', () => {
  const train = commands.find((command) => command.name() === 'train') as Command
  const switches = train.options
    .filter(({ negate }) => negate)
    .map((option) => option.attributeName())
  expect(switches.length).toBeGreaterThan(2)
  for (const key of switches) {
    const kind = [...taskDefinitions(), ...optimizerDefinitions()].find(({ options }) =>
      Object.hasOwn(options.shape, key),
    )
    expect((kind?.options.shape[key] as { meta(): object } | undefined)?.meta()).toHaveProperty(
      'off',
    )
  }
})

const options = [
  new Option('--min-lr <number>'),
  new Option('--batch <number>'),
  new Option('--pack'),
  new Option('--no-pack'),
  new Option('--no-special'),
]

it.each([
  ['`minLr` must be at most 1, got 2', '--min-lr must be at most 1, got 2'],
  ['Set `minLr: 0.5`.', 'Set --min-lr 0.5.'],
  ['Try `minLr` 0.1 or 0.2.', 'Try --min-lr 0.1 or 0.2.'],
  ['Leave out `pack`.', 'Leave out --pack.'],
  ['Try `pack` false.', 'Try --no-pack.'],
  ['Set `pack: true` or `pack: false`.', 'Set --pack or --no-pack.'],
  ['Set `special: false`.', 'Set --no-special.'],
  ['`batchSize` must be at least 1', '--batch must be at least 1'],
  [
    'Run `heed doctor`; `h.0.attn`, `toString`, `wte.weight` stay',
    'Run `heed doctor`; `h.0.attn`, `toString`, `wte.weight` stay',
  ],
])('%s', (text, shown) => {
  expect(withFlags(text, options)).toBe(shown)
})

it.each([
  [['trian'], /'trian'\n.*\btrain\?/],
  [['__proto__'], /'__proto__'/],
  [['run', 'model.gguf'], /'run'\n.*heed chat/],
  [['finetune'], /heed train --from/],
  [['Fine-Tune'], /heed train --from/],
  [['infer'], /Use: heed predict/],
  [['download'], /Use: heed pull/],
  [['evaluate'], /Use: heed eval/],
  [['test'], /Use: heed eval/],
  [['help', 'run'], /Use: heed chat/],
  [['serve'], /no server[\s\S]*heed\/pipelines/],
  [['list'], /heed inspect/],
  [['quantize'], /heed generate MODEL --quantize/],
  [
    ['train', 'rnn', '--data', 'x', '--out', 'y'],
    /got 'rnn'\n {2}Use: heed train seq2seq_rnn --set cell_type=rnn/,
  ],
  [['train', 'LSTM', '--data', 'x', '--out', 'y'], /seq2seq_rnn --set cell_type=lstm/],
  [['train', 'transformer', '--data', 'x', '--out', 'y'], /heed train marian/],
  [['train', 'nanogpt', '--data', 'x', '--out', 'y'], /heed train gpt2 --layers 6/],
  [['train', 'gpt', '--data', 'x', '--out', 'y'], /heed train gpt2, or openai-gpt/],
  [['generate', 'x', '--temprature', '1'], /--temprature[\s\S]*--temperature/],
  [['train', 'gpt2', '--out', 'y', '--batch-size=3'], /Did you mean --batch\?/],
  [['train', 'gpt2', '--out', 'y', '--per_device_train_batch_size', '3'], /mean --batch\?/],
  [['train', 'gpt2', '--out', 'y', '--learning_rate', '3'], /mean --lr\?/],
  [['generate', 'x', '--max-new-tokens', '3'], /mean --tokens\?/],
  [['embed', 'x', '--max-new-tokens', '3'], /'--max-new-tokens'\n(?!.*mean)/],
  [['generate', 'x', '--quantize', 'q8'], /--quantize[\s\S]*Did you mean q8_0\?/],
  [['generate', 'x', '--top-k', '-1'], /--top-k[\s\S]*\b0\b/],
  [['inspect', '--preset', 'gtp2'], /Known: gpt2,/],
  [
    ['train', 'gpt2', '--data', 'x', '--out', 'y', '--schedule', 'cosin'],
    /--schedule .*cosine.*got "cosin"\n.*'cosine'\?/,
  ],
  [['train', 'gpt2', '--data', 'x', '--out', 'y', '--optimizer', 'adamq'], /adamw/],
  [['train', 'gpt2', '--data', 'x', '--out', 'y', '--momentum', '0.9'], /--momentum[\s\S]*sgd/],
  [
    ['train', 'gpt2', '--data', 'x', '--out', 'y', '--min-lr', '2', '--batch', '1.5'],
    /2 mistakes:\n {2}--batch .*got 1\.5\n {2}--min-lr .*1, got 2/,
  ],
] as const)('heed %j', async (words, says) => {
  const { mistake, code } = await heed(...words)
  expect(mistake).toMatch(says)
  expect(code).toBe(2)
})

async function printedBy(...words: string[]): Promise<string> {
  let text = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((part) => (text += part) !== '')
  await run(['node', 'heed', ...words])
  vi.restoreAllMocks()
  return text
}

it('heed --help groups the commands, each described by an imperative', async () => {
  const help = await printedBy('--help')
  const titles = ['Train:', 'Use a model:', 'Look inside:', 'Files:', 'Setup:']
  const places = titles.map((title) => help.indexOf(`\n${title}\n`))
  expect(places).toEqual(places.filter((at) => at > 0).toSorted((a, b) => a - b))
  expect(help).not.toContain('\nCommands:')
  for (const command of commands) {
    expect(help).toContain(`\n  ${command.name()} `)
    expect(command.description()).toMatch(/^[A-Z][a-z]+ [^?]*\.$/)
  }
})

it('heed train --help lists every model by family', async () => {
  const [, list] = (await printedBy('train', '--help')).split('\nModels:\n')
  const lines = list.split('\n\n')[0].split('\n')
  expect(lines.map((line) => /^ {2}([\w-]+) /.exec(line)?.[1])).toEqual(['decoders', 'encoder-decoders', 'encoders', 'vision']) // biome-ignore format: one line
  const names = lines.map((line) => line.replace(/^ *[\w-]+ +/, '').split(', '))
  expect(names.flat().toSorted()).toEqual(modelTypes().toSorted())
  for (const family of names) expect(family).toEqual(family.toSorted())
})
