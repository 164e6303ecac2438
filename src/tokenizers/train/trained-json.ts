import {
  type AddedTokenJson,
  type ComponentJson,
  specialToken,
  type TokenizerJson,
} from '../formats/tokenizer-json.ts'

// Makes the tokenizer.json of trained vocabularies and of a vocab.txt. See `byteLevelJson` for GPT-2.

export const BERT_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
export const BERT_NAMES = {
  pad_token: '[PAD]',
  unk_token: '[UNK]',
  cls_token: '[CLS]',
  sep_token: '[SEP]',
  mask_token: '[MASK]',
}
export const T5_TOKENS = ['<pad>', '</s>', '<unk>']
export const T5_NAMES = { pad_token: '<pad>', eos_token: '</s>', unk_token: '<unk>' }

interface Steps {
  normalizer: ComponentJson
  pre_tokenizer: ComponentJson
}

export function bertSteps(
  lowercase: boolean,
  {
    stripAccents = null,
    cutChinese = true,
  }: { stripAccents?: boolean | null; cutChinese?: boolean } = {},
): Steps {
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: cutChinese,
      strip_accents: stripAccents,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
  }
}

/**
 * WordPiece with BERT's template. `names` are the special tokens. Their `ids` may be outside of the vocabulary; special
 * tokens without an id are added when the tokenizer is opened.
 */
export function wordPieceJson(
  vocab: Iterable<readonly [token: string, id: number]>,
  {
    ids,
    names: { cls_token: cls = '[CLS]', sep_token: sep = '[SEP]', unk_token = '[UNK]' },
    added = [],
    steps,
  }: {
    ids: ReadonlyMap<string, number>
    names: Partial<typeof BERT_NAMES>
    added?: AddedTokenJson[]
    steps: Steps
  },
): TokenizerJson {
  const token = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } })
  const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } })
  const single = [token(cls, 0), text('A', 0), token(sep, 0)]
  return {
    ...frame(added),
    ...steps,
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, text('B', 1), token(sep, 1)],
      special_tokens: Object.fromEntries(
        [cls, sep].map((id) => [id, { id, ids: [ids.get(id) ?? 0], tokens: [id] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocab),
    },
  }
}

/** SentencePiece's normaliser, and its words with the preceding space. */
export function sentencePieceSteps(): Steps {
  const spaces = { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'Nmt' }, { type: 'NFKC' }, spaces],
    },
    pre_tokenizer: METASPACE,
  }
}

export function unigramJson(
  pieces: readonly (readonly [string, number])[],
  special: string[],
  steps: Steps,
): TokenizerJson {
  return {
    ...frame(special.map(specialToken)),
    ...steps,
    post_processor: null,
    decoder: METASPACE,
    model: {
      type: 'Unigram',
      unk_id: special.indexOf('<unk>'),
      vocab: [...special.map((token) => [token, 0]), ...pieces],
      byte_fallback: false,
    },
  }
}

const METASPACE = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }

function frame(added_tokens: AddedTokenJson[]) {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens,
  }
}
