// Supervised fine-tuning on conversations (Ouyang et al., 2022, section 3.5; Taori et al., 2023, "Alpaca"): the model learns
// to write the answers of the assistant. The loss counts the tokens of the answers, with the token that ends each of them.
import { z } from 'zod'
import { type Batch, type Examples, firstExamples, type Row, selectExamples } from '../../data/index.ts' // biome-ignore format: one line
import { continueBatch, generationConfigOf } from '../../generate/index.ts'
import type { CausalLM } from '../../models/index.ts'
import { readModelConfig } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { runExamples } from '../../pipelines/run-examples.ts'
import { padded, padId } from '../../pipelines/text-examples.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import { type Tokenizer, withChatTemplate } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import { defineTask } from '../define-task.ts'
import { rowBatches } from '../row-batches.ts'
import type {
  BatchSetup,
  DataSetup,
  EvaluateOptions,
  Evaluation,
  ShownExample,
  ShownPiece,
  Task,
  TaskContext,
  TrainingBatches,
} from '../task.ts'
import { CHAT_COLUMNS, conversationOf } from './chat-rows.ts'
import { packLengths } from './packing.ts'
import { textTokenizer, vocabularyConfig } from './text-tokenizer.ts'
import { tokenTexts } from './token-texts.ts'

type Options = { template: string | null; packing: boolean; tooLong: 'drop' | 'cut' }
/** Number of tokens of the model to tune; null for a new model. */
type Facts = { vocabSize: number | null }
type Context = TaskContext<Options, Facts, Tokenizer>

/** A conversation as tokens. */
export interface Conversation {
  ids: readonly number[]
  /** For each token, the next token if the assistant writes it, and -100 otherwise. */
  targets: readonly number[]
  /** Whether the beginning was cut off. */
  cut: boolean
}

/** Conversations that share a row of a batch. Empty for a row of data that was dropped. */
type Packed = readonly Conversation[]

export const chat = defineTask<Options, Facts, Tokenizer>({
  name: 'chat',
  about: 'answers of an assistant in conversations (supervised fine-tuning)',
  columns: CHAT_COLUMNS,
  options: z.object({
    template: z
      .string()
      .nullable()
      .default(null)
      .describe(
        'chat template for a model without one: chatml, llama3, alpaca or a file; new tokens are added to the model',
      ),
    packing: z
      .boolean()
      .default(false)
      .describe('put several conversations into a row, which saves padding')
      .meta({ off: 'one conversation in each row' }),
    tooLong: z
      .enum(['drop', 'cut'])
      .default('drop')
      .describe('what to do with conversations longer than the context: drop, or cut the start'),
  }),
  defaults: { steps: null, epochs: 3, context: 1024, weightDecay: 0 },
  inputColumn: () => 'prompt',
  head: () => 'causal-lm',
  texts: (row) =>
    conversationOf(row, { complete: true }).map(({ content }) =>
      typeof content === 'string' ? content : JSON.stringify(content),
    ),
  facts: z.object({ vocabSize: z.int().nullable() }),
  async survey({ from }) {
    const { vocab_size: vocabSize } = from === undefined ? {} : Object(await readModelConfig(from))
    return { vocabSize: typeof vocabSize === 'number' ? vocabSize : null }
  },
  preprocessor: chatTokenizer,
  modelConfig({ preprocessor, facts, options }) {
    if (options.template === null) return {}
    const { vocabSize, eosTokenId: eos_token_id } = preprocessor
    const isLarger = facts.vocabSize !== null && vocabSize > facts.vocabSize
    return { eos_token_id, ...(isLarger && { vocab_size: vocabSize }) }
  },
  newModelConfig: ({ preprocessor, modelType }) => vocabularyConfig(preprocessor, modelType),
  create: (context) => new Chat(context),
  batches: chatBatches,
})

/** The tokenizer of the model, with the template of the options. */
async function chatTokenizer(setup: DataSetup<Options>): Promise<Tokenizer> {
  const { from, options } = setup
  const tokenizer = await textTokenizer({ ...setup, options: {} }, (row) =>
    conversationOf(row, { complete: true }).map(({ content }) => String(content)),
  )
  const template = options.template ?? (from === undefined ? 'chatml' : null)
  if (template !== null) return withChatTemplate(tokenizer, template)
  if (tokenizer.config.chat_template !== undefined) return tokenizer
  throw new HeedError('unsupported', `A model for conversations must have a chat template, got ${from}, which has none`, {
    key: 'template',
    value: from,
    remedy: 'Choose one with `template`: chatml, llama3, alpaca or a file with a Jinja template.',
  }) // biome-ignore format: one line
}

/** Drops the conversations that are too long, and packs those for training if `packing` is set. */
async function chatBatches(setup: BatchSetup, context: Context): Promise<TrainingBatches> {
  const { packing, tooLong } = context.options
  const task = new Chat(context)
  const remarks = new Set<string>()
  const batches = await rowBatches(
    setup,
    { kind: chat, task, context },
    {
      keep(all: Examples<Packed>) {
        const kept = withoutDropped(all, context.contextLength)
        const count = all.length - kept.length
        if (count > 0) remarks.add(`${conversations(count)} of ${all.length} dropped, with more than ${context.contextLength} tokens`) // biome-ignore format: one line
        const cut =
          tooLong === 'cut'
            ? firstExamples(kept)
                .flat()
                .filter((one) => one.cut).length
            : 0
        if (cut > 0) remarks.add(`${conversations(cut)} of ${all.length} cut at the start, to ${context.contextLength} tokens`) // biome-ignore format: one line
        return kept
      },
      arrange: (train: Examples<Packed>) => (packing ? packed(train, task, context) : train),
    },
  )
  return { ...batches, remarks: [...remarks] }
}

const conversations = (count: number): string =>
  count === 1 ? '1 conversation' : `${count} conversations`

/** @throws HeedError if all are dropped */
function withoutDropped(all: Examples<Packed>, contextLength: number): Examples<Packed> {
  const numbers = Uint32Array.from({ length: all.length }, (_, i) => i)
  const { lengths } = all
  const isKept = (i: number): boolean => (lengths ? lengths[i] : Number(all.at(i)?.length)) > 0
  const kept = numbers.filter(isKept)
  if (kept.length === all.length) return all
  if (kept.length > 0) return selectExamples(all, kept)
  throw new HeedError('invalid-data', `At least one conversation must have at most ${contextLength} tokens, got ${all.length} longer ones`, {
    key: 'context',
    value: contextLength,
    remedy: 'Increase `context`, or set `tooLong` to cut.',
  }) // biome-ignore format: one line
}

/** Groups of conversations that fill the context. */
function packed(all: Examples<Packed>, task: Chat, { contextLength }: Context): Examples<Packed> {
  const lengths = all.lengths ?? firstExamples(all).map((example) => task.length(example))
  const bins = packLengths(lengths, contextLength)
  return {
    length: bins.length,
    lengths: bins.map((bin) => bin.reduce((sum, i) => sum + lengths[i], 0)),
    at: (index) => bins[index]?.flatMap((i) => all.at(i) ?? []),
  }
}

class Chat implements Task<Packed, CausalLM> {
  readonly name = 'chat'
  readonly head = 'causal-lm'
  readonly unit = 'tokens'
  readonly command = 'chat'
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  async encode(row: Row): Promise<Packed[]> {
    const { preprocessor: tokenizer, contextLength, options } = this.context
    const messages = conversationOf(row, { complete: true })
    const { ids, written } = await tokenizer.encodeChat(messages, { tools: toolsOf(row) })
    const targets = ids.slice(1).map((id, i) => (written[i + 1] ? id : -100))
    const whole = { ids: ids.slice(0, -1), targets, cut: false }
    if (whole.ids.length <= contextLength) return [[whole]]
    return [options.tooLong === 'cut' ? cutStart(whole, contextLength) : []]
  }

  length(example: Packed): number {
    return example.reduce((sum, { ids }) => sum + ids.length, 0)
  }

  collate(examples: readonly Packed[], length: number): Batch {
    const inputs = examples.map((example) => example.flatMap(({ ids }) => ids))
    const targets = examples.map((example) => example.flatMap((one) => one.targets))
    const batch = {
      inputs: padded(inputs, length, padId(this.context.preprocessor)),
      targets: padded(targets, length, -100),
    }
    if (examples.every((example) => example.length <= 1)) return batch
    const texts = examples.map((example) => example.flatMap(({ ids }, i) => ids.map(() => i + 1)))
    return { ...batch, attention_mask: padded(texts, length, 0) }
  }

  loss(model: CausalLM, { inputs, targets, attention_mask }: BatchTensors): Tensor {
    return model.loss(inputs, targets, { attentionMask: attention_mask })
  }

  /** Loss and accuracy of the tokens of the answers, each given the correct tokens before it. */
  async evaluate(
    model: CausalLM,
    examples: readonly Packed[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const kept = examples.filter((example) => this.length(example) > 0)
    const results = await runExamples(kept, {
      batching: this,
      model,
      batchSize,
      forward: (batch) => {
        const logits = logitsOf(model, batch)
        const isRight = logits.argmax(-1).eq(batch.targets).to('f32')
        return [lossesOf(logits, batch).sum(-1), isRight.sum(-1)]
      },
      read: ([losses, right], row) => ({ loss: losses[row], right: right[row] }),
    })
    const counts = kept.map((example) => example.flatMap(({ targets }) => targets).filter(isCounted).length) // biome-ignore format: one line
    const tokens = counts.reduce((a, b) => a + b, 0)
    const total = (name: 'loss' | 'right'): number => results.reduce((sum, each) => sum + each[name], 0) // biome-ignore format: one line
    const loss = total('loss') / tokens
    return {
      metrics: {
        loss,
        perplexity: Math.exp(loss),
        token_accuracy: total('right') / tokens,
      },
      examples: kept.slice(0, show).map((example, i) => {
        const { prompt, answer } = lastAnswer(example)
        const mean = results[i].loss / Math.max(1, counts[i])
        return {
          input: this.textOf(prompt),
          expected: this.textOf(answer),
          predicted: `loss ${mean.toFixed(3)}`,
          right: null,
          scores: { loss: mean, perplexity: Math.exp(mean) },
          difficulty: mean,
        }
      }),
    }
  }

  /** The loss of each token of the answers. */
  async piecesOf(model: CausalLM, examples: readonly Packed[]): Promise<ShownPiece[][]> {
    return runExamples(examples, {
      batching: this,
      model,
      batchSize: 16,
      forward: (batch) => [lossesOf(logitsOf(model, batch), batch)],
      read: ([losses], row, example, length) =>
        this.tokensOf(example).map(({ text, counted }, i) =>
          counted ? { text, loss: losses[row * length + i - 1] } : { text },
        ),
    })
  }

  tokensOf(example: Packed): { text: string; counted: boolean }[] {
    const [{ ids, targets }] = example
    const all = [...ids, ...targets.slice(-1).filter(isCounted)]
    const texts = tokenTexts(this.context.preprocessor, all)
    return texts.map((text, i) => ({ text, counted: i > 0 && isCounted(targets[i - 1]) }))
  }

  /** Writes the last answer of each conversation again. */
  async samples(model: CausalLM, examples: readonly Packed[]): Promise<ShownExample[]> {
    const parts = examples.map(lastAnswer)
    const written = await this.answers(model, parts.map(({ prompt }) => prompt)) // biome-ignore format: one line
    return parts.map(({ prompt, answer }, i) => ({
      input: this.textOf(prompt),
      expected: this.textOf(answer),
      predicted: written[i],
      right: null,
    }))
  }

  /** Answers conversations. An answer at the end of a row is not read. */
  async predict(model: CausalLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const { preprocessor: tokenizer } = this.context
    const prompts = await Promise.all(
      rows.map(async (row) => {
        const messages = conversationOf(row, { complete: false })
        const asked = messages.slice(0, messages.findLastIndex(({ role }) => role !== 'assistant') + 1) // biome-ignore format: one line
        const text = await tokenizer.applyChatTemplate(asked, { addGenerationPrompt: true, tools: toolsOf(row) }) // biome-ignore format: one line
        return tokenizer.encode(text, { addSpecialTokens: false })
      }),
    )
    const written = await this.answers(model, prompts)
    return written.map((answer) => ({ answer }))
  }

  private async answers(
    model: CausalLM,
    prompts: readonly (readonly number[])[],
  ): Promise<string[]> {
    const { preprocessor: tokenizer } = this.context
    const limit = generationConfigOf(model).max_new_tokens ?? MAX_TOKENS
    const maxTokens = Math.min(limit, model.contextLength >> 1)
    const ends = prompts.map((ids) => ids.slice(-(model.contextLength - maxTokens)))
    const stopTokens = [(await tokenizer.endOfTurn()) ?? []].flat()
    model.eval()
    return continueBatch(model, tokenizer, ends, { maxTokens, temperature: 0, stopTokens })
  }

  private textOf(ids: readonly number[]): string {
    return this.context.preprocessor.decode(ids, { skipSpecialTokens: true }).trim()
  }
}

const isCounted = (target: number): boolean => target !== -100

/** The tools of a row, which its template describes. */
const toolsOf = ({ values: { tools } }: Row): unknown[] | undefined =>
  Array.isArray(tools) && tools.length > 0 ? tools : undefined

/** Keeps the end of a conversation. An answer whose beginning is cut off is not counted; empty if no answer is left. */
function cutStart({ ids, targets }: Conversation, length: number): Packed {
  const from = ids.length - length
  const kept = targets.slice(from)
  const prompt = targets[from - 1] === -100 ? 0 : kept.indexOf(-100)
  if (prompt < 0 || !kept.slice(prompt).some(isCounted)) return []
  return [{ ids: ids.slice(from), targets: kept.fill(-100, 0, prompt), cut: true }]
}

/** The tokens of the last answer, and those before it. */
function lastAnswer(example: Packed): { prompt: number[]; answer: number[] } {
  const { ids, targets } = example[example.length - 1]
  const end = targets.findLastIndex(isCounted) + 1
  const start = targets.slice(0, end).lastIndexOf(-100) + 1
  return { prompt: ids.slice(0, start + 1), answer: targets.slice(start, end) }
}

const logitsOf = (model: CausalLM, { inputs, attention_mask }: BatchTensors): Tensor =>
  model.forward(inputs, { attentionMask: attention_mask })

/** The loss of each token (B, T); 0 where it is not counted. */
const lossesOf = (logits: Tensor, { targets }: BatchTensors): Tensor =>
  F.crossEntropy(logits, targets, { reduction: 'none' })

/** Maximum number of tokens in an answer, unless generation_config.json has a limit. */
const MAX_TOKENS = 128
