// Selects the tokenizer class like AutoTokenizer of transformers 5.24. The class determines which settings of
// tokenizer_config.json apply.
import type { TokenizerConfig } from './tokenizer-json.ts'

/** Keys of config.json about the tokenizer. */
export interface ModelSettings {
  model_type?: unknown
  tokenizer_class?: unknown
}

/** The class that uses tokenizer.json unchanged. */
export const BACKEND = 'TokenizersBackend'

/**
 * The class named by the tokenizer config, by config.json, or the default class of its `model_type`. Some families
 * ignore the named class, because published folders have wrong names.
 */
export function autoClass(
  { tokenizer_class: named }: TokenizerConfig,
  model: ModelSettings,
): string | undefined {
  const own = named || textOf(model.tokenizer_class) || undefined
  const type = textOf(model.model_type)
  if (BACKEND_TYPES.has(type)) return BACKEND
  const usual = Object.hasOwn(CLASS_OF_TYPE, type) ? CLASS_OF_TYPE[type] : undefined
  return usual !== undefined && WRONGLY_NAMED.has(type) ? usual : (own ?? usual)
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  BertTokenizer: [
    ...[
      'align',
      'bark',
      'bert',
      'blip',
      'bros',
      'chinese_clip',
      'convbert',
      'distilbert',
      'electra',
    ],
    ...[
      'ernie',
      'flava',
      'git',
      'grounding-dino',
      'layoutlm',
      'megatron-bert',
      'mm-grounding-dino',
    ],
    ...['nezha', 'nomic_bert', 'qdqbert', 'realm', 'retribert', 'squeezebert', 'tvp', 'vilt'],
    'visual_bert',
  ],
  BioGptTokenizer: ['biogpt'],
  CamembertTokenizer: ['camembert'],
  FunnelTokenizer: ['funnel'],
  GemmaTokenizer: [
    ...['diffusion_gemma', 'gemma', 'gemma2', 'gemma3', 'gemma3_text', 'gemma3n', 'gemma3n_text'],
    ...['recurrent_gemma', 'shieldgemma2', 't5gemma', 'zaya'],
  ],
  GPT2Tokenizer: [
    ...['blip-2', 'codegen', 'dbrx', 'emu3', 'gpt2', 'gpt_neo', 'gptj', 'hyperclovax_vision_v2'],
    ...['instructblip', 'instructblipvideo', 'jais2', 'opt', 'phi', 'starcoder2'],
  ],
  GPTNeoXTokenizer: [
    ...['falcon_mamba', 'gpt_neox', 'mamba', 'mamba2', 'mpt', 'olmo', 'olmoe', 'rwkv', 'xlstm'],
  ],
  LlamaTokenizer: ['idefics', 'idefics2'],
  MobileBertTokenizer: ['mobilebert'],
  MPNetTokenizer: ['mpnet'],
  OpenAIGPTTokenizer: ['openai-gpt'],
  Qwen2Tokenizer: [
    ...['audioflamingo3', 'colqwen2', 'cosmos3_omni', 'dots3_note', 'fun_asr_nano', 'hunyuan_vl'],
    ...['internvl', 'moss_transcribe_diarize', 'ovis2', 'qianfan_ocr', 'qwen2', 'qwen2_5_omni'],
    ...['qwen2_5_vl', 'qwen2_audio', 'qwen2_moe', 'qwen2_vl', 'qwen3', 'qwen3_asr', 'qwen3_moe'],
    ...['qwen3_next', 'qwen3_omni_moe', 'qwen3_vl', 'qwen3_vl_moe'],
  ],
  RobertaTokenizer: [
    ...[
      'bart',
      'bridgetower',
      'clap',
      'data2vec-text',
      'ibert',
      'lilt',
      'longformer',
      'mega',
      'mra',
    ],
    ...['roberta', 'roberta-prelayernorm'],
  ],
  T5Tokenizer: ['mt5', 'musicgen', 'musicgen_melody', 'switch_transformers', 't5'],
  XLMRobertaTokenizer: [
    ...['gte', 'jina_embeddings_v3', 'metaclip_2', 'trocr', 'xlm-roberta', 'xmod'],
  ],
}

const CLASS_OF_TYPE: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(CLASSES).flatMap(([name, types]) => types.map((type) => [type, name])),
)

/** Families that always use their default class. */
const WRONGLY_NAMED: ReadonlySet<string> = new Set(['hyperclovax_vision_v2', 'qwen2'])

/** Families that always use tokenizer.json unchanged. */
const BACKEND_TYPES: ReadonlySet<string> = new Set([
  ...['EvollaModel', 'arctic', 'aria', 'beam', 'bigbird_pegasus', 'camembertv2-base'],
  ...['canary', 'chatlm', 'cohere_asr', 'ernie4_5', 'ernie4_5_moe', 'flex_olmo', 'fuyu'],
  ...['glm', 'glm4', 'glm4_moe', 'glm4_moe_lite', 'glm4v', 'glm4v_moe', 'glm_image'],
  ...['glmasr', 'got_ocr2', 'gpt_bigcode', 'gradium_phonon_tts', 'granite', 'granitemoe'],
  ...['granitemoehybrid', 'granitemoeshared', 'h2ovl_chat', 'hyperclovax', 'hyperclovax_vlm'],
  ...['internlm2', 'internlm3', 'iquestcoder', 'jamba', 'kimi_k25', 'kimi_linear'],
  ...['kosmos-2', 'llava', 'llava_next', 'mimo_v2_flash', 'minicpm3', 'minicpm_ocr'],
  ...['minicpmv', 'minicpmv4_6', 'minicpmv4_7', 'minimax_m2', 'ministral', 'ministral3'],
  ...['mistral', 'mistral3', 'mistral_large4', 'mixtral', 'modernbert', 'modernbert-decoder'],
  ...['molmo', 'molmo2', 'nemo_speechlm', 'nemotron', 'nvfp4', 'nystromformer', 'olmo2'],
  ...['olmo3', 'olmo_hybrid', 'omniasr', 'opencua', 'openvla', 'paddleocr_vl', 'pegasus_x'],
  ...['persimmon', 'phi3', 'phi3_v', 'phimoe', 'pix2struct', 'pixtral', 'pocket_tts'],
  ...['smolvlm', 'stablelm', 'step3_vl', 'umt5', 'vipllava', 'voxtral', 'voxtral_realtime'],
  ...['xlm-roberta-xl'],
])
