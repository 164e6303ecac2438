// The module of a project outside this repository (see from-outside.test.ts): it adds to each registry.
import { appendFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { type Parameter, ReferenceDevice, registerDevice, runtimeScalar, type Tensor } from 'heed'
import { type Batch, type Row, readLines, registerReader } from 'heed/data'
import {
  type CausalLM,
  causalLM,
  type DecoderFamily,
  decoderTokenizer,
  defineModel,
  labelFields,
  registerModel,
} from 'heed/models'
import { Embedding, LayerNorm, Linear, Module } from 'heed/nn'
import { Optimizer, registerOptimizer, type UpdateRule, zeroState } from 'heed/optim'
import { registerTokenizerStep, Tokenizer } from 'heed/tokenizers'
import {
  type BatchTensors,
  type EvaluateOptions,
  type Evaluation,
  registerTask,
  type Task,
  type TaskContext,
} from 'heed/train'
import { z } from 'zod'

if (!isMainThread) appendFileSync('threads.log', 'loaded in a thread\n')

const schema = z.object({
  vocab_size: z.int().default(30),
  width: z.int().default(8),
  depth: z.int().default(1),
  positions: z.int().default(16),
  tie_word_embeddings: z.boolean().default(false),
  initializer_range: z.number().default(0.02),
  ...labelFields,
})

type MumbleConfig = z.output<typeof schema>

/** Each token sees itself alone. */
class Mumble extends Module<MumbleConfig> {
  tokens = new Embedding(this.config.vocab_size, this.config.width)
  layers = Array.from(
    { length: this.config.depth },
    () => new Linear(this.config.width, this.config.width),
  )
  norm = new LayerNorm(this.config.width)

  forward(ids: Tensor, { logitsAt }: { logitsAt?: Tensor }): Tensor {
    let x = this.tokens.forward(ids)
    for (const layer of this.layers) x = x.add(layer.forward(x).tanh())
    return this.norm.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }
}

const family: DecoderFamily<MumbleConfig, Mumble, 'mumble'> = {
  modelType: 'mumble',
  title: 'Mumble',
  config: { schema, aliases: { hidden_size: 'width' } },
  Stack: Mumble,
  prefix: 'mumble',
  names: { width: 'width', layers: ['layers'], embeddings: 'tokens' },
  contextLength: ({ positions }) => positions,
  cache: ({ depth, width }) => ({ layers: depth, heads: 1, headDim: width }),
}

registerModel(
  defineModel({
    ...family,
    otherNames: [],
    heads: [class MumbleLM extends causalLM(family, 'MumbleLM') {}],
    sizes: ({ layers, dim, context }) => ({ depth: layers, width: dim, positions: context }),
    dropout: [],
    tokenizer: decoderTokenizer,
    image: null,
    task: 'text-generation',
    maskedLanguageModeling: null,
    gguf: null,
    presets: { 'mumble-tiny': { width: 4 } },
  }),
)

/** Lines of `shout` files, one row each. */
registerReader({
  name: 'shout',
  endings: ['shout'],
  async *read(file, mistakes): AsyncGenerator<Row> {
    for await (const lines of readLines(file, mistakes))
      for (const { text, number } of lines) yield { values: { text }, file, number }
  },
})

registerTokenizerStep('normalizer', 'Quieten', {
  schema: z.object({ mark: z.string().length(1) }),
  make:
    ({ mark }) =>
    (text) =>
      text.with(text.text.toLowerCase().replaceAll('!', mark)),
})

class Momentum extends Optimizer<{ lr: number; weightDecay: number; inertia: number }> {
  protected initialState(parameter: Parameter) {
    return { speed: zeroState(parameter) }
  }

  protected ruleFor(group: (typeof this.groups)[number]): UpdateRule {
    const [lr, inertia] = [runtimeScalar(() => group.lr), runtimeScalar(() => group.inertia)]
    return (parameter, grad) => {
      const { speed } = this.stateOf(parameter)
      const next = speed.mul(inertia).add(grad)
      parameter.assign(parameter.mul(1 - group.weightDecay / 100).sub(next.mul(lr)))
      return [speed.assign(next)]
    }
  }
}

registerOptimizer({
  name: 'inertial',
  about: 'gradient descent with momentum',
  options: z.object({ inertia: z.number().min(0).max(1).default(0.8).describe('momentum') }),
  defaults: { lr: 0.05 },
  create: (groups, { lr, weightDecay, inertia, maxGradNorm }) =>
    new Momentum(groups, { lr, weightDecay, inertia }, { maxGradNorm }),
})

registerDevice({
  name: 'borrowed',
  create: () =>
    new (class extends ReferenceDevice {
      override readonly name = 'borrowed'
    })(),
})

type Options = { textColumn: string }
type Context = TaskContext<Options, Record<string, never>, Tokenizer>
type Example = { ids: readonly number[] }

/** The next token of the beginning of each row. */
class Beginnings implements Task<Example, CausalLM> {
  readonly name = 'beginnings'
  readonly head = 'causal-lm'
  readonly unit = 'tokens'
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  encode({ values }: Row): Example[] {
    const { preprocessor, contextLength, options } = this.context
    const text = String(values[options.textColumn])
    const ids = preprocessor.encode(text.slice(0, 4 * contextLength), { addSpecialTokens: false })
    return ids.length > 1 ? [{ ids: ids.slice(0, contextLength + 1) }] : []
  }

  length({ ids }: Example): number {
    return ids.length - 1
  }

  collate(examples: readonly Example[], length: number): Batch {
    const shape = [examples.length, length]
    const inputs = { data: new Int32Array(examples.length * length), shape }
    const targets = { data: new Int32Array(examples.length * length).fill(-100), shape }
    examples.forEach(({ ids }, row) => {
      inputs.data.set(ids.slice(0, -1), row * length)
      targets.data.set(ids.slice(1), row * length)
    })
    return { inputs, targets }
  }

  loss(model: CausalLM, { inputs, targets }: BatchTensors): Tensor {
    return model.loss(inputs, targets)
  }

  async evaluate(
    _model: CausalLM,
    examples: readonly Example[],
    _options?: EvaluateOptions,
  ): Promise<Evaluation> {
    const tokens = examples.reduce((sum, { ids }) => sum + ids.length, 0)
    return { metrics: { tokens }, examples: [] }
  }

  async predict(_model: CausalLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    return rows.map((row) => ({
      beginning: this.context.preprocessor.decode(this.encode(row)[0].ids),
    }))
  }
}

registerTask({
  name: 'beginnings',
  about: 'the beginnings of rows',
  columns: 'rows with a text',
  options: z.object({ textColumn: z.string().default('text').describe('the column of the text') }),
  facts: z.object({}),
  defaults: {},
  head: () => 'causal-lm',
  survey: async () => ({}),
  preprocessor: ({ tokenizer = 'tokenizer.json' }) => Tokenizer.fromFile(tokenizer),
  openPreprocessor: (folder) => Tokenizer.fromFile(folder),
  modelConfig: () => ({}),
  newModelConfig: ({ preprocessor }) => ({ vocab_size: (preprocessor as Tokenizer).vocabSize }),
  create: (context: Context) => new Beginnings(context),
})
