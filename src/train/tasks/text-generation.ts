// Language modelling (Radford et al., 2018): predicts the next token of text files, in windows at random positions, or
// of rows, which are concatenated.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import { continueBatch, generationConfigOf } from '../../generate/index.ts'
import type { CausalLM } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { runExamples } from '../../pipelines/run-examples.ts'
import { padded, padId } from '../../pipelines/text-examples.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { defineTask } from '../define-task.ts'
import { countOf } from '../micro-batches.ts'
import type {
  Distillation,
  EvaluateOptions,
  Evaluation,
  Facts,
  ShownExample,
  ShownPiece,
  Task,
  TaskContext,
} from '../task.ts'
import { readMix } from './mixed-text.ts'
import { textIn } from './text.ts'
import { joinedTokens, type Window, windowBatches, windowsOfData } from './text-batches.ts'
import { tokenTexts } from './token-texts.ts'
import { retokenize, tokenizerOfText } from './tokenizer-of-text.ts'

type LmOptions = { textColumn: string; extendTokenizer?: number; mix?: string }
type Context = TaskContext<LmOptions, Facts, Tokenizer>

export const textGeneration = defineTask<LmOptions, Facts, Tokenizer>({
  name: 'text-generation',
  about: 'the next token of texts',
  columns: 'text files, or rows with a text',
  options: z.object({
    textColumn: z.string().default('text').describe('column of the text, for rows'),
    extendTokenizer: z
      .int()
      .min(1)
      .optional()
      .describe('number of pieces of the data to add to the tokenizer of the model to fine-tune'),
    mix: z
      .string()
      .refine((text) => readMix(text) !== undefined, {
        error: 'FILE:SHARE with a share between 0 and 1, such as general.txt:0.1',
      })
      .optional()
      .describe('general text and its share of the training, against forgetting: FILE:0.1'),
  }),
  inputColumn: ({ textColumn }) => textColumn,
  columnKeys: ['textColumn'],
  head: () => 'causal-lm',
  preprocessor: tokenizerOfText,
  retokenize,
  newModelConfig: ({ preprocessor }) => ({
    vocab_size: preprocessor.vocabSize,
    bos_token_id: preprocessor.bosTokenId ?? preprocessor.eosTokenId ?? null,
    eos_token_id: preprocessor.eosTokenId ?? null,
  }),
  create: (context) => new TextGeneration(context),
  rowEncoder: ({ preprocessor, options }) => joinedTokens(preprocessor, options.textColumn),
  batches: (setup, context) => windowBatches(setup, context),
  heldOut: (data, setup, context) => windowsOfData(data, setup, context),
})

class TextGeneration implements Task<Window, CausalLM> {
  readonly name = 'text-generation'
  readonly head = 'causal-lm'
  readonly unit = 'tokens'
  readonly command = 'generate'
  readonly validationMetrics: readonly string[] = []
  readonly heldOutLoss: Task<Window, CausalLM>['heldOutLoss']
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
    if (context.options.mix === undefined) return
    this.validationMetrics = ['bits_per_character', 'mix_bits_per_character']
    this.heldOutLoss = async (model, examples, batchSize) => {
      const domain = examples.filter(({ isMixed }) => !isMixed)
      return this.scoreOf(domain, await this.lossesOf(model, domain, batchSize)).loss
    }
  }

  encode(row: Row): Window[] {
    const { preprocessor: tokenizer, contextLength, options } = this.context
    const ids = tokenizer.encode(textIn(row, options.textColumn), { addSpecialTokens: false })
    if (tokenizer.eosTokenId !== undefined) ids.push(tokenizer.eosTokenId)
    const windows: Window[] = []
    for (let start = 0; start + 1 < ids.length; start += contextLength)
      windows.push({ ids: ids.slice(start, start + contextLength + 1) })
    return windows
  }

  length({ ids }: Window): number {
    return ids.length - 1
  }

  collate(examples: readonly Window[], length: number): Batch {
    const inputs = examples.map(({ ids }) => ids.slice(0, -1))
    const targets = examples.map(({ ids }) => ids.slice(1))
    return {
      inputs: padded(inputs, length, padId(this.context.preprocessor)),
      targets: padded(targets, length, -100),
    }
  }

  get distillation(): Distillation<CausalLM> {
    const { eosTokenId } = this.context.preprocessor
    const counts = (batch: Batch): number => countOf(batch.targets)
    return {
      outputs(model, { inputs, targets }) {
        const items = targets.ne(-100)
        return { logits: model.forward(inputs), labels: targets, items, tokens: items }
      },
      counts: (batch) => ({ items: counts(batch), labels: counts(batch), tokens: counts(batch) }),
      continuation: {
        prompts: ({ inputs }) => halves(inputs),
        continued: (batch, texts) => withContinuations(batch, texts),
        stopTokens: async () => (eosTokenId === undefined ? [] : [eosTokenId]),
      },
    }
  }

  loss(model: CausalLM, { inputs, targets }: BatchTensors): Tensor {
    return model.loss(inputs, targets)
  }

  async evaluate(
    model: CausalLM,
    examples: readonly Window[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const losses = await this.lossesOf(model, examples, batchSize)
    const isOf = (mixed: boolean) => (_: unknown, i: number) =>
      (examples[i].isMixed ?? false) === mixed
    const [domain, mixed] = [false, true].map((of) => this.scoreOf(examples.filter(isOf(of)), losses.filter(isOf(of)))) // biome-ignore format: one line
    const { loss, bits } = domain
    return {
      metrics: {
        loss,
        perplexity: Math.exp(loss),
        bits_per_character: bits,
        ...(mixed.count > 0 && { mix_bits_per_character: mixed.bits }),
      },
      examples: examples.slice(0, Math.min(show, domain.count)).map((example, i) => {
        const loss = losses[i] / this.length(example)
        const scores = { loss, perplexity: Math.exp(loss) }
        const input = this.textOf(example.ids.slice(1))
        const predicted = `loss ${loss.toFixed(3)}`
        return { input, expected: '', predicted, right: null, scores, difficulty: loss }
      }),
    }
  }

  /** The sum of the losses of the tokens of each window. */
  private lossesOf(
    model: CausalLM,
    examples: readonly Window[],
    batchSize: number,
  ): Promise<number[]> {
    return runExamples(examples, {
      batching: this,
      model,
      batchSize,
      forward: (batch) => [lossesOf(model, batch).sum(-1)],
      read: ([sums], row) => sums[row],
    })
  }

  /** The mean loss of a token, and bits per character. */
  private scoreOf(examples: readonly Window[], losses: readonly number[]) {
    const total = losses.reduce((a, b) => a + b, 0)
    const tokens = examples.reduce((sum, example) => sum + this.length(example), 0)
    const characters = examples.reduce((sum, { ids }) => sum + this.textOf(ids.slice(1)).length, 0)
    return { count: examples.length, loss: total / tokens, bits: total / Math.LN2 / characters }
  }

  /** The loss of each token. */
  async piecesOf(model: CausalLM, examples: readonly Window[]): Promise<ShownPiece[][]> {
    return runExamples(examples, {
      batching: this,
      model,
      batchSize: 16,
      forward: (batch) => [lossesOf(model, batch)],
      read: ([losses], row, { ids }, length) =>
        tokenTexts(this.context.preprocessor, ids.slice(1)).map((text, i) => ({
          text,
          loss: losses[row * length + i],
        })),
    })
  }

  /** Generates a continuation of the first half of each window, next to the true continuation. */
  async samples(model: CausalLM, examples: readonly Window[]): Promise<ShownExample[]> {
    const halves = examples.map(({ ids }) => {
      const middle = Math.ceil(ids.length / 2)
      return [ids.slice(0, middle), ids.slice(middle, middle + MAX_TOKENS)]
    })
    const written = await this.continuations(
      model,
      halves.map(([prompt]) => prompt),
    )
    return halves.map(([prompt, rest], i) => ({
      input: this.textOf(prompt),
      expected: this.textOf(rest),
      predicted: written[i],
      right: null,
    }))
  }

  /** Generates a continuation of each text. Only the end of a long text is read. */
  async predict(model: CausalLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const { preprocessor: tokenizer, options } = this.context
    const prompts = rows.map((row) =>
      tokenizer.encode(textIn(row, options.textColumn), { addSpecialTokens: false }),
    )
    const written = await this.continuations(model, prompts)
    return written.map((continuation) => ({ continuation }))
  }

  private async continuations(
    model: CausalLM,
    prompts: readonly (readonly number[])[],
  ): Promise<string[]> {
    const limit = generationConfigOf(model).max_new_tokens ?? MAX_TOKENS
    const room = Math.min(limit, model.contextLength >> 1)
    const ends = prompts.map((ids) => ids.slice(-(model.contextLength - room)))
    model.eval()
    const settings = { maxTokens: room, temperature: 0 }
    return continueBatch(model, this.context.preprocessor, ends, settings)
  }

  private textOf(ids: readonly number[]): string {
    return this.context.preprocessor.decode(ids, { skipSpecialTokens: true })
  }
}

/** The first half of each text of a batch (B, T), and the room after it. */
function halves({ data, shape }: Batch[string]): { prompts: number[][]; maxTokens: number } {
  const [rows, length] = shape
  const half = Math.ceil(length / 2)
  const prompts = Array.from({ length: rows }, (_, row) =>
    Array.from(data.subarray(row * length, row * length + half), Number),
  )
  return { prompts, maxTokens: length - half }
}

/** Replaces the second half of each text. The tokens of the first half, and those after the end, do not count. */
function withContinuations(
  { inputs }: Batch,
  continuations: readonly (readonly number[])[],
): Batch {
  const [rows, length] = inputs.shape
  const half = Math.ceil(length / 2)
  const ids = Int32Array.from(inputs.data, Number)
  const targets = new Int32Array(ids.length).fill(-100)
  for (let row = 0; row < rows; row++)
    continuations[row].forEach((token, i) => {
      targets[row * length + half - 1 + i] = token
      if (half + i < length) ids[row * length + half + i] = token
    })
  return {
    inputs: { data: ids, shape: inputs.shape },
    targets: { data: targets, shape: inputs.shape },
  }
}

/** The loss of each token (B, T); 0 for padding. */
const lossesOf = (model: CausalLM, { inputs, targets }: BatchTensors): Tensor =>
  F.crossEntropy(model.forward(inputs), targets, { reduction: 'none' })

/** Maximum number of tokens in a continuation, unless generation_config.json has a limit. */
const MAX_TOKENS = 64
