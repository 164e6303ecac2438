import type { RawConfig } from '../io/hub/hf.ts'
import type { Module } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import type { Head, Heads } from './heads/heads.ts'
import { type LoadModelOptions, loadModel, type ModelClass } from './pretrained.ts'
import { BertModel } from './text/bert.ts'
import {
  BertForMaskedLM,
  BertForNextSentencePrediction,
  BertForPreTraining,
  BertForQuestionAnswering,
  BertForSequenceClassification,
  BertForTokenClassification,
} from './text/bert-heads.ts'
import { Bloom, BloomForSequenceClassification } from './text/bloom.ts'
import { DistilBertModel } from './text/distilbert.ts'
import {
  DistilBertForMaskedLM,
  DistilBertForQuestionAnswering,
  DistilBertForSequenceClassification,
  DistilBertForTokenClassification,
} from './text/distilbert-heads.ts'
import { Gemma, GemmaForSequenceClassification } from './text/gemma.ts'
import { GPTNeo, GPTNeoForSequenceClassification } from './text/gpt_neo.ts'
import { GPT2, GPT2ForSequenceClassification } from './text/gpt2.ts'
import { Llama, LlamaForSequenceClassification } from './text/llama.ts'
import { Marian } from './text/marian.ts'
import { Mistral, MistralForSequenceClassification } from './text/mistral.ts'
import { OpenAIGPT, OpenAIGPTForSequenceClassification } from './text/openai-gpt.ts'
import { Qwen2, Qwen2ForSequenceClassification } from './text/qwen2.ts'
import { Qwen3, Qwen3ForSequenceClassification } from './text/qwen3.ts'
import {
  RobertaForMaskedLM,
  RobertaForQuestionAnswering,
  RobertaForSequenceClassification,
  RobertaForTokenClassification,
  RobertaModel,
} from './text/roberta.ts'
import { Seq2SeqRNN } from './text/seq2seq_rnn.ts'
import { T5EncoderModel, T5ForConditionalGeneration } from './text/t5-heads.ts'
import {
  DeiTForImageClassification,
  DeiTForImageClassificationWithTeacher,
  DeiTModel,
} from './vision/deit.ts'
import { ResNetForImageClassification, ResNetModel } from './vision/resnet.ts'
import { ViTForImageClassification, ViTModel } from './vision/vit.ts'
import { ViTHybridForImageClassification, ViTHybridModel } from './vision/vit-hybrid.ts'
import { readModelConfig } from './weight-file.ts'

/** Every class; of those of one `model_type` and head, the first is taken. */
const classes: readonly ModelClass[] = [
  GPT2,
  GPT2ForSequenceClassification,
  OpenAIGPT,
  OpenAIGPTForSequenceClassification,
  GPTNeo,
  GPTNeoForSequenceClassification,
  Bloom,
  BloomForSequenceClassification,
  Llama,
  LlamaForSequenceClassification,
  Mistral,
  MistralForSequenceClassification,
  Qwen2,
  Qwen2ForSequenceClassification,
  Qwen3,
  Qwen3ForSequenceClassification,
  Gemma,
  GemmaForSequenceClassification,
  BertModel,
  BertForMaskedLM,
  BertForPreTraining,
  BertForNextSentencePrediction,
  BertForSequenceClassification,
  BertForTokenClassification,
  BertForQuestionAnswering,
  DistilBertModel,
  DistilBertForMaskedLM,
  DistilBertForQuestionAnswering,
  DistilBertForSequenceClassification,
  DistilBertForTokenClassification,
  RobertaModel,
  RobertaForMaskedLM,
  RobertaForQuestionAnswering,
  RobertaForSequenceClassification,
  RobertaForTokenClassification,
  Marian,
  Seq2SeqRNN,
  T5ForConditionalGeneration,
  T5EncoderModel,
  ViTModel,
  ViTForImageClassification,
  DeiTModel,
  DeiTForImageClassification,
  DeiTForImageClassificationWithTeacher,
  ViTHybridModel,
  ViTHybridForImageClassification,
  ResNetModel,
  ResNetForImageClassification,
]

export const modelTypes = (): string[] => [...new Set(classes.map((Model) => Model.modelType))]

/**
 * The class for a `model_type` and what the model is for.
 * @throws HeedError that lists what is known, the most similar first
 */
export function modelClass<H extends Head = 'causal-lm'>(
  modelType: string,
  head: H = 'causal-lm' as H,
): ModelClass<Heads[H]> {
  const family = familyOf(modelType)
  const found = family.find((Model) => Model.head === head)
  if (found) return found as ModelClass<Heads[H]>
  const known = family.map((Model) => `'${Model.head}'`).join(', ')
  throw new HeedError('unsupported', `The model type '${modelType}' has no head '${head}'`, {
    remedy: `It has ${known}.`,
  })
}

/** What models of the type can be for. @throws HeedError that lists the types that are known */
export const headsOf = (modelType: string): Head[] => familyOf(modelType).map((Model) => Model.head)

/** What the model of a folder is for, as `architectures` of its config says: by default the first. */
export function headOf({ model_type, architectures }: RawConfig): Head {
  const family = familyOf(model_type)
  return (family.find((Model) => isNamed(Model, architectures)) ?? family[0]).head
}

/**
 * The model of a Hugging Face folder or a GGUF file, with its weights. Of a checkpoint with another head, the weights
 * below that are taken, and the new head starts anew: `onNew` is told its names.
 */
export async function fromPretrained<H extends Head = 'causal-lm'>(
  dir: string,
  head: H = 'causal-lm' as H,
  options: LoadModelOptions = {},
): Promise<Heads[H]> {
  const config = await readModelConfig(dir)
  const Model = classOf(config, head)
  return (await loadModel<Module>(Model, config, dir, options)) as Heads[H]
}

/** The class that a config names where it has this head, otherwise the first that has. */
function classOf(config: RawConfig, head: Head): ModelClass {
  const first = modelClass(config.model_type, head) as ModelClass
  const named = familyOf(config.model_type).find((Model) => isNamed(Model, config.architectures))
  return named?.head === head ? named : first
}

const isNamed = (Model: ModelClass, architectures: unknown): boolean =>
  Array.isArray(architectures) && Model.architectures.some((name) => architectures.includes(name))

function familyOf(modelType: string): readonly ModelClass[] {
  const family = classes.filter((Model) => Model.modelType === modelType)
  if (family.length > 0) return family
  const known = nearestFirst(modelType, modelTypes()).join(', ')
  throw new HeedError('unknown-name', `The model type '${modelType.slice(0, 80)}' is not known`, {
    remedy: `Known: ${known}.`,
  })
}
