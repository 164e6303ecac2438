import { z } from 'zod'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { nearestFirst } from '../../util/nearest.ts'
import { optionKinds } from '../../util/options.ts'
import { Registry, unknownName } from '../../util/registry.ts'
import { refuse, refuseBy, schemaError } from '../schema-error.ts'
import type { TokenizerSteps } from './steps.ts'

/** Kind of a tokenizer step: its key in `tokenizer.json`. */
export type TokenizerStepKind = keyof TokenizerSteps

/** Definition of a tokenizer step for `registerTokenizerStep`. */
export interface TokenizerStepDefinition<Kind extends TokenizerStepKind, Settings> {
  /** Schema of the step's object in `tokenizer.json`. `type` and unknown keys are ignored. */
  schema: z.ZodType<Settings>
  /** Builds the step when a tokenizer is opened. */
  make(settings: Settings): TokenizerSteps[Kind]
  /** For models: accept `vocab` and `merges` as tables instead of JSON. Default false. */
  readsTables?: boolean
}

const STEP = optionKinds<TokenizerStepDefinition<TokenizerStepKind, unknown>>({
  schema: 'object',
  make: 'function',
  readsTables: 'flag?',
})

/**
 * Registers a tokenizer step by its `type` in `tokenizer.json`. Built-in steps use the same function.
 * @throws HeedError if the name is already registered or invalid
 */
export function registerTokenizerStep<Kind extends TokenizerStepKind, Settings>(
  kind: Kind,
  type: string,
  definition: TokenizerStepDefinition<Kind, Settings>,
): void {
  STEP.check('registerTokenizerStep', Object(definition))
  const { schema, make, readsTables = false } = definition
  const read: StepReader<Kind> = (json, context) => {
    const settings = schema.safeParse(json, { reportInput: true, jitless: true })
    if (!settings.success) return refuseBy(context, settings.error)
    try {
      return make(settings.data)
    } catch (cause) {
      return refuse(context, type, `a usable ${nounOf(kind)} (${reasonOf(cause)})`, {
        path: ['type'],
        cause,
      })
    }
  }
  registryOf(kind).register(type, Object.assign(read, { readsTables }))
}

/** Whether a model accepts tables for `vocab` and `merges`. */
export function readsTables(type: string): boolean {
  const { model } = REGISTRIES
  return model.has(type) && model.get(type).readsTables
}

/** Schema of a step within another one, such as a `Sequence`. Its output is the step. */
export function tokenizerStep<Kind extends TokenizerStepKind>(
  kind: Kind,
): z.ZodType<TokenizerSteps[Kind]> {
  registryOf(kind)
  return z.unknown().transform((json, context): TokenizerSteps[Kind] => {
    if (!isJsonObject(json)) return refuse(context, json, 'an object')
    const registry = registryOf(kind)
    const { type } = json
    if (typeof type === 'string' && registry.has(type)) return registry.get(type)(json, context)
    const near = nearestFirst(String(type), registry.names())
    return refuse(context, type, `the name of a registered ${nounOf(kind)}`, {
      path: ['type'],
      code: 'unknown-name',
      try: { type: near.slice(0, 1) },
      remedy:
        `Call registerTokenizerStep('${kind}', ${JSON.stringify(type)}, …) before the tokenizer is opened. ` +
        `Known: ${near.join(', ')}.`,
    })
  })
}

/** Builds a step from an object of `tokenizer.json`. */
export function makeTokenizerStep<Kind extends TokenizerStepKind>(
  kind: Kind,
  json: unknown,
  source: string,
): TokenizerSteps[Kind] {
  const result = tokenizerStep(kind).safeParse(json, { reportInput: true, jitless: true })
  if (result.success) return result.data
  throw schemaError(result.error, source)
}

/** Reads the settings of a step and builds it, or adds an issue to the context. */
type StepReader<Kind extends TokenizerStepKind> = (
  json: unknown,
  context: Pick<z.RefinementCtx, 'issues'>,
) => TokenizerSteps[Kind]

const REGISTRIES: {
  [Kind in TokenizerStepKind]: Registry<StepReader<Kind> & { readsTables: boolean }>
} = {
  normalizer: new Registry('normalizer'),
  pre_tokenizer: new Registry('pre-tokenizer'),
  model: new Registry('tokenizer model'),
  post_processor: new Registry('post-processor'),
  decoder: new Registry('decoder'),
}

function registryOf<Kind extends TokenizerStepKind>(kind: Kind): Registry<StepReader<Kind>> {
  if (Object.hasOwn(REGISTRIES, kind)) return REGISTRIES[kind]
  throw unknownName('kind of tokenizer step', kind, Object.keys(REGISTRIES))
}

function nounOf(kind: TokenizerStepKind): string {
  return kind === 'model' ? 'tokenizer model' : kind.replace('_', '-')
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
