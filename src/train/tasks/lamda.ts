// Fine-tuning for quality and safety (LaMDA; Thoppilan et al., 2022, section 5): a model learns to write responses, and to
// judge them. A judgement is the token 1 or 0 after the context, the response and the name of an attribute.
import { z } from 'zod'
import type { Batch, Examples, Row } from '../../data/index.ts'
import { Judge } from '../../generate/index.ts'
import { attributes, encodeResponse, judgementTokens } from '../../generate/judge/attributes.ts'
import type { CausalLM } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { runExamples } from '../../pipelines/run-examples.ts'
import { padded, padId } from '../../pipelines/text-examples.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { ChatMessage, Tokenizer } from '../../tokenizers/index.ts'
import { defineTask } from '../define-task.ts'
import { countOf, sumOf } from '../micro-batches.ts'
import { rowBatches } from '../row-batches.ts'
import type { BatchSetup, DataSetup, EvaluateOptions, Evaluation, ShownExample, ShownPiece, Task, TaskContext, TrainingBatches, } from '../task.ts' // biome-ignore format: short
import { answerAgain, answerText, writeAnswers } from './answering.ts'
import { type ChatFacts, keepFitting, overChatModel } from './chat-model.ts'
import { isGiven } from './chat-rows.ts'
import { type Conversation, fitTo, isCounted, type TooLong, templateOption, tooLongOption, } from './conversation.ts' // biome-ignore format: short
import { logitsOf, lossesOf, lossPieces, shownTokens } from './conversation-scores.ts'
import { contextOf, LAMDA_COLUMNS, type Rating, ratingsOf, surveyRatings } from './lamda-rows.ts'
import { textIn } from './text.ts'
import { vocabularyConfig } from './text-tokenizer.ts'

type Options = { template: string | null; tooLong: TooLong }
type Facts = ChatFacts & { attributes: Rating['attribute'][]; constant: Rating['attribute'][] }
type Context = TaskContext<Options, Facts, Tokenizer>

/** A response to write, with a judgement of it after its end, or a judgement alone. Without ids if it was dropped. */
interface Judged extends Conversation {
  rating: Rating | null
  /** Whether the model learns to write the response. */
  written: boolean
}

const attribute = z.enum(attributes)

/** Facts about the ratings, which task.json holds. */
export const lamdaFacts = overChatModel.facts.extend({
  attributes: z.array(attribute).describe('attributes that the model judges'),
  constant: z.array(attribute).describe('attributes with a single rating, which are not judged'),
})

export const lamda = defineTask<Options, Facts, Tokenizer>({
  name: 'lamda',
  isObjective: true,
  about: 'responses, and judgements of their quality and safety (LaMDA)',
  columns: LAMDA_COLUMNS,
  options: z.object({ template: templateOption, tooLong: tooLongOption }),
  defaults: { steps: null, epochs: 3, context: 1024, weightDecay: 0 },
  inputColumn: () => 'context',
  head: () => 'causal-lm',
  ...overChatModel,
  facts: lamdaFacts,
  survey: async (setup: DataSetup<Options>) => ({
    ...(await overChatModel.survey(setup)),
    ...(await surveyRatings(setup)),
  }),
  preprocessor: (setup) => overChatModel.preprocessor(setup, textsOf),
  newModelConfig: ({ preprocessor, modelType }) => vocabularyConfig(preprocessor, modelType),
  create: (context) => new Lamda(context),
  batches: lamdaBatches,
})

/** The texts of a row for training a new tokenizer, which needs the tokens of judgements, too. */
const textsOf = (row: Row): string[] => [
  ...contextOf(row).map(({ content }) => String(content)),
  textIn(row, 'response'),
  ...attributes.flatMap((name) => [`${name}: 0`, `${name}: 1`]),
]

async function lamdaBatches(setup: BatchSetup, context: Context): Promise<TrainingBatches> {
  const { contextLength, options, facts } = context
  const task = new Lamda(context)
  const remarks = new Set<string>()
  for (const name of facts.constant) remarks.add(`\`${name}\` has the same value in all rows, so the model does not learn to judge it`) // biome-ignore format: one line
  if (facts.attributes.length === 0) remarks.add('no attribute is rated with both 0 and 1, so the model learns no judgements') // biome-ignore format: one line
  const batches = await rowBatches(setup, { kind: lamda, task, context }, {
    keep: (all: Examples<Judged>) =>
      keepFitting(all, {
        contextLength,
        tooLong: options.tooLong,
        length: (example) => task.length(example),
        isCut: ({ cut }) => cut,
      }, remarks),
  }) // biome-ignore format: short
  return { ...batches, remarks: [...remarks] }
}

class Lamda implements Task<Judged, CausalLM> {
  readonly name = 'lamda'
  readonly head = 'causal-lm'
  readonly unit = 'tokens'
  readonly command = 'chat'
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /**
   * The first judgement follows the response that the model learns to write, in the same text; each other one is a text
   * alone. A response with a rating of 0 is only judged.
   */
  async encode(row: Row): Promise<Judged[]> {
    const { preprocessor: tokenizer, facts } = this.#context
    const { ids, written } = await encodeResponse(
      tokenizer,
      contextOf(row),
      textIn(row, 'response'),
    )
    const all = ratingsOf(row)
    const isGood = all.every(({ value }) => value)
    const ratings = all.filter(({ attribute }) => facts.attributes.includes(attribute))
    const examples: Judged[] = ratings.map((rating, i) => {
      const { question, yes, no } = judgementTokens(tokenizer, rating.attribute)
      const text = [...ids, ...question, rating.value ? yes : no]
      const counted = text.map((_, at) => at === text.length - 1 || (isGood && i === 0 && written[at])) // biome-ignore format: one line
      return this.#example(text, counted, { rating, written: isGood && i === 0 })
    })
    if (examples.length > 0 || !isGood) return examples
    return [this.#example(ids, written, { rating: null, written: true })]
  }

  #example(
    ids: readonly number[],
    counted: readonly boolean[],
    kind: Pick<Judged, 'rating' | 'written'>,
  ): Judged {
    const { contextLength, options } = this.#context
    const targets = ids.slice(1).map((id, i) => (counted[i + 1] ? id : -100))
    const fitting = fitTo({ ids: ids.slice(0, -1), targets, cut: false }, contextLength, options.tooLong) // biome-ignore format: one line
    return { ...(fitting ?? { ids: [], targets: [], cut: false }), ...kind }
  }

  length({ ids }: Judged): number {
    return ids.length
  }

  /** Inputs and targets i32 (B, T), and judged u8 (B, T): 1 for the targets that are ratings. */
  collate(examples: readonly Judged[], length: number): Batch {
    const judged = new Uint8Array(examples.length * length)
    examples.forEach(({ rating, targets }, row) => {
      if (rating && targets.length > 0) judged[row * length + targets.length - 1] = 1
    })
    return {
      inputs: padded(examples.map(({ ids }) => ids), length, padId(this.#context.preprocessor)),
      targets: padded(examples.map(({ targets }) => targets), length, -100),
      judged: { data: judged, shape: [examples.length, length] },
    } // biome-ignore format: one line each
  }

  /** The mean over the tokens of responses, and that over ratings, which would otherwise be few among many tokens. */
  loss(model: CausalLM, batch: BatchTensors): Tensor[] {
    const losses = lossesOf(logitsOf(model, batch), batch)
    const isCounted = batch.targets.ne(-100)
    const isJudged = batch.judged.ne(0)
    return [isCounted.logicalAnd(isJudged.logicalNot()), isJudged].map((some) => {
      const weights = some.to('f32')
      return losses
        .mul(weights)
        .sum()
        .div(weights.sum().clamp({ min: 1 }))
    })
  }

  itemCounts({ targets, judged }: Batch): number[] {
    const ratings = sumOf(judged)
    return [countOf(targets) - ratings, ratings]
  }

  /** The loss of the responses, and how often and how surely each attribute is judged as in the data. */
  async evaluate(
    model: CausalLM,
    examples: readonly Judged[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const kept = examples.filter((example) => this.length(example) > 0)
    const results = await this.#results(model, kept, batchSize)
    const metrics: Record<string, number> = {}
    const responses = results.filter(({ tokens }) => tokens > 0)
    if (responses.length > 0) {
      const sum = (of: (result: Result) => number): number => responses.reduce((all, result) => all + of(result), 0) // biome-ignore format: one line
      metrics.response_loss = sum(({ loss }) => loss) / sum(({ tokens }) => tokens)
      metrics.perplexity = Math.exp(metrics.response_loss)
    }
    for (const name of this.#context.facts.attributes) {
      const judged = results.filter(({ rating }) => rating?.attribute === name)
      if (judged.length === 0) continue
      metrics[`accuracy_${name}`] = judged.filter(isRight).length / judged.length
      metrics[`loss_${name}`] = judged.reduce((sum, result) => sum + surprise(result), 0) / judged.length // biome-ignore format: one line
    }
    return { metrics, examples: results.slice(0, show).map((result) => this.#shown(result)) }
  }

  #results(model: CausalLM, kept: readonly Judged[], batchSize: number): Promise<Result[]> {
    const { preprocessor: tokenizer, facts } = this.#context
    const tokens = facts.attributes.map((name) => judgementTokens(tokenizer, name))
    return runExamples(kept, {
      batching: this,
      model,
      batchSize,
      forward: (batch) => {
        const logits = logitsOf(model, batch)
        const margins = tokens.map(({ yes, no }) =>
          logits.select(-1, yes).sub(logits.select(-1, no)),
        )
        return [lossesOf(logits, batch), ...margins]
      },
      read: ([losses, ...margins], row, example, length) => {
        const { targets, rating } = example
        const last = targets.length - 1
        const places = targets.flatMap((target, i) => (isCounted(target) && !(rating && i === last) ? [i] : [])) // biome-ignore format: one line
        const of = margins[rating ? facts.attributes.indexOf(rating.attribute) : -1]
        return {
          example,
          rating,
          loss: places.reduce((sum, i) => sum + Number(losses[row * length + i]), 0),
          tokens: places.length,
          probability: of ? 1 / (1 + Math.exp(-Number(of[row * length + last]))) : null,
        }
      },
    })
  }

  #shown({ example, rating, loss, tokens, probability }: Result): ShownExample {
    const text = answerText(this.#context.preprocessor, example.ids)
    if (!rating || probability === null) {
      const mean = loss / Math.max(1, tokens)
      return { input: text, expected: 'the response', predicted: `loss ${mean.toFixed(3)}`, right: null, scores: { loss: mean }, difficulty: mean } // biome-ignore format: one line
    }
    const { attribute: name, value } = rating
    const word = (is: boolean): string => (is ? name : `not ${name}`)
    return {
      input: text,
      expected: word(value),
      predicted: word(probability > 0.5),
      right: probability > 0.5 === value,
      scores: { [name]: probability },
      difficulty: value ? 1 - probability : probability,
    }
  }

  /** The loss of each counted token. */
  piecesOf(model: CausalLM, examples: readonly Judged[]): Promise<ShownPiece[][]> {
    return lossPieces(this, model, examples)
  }

  tokensOf(example: Judged): { text: string; counted: boolean }[] {
    return shownTokens(this.#context.preprocessor, example)
  }

  /** Responds to the contexts of the responses again. */
  async samples(model: CausalLM, examples: readonly Judged[]): Promise<ShownExample[]> {
    const { preprocessor: tokenizer } = this.#context
    const written = examples.filter((example) => example.written && example.ids.length > 0)
    const alone = written.map(({ ids, targets, cut, rating }) => ({
      ids,
      targets: rating ? [...targets.slice(0, -1), -100] : targets,
      cut,
    }))
    return alone.length > 0 ? answerAgain(model, tokenizer, alone) : []
  }

  /** The ratings of each response; a response to rows that have none. */
  async predict(model: CausalLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const { preprocessor: tokenizer, facts } = this.#context
    const judge =
      facts.attributes.length > 0
        ? new Judge(model, tokenizer, { attributes: facts.attributes })
        : null
    const predicted: Record<string, unknown>[] = []
    for (const row of rows) {
      const context = contextOf(row)
      if (isGiven(row, 'response') && judge) {
        const [ratings] = await judge.rate(context, [textIn(row, 'response')])
        predicted.push({ ...ratings })
      } else predicted.push({ answer: await respond(model, tokenizer, context) })
    }
    return predicted
  }
}

/** The scores of an example. */
interface Result {
  example: Judged
  rating: Rating | null
  /** Sum of the losses of the response. */
  loss: number
  /** Number of counted tokens of the response. */
  tokens: number
  /** The probability of the attribute; null without a rating. */
  probability: number | null
}

const isRight = ({ rating, probability }: Result): boolean =>
  rating?.value === (probability !== null && probability > 0.5)

/** The loss of a judgement. */
const surprise = ({ rating, probability }: Result): number =>
  -Math.log(Math.max(1e-12, rating?.value ? (probability ?? 0) : 1 - (probability ?? 1)))

async function respond(
  model: CausalLM,
  tokenizer: Tokenizer,
  context: readonly ChatMessage[],
): Promise<string> {
  const text = await tokenizer.applyChatTemplate(context, { addGenerationPrompt: true })
  const [answer] = await writeAnswers(model, tokenizer, [tokenizer.encode(text, { addSpecialTokens: false })]) // biome-ignore format: one line
  return answer
}
