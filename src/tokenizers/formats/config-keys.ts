// Keys of tokenizer_config.json in transformers 5.24 and 4.57: Heed reads a key, or it has no effect with some values.
// Everything else causes a warning.
import { type UnreadKeys, unreadKeys } from '../../util/unread-keys.ts'

/** Name of a class without its suffix: `BertTokenizerFast` is `Bert`. */
type Name = string

/** The source of the vocabulary. Settings that a tokenizer.json already contains are not read from the config. */
export type VocabularyFile = 'tokenizer.json' | 'other'

/** Whether Heed reads a key for a class. */
export function isReadKey(key: string, name: Name, file: VocabularyFile): boolean {
  if (READ.has(key) || key.endsWith('_token')) {
    const isSwitch = key === 'add_bos_token' || key === 'add_eos_token'
    return !isSwitch || file === 'other'
  }
  if (BERT.test(name) && BERT_KEYS.has(key)) return true
  if (key === 'add_prefix_space')
    return BYTE_LEVEL.test(name) || (file === 'other' && PREFIXED.test(name))
  if (key === 'legacy') return file === 'other' && name === 'Llama'
  if (key === 'extra_ids') return file === 'other' && (name === 'T5' || name === '')
  return key === 'separate_vocabs' && name === 'Marian'
}

/** Unread keys, with the values that have no effect. */
export function unreadTokenizerKeys(name: Name): UnreadKeys {
  return {
    ...UNREAD,
    ...(!READS_CASE.test(name) && unreadKeys(...BERT_KEYS)),
    ...(Object.hasOwn(UNREAD_OF_CLASS, name) && UNREAD_OF_CLASS[name]),
  }
}

/** Classes that build the normaliser from the config. */
export const BERT =
  /^(Bert|ConvBert|DistilBert|DPR\w+|Electra|Funnel|LayoutLM|Lxmert|MobileBert|MPNet|SqueezeBert)$/
/** Classes that add a space before texts if the config has `add_prefix_space`. */
export const BYTE_LEVEL = /^(Bart|GPT2|LED|Longformer|Mvp|Roberta)$/

/** Classes that do so if there is no tokenizer.json. */
const PREFIXED = /^(Camembert|GPT2|Llama|Qwen2|Roberta|XLMRoberta)$/

const BERT_KEYS = new Set(['do_lower_case', 'strip_accents', 'tokenize_chinese_chars'])
/** Classes that read these keys in transformers and that Heed does not support. */
const READS_CASE =
  /^(Albert|BertJapanese|Cpm|DebertaV2|Flaubert|FNet|FSMT|Herbert|LayoutLMv2|ProphetNet|RemBert|RoCBert|RoFormer|Siglip2?|Speech2Text|Splinter|Tapas|Tipsv2|XLM|XLNet)$/

const READ: ReadonlySet<string> = new Set([
  ...['tokenizer_class', 'model_max_length', 'max_len', 'chat_template', 'fast_tokenizer_files'],
  ...['added_tokens_decoder', 'additional_special_tokens', 'extra_special_tokens'],
  ...['padding_side', 'truncation_side', 'clean_up_tokenization_spaces'],
  'clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output',
])

const UNREAD: UnreadKeys = {
  ...unreadKeys(
    // Metadata of the file
    ...['_commit_hash', '_processor_class', 'auto_map', 'backend', 'files_loaded', 'init_inputs'],
    ...['is_local', 'local_files_only', 'name_or_path', 'processor_class', 'transformers_version'],
    ...['use_fast', 'verbose', 'tokenizer_type', 'trust_remote_code', 'revision', 'token'],
    // Paths of other files
    ...['added_tokens_file', 'merges_file', 'sp_model_file', 'special_tokens_map_file', 'spm_file'],
    ...['chat_template_file', 'source_spm', 'target_spm', 'target_vocab_file', 'tokenizer_file'],
    ...['vocab', 'vocab_file', 'merges', 'from_slow', 'tokenizer_object', 'gguf_file'],
    // Read by the slow tokenizers of transformers 4 only
    ...['do_basic_tokenize', 'never_split', 'spaces_between_special_tokens', 'errors'],
    ...['unk_id', 'spm_precompiled_charsmap', 'do_split_on_punc'],
    // Call arguments that are saved but not used
    ...['max_length', 'stride', 'truncation_strategy', 'pad_to_multiple_of', 'padding_strategy'],
    ...[
      'return_token_type_ids',
      'return_attention_mask',
      'return_tensors',
      'padding',
      'truncation',
    ],
    // Names for Python code, and response formats of chats
    ...['chat_control_tokens', 'response_schema', 'response_template', 'use_default_system_prompt'],
    // Already in tokenizer.json
    ...['add_bos_token', 'add_eos_token', 'legacy', 'add_prefix_space', 'separate_vocabs'],
    // Marian: languages of the two vocabularies
    ...['source_lang', 'target_lang'],
  ),
  model_input_names: [
    ['input_ids', 'attention_mask'],
    ['input_ids', 'token_type_ids', 'attention_mask'],
  ],
  clean_text: [true],
  model_specific_special_tokens: [{}],
  pad_token_type_id: [0],
  suffix_first: [false],
  tokenizer_padding: [],
  tokenizer_truncation: [],
  wordpieces_prefix: ['##'],
  sp_model_kwargs: [{}],
  split_special_tokens: [false],
  fix_mistral_regex: [false],
  trim_offsets: [true],
  extra_ids: [0, 100],
}

const UNREAD_OF_CLASS: Readonly<Record<Name, UnreadKeys>> = {
  Llama: { legacy: [false], add_prefix_space: [true] },
  XLMRoberta: { add_prefix_space: [true] },
  Camembert: { add_prefix_space: [true] },
  GPTNeoX: { add_prefix_space: [false] },
  Qwen2: { add_prefix_space: [false] },
  CodeLlama: { add_prefix_space: [true], legacy: [false] },
}
