// The tokenizer of a new model: default vocabulary and special tokens, by kind of model.
import type { SpecialTokenOptions } from '../../tokenizers/index.ts'

/** Vocabulary and special tokens of new models of one kind. */
export interface TokenizerConventions extends SpecialTokenOptions {
  /** Default vocabulary, as in the option `tokenizer`: `bpe:4096`. */
  readonly spec: string
  /** Returns the config keys for a vocabulary. */
  readonly vocabulary: (ids: VocabularyIds) => Readonly<Record<string, unknown>>
}

/** A vocabulary with the keys of config.json. Ids of missing tokens are null. */
export type VocabularyIds = {
  vocab_size: number
  pad_token_id: number | null
  bos_token_id: number | null
  eos_token_id: number | null
}

const END = '<|endoftext|>'

/** Tokenizer of decoders. One token starts, ends and pads texts. */
export const decoderTokenizer: TokenizerConventions = {
  spec: 'bpe:4096',
  names: { bos_token: END, eos_token: END, pad_token: END },
  vocabulary: (ids) => ids,
}

/** Tokenizer of BERT-like models. */
export const bertTokenizer: TokenizerConventions = {
  spec: 'wordpiece:4096',
  names: {
    pad_token: '[PAD]',
    unk_token: '[UNK]',
    cls_token: '[CLS]',
    sep_token: '[SEP]',
    mask_token: '[MASK]',
  },
  template: { single: '[CLS] $A [SEP]', pair: '[CLS] $A [SEP] $B:1 [SEP]:1' },
  vocabulary: (ids) => ids,
}

/** Tokenizer of RoBERTa-like models. The padding token has the first id, because positions start after it. */
export const robertaTokenizer: TokenizerConventions = {
  spec: 'bpe:4096',
  names: {
    pad_token: '<pad>',
    bos_token: '<s>',
    cls_token: '<s>',
    eos_token: '</s>',
    sep_token: '</s>',
    unk_token: '<unk>',
    mask_token: '<mask>',
  },
  template: { single: '<s> $A </s>', pair: '<s> $A </s> </s> $B </s>' },
  vocabulary: (ids) => ids,
}

/** Tokenizer of encoder-decoder models. The decoder starts with the padding token. */
export const seq2seqTokenizer: TokenizerConventions = {
  spec: 'unigram:4096',
  names: { pad_token: '<pad>', eos_token: '</s>', unk_token: '<unk>' },
  template: { single: '$A </s>', pair: '$A $B </s>' },
  vocabulary: (ids) => ({
    ...ids,
    decoder_start_token_id: ids.pad_token_id,
    forced_eos_token_id: ids.eos_token_id,
  }),
}

/** `seq2seqTokenizer` with T5's 100 sentinel tokens, which replace masked spans (Raffel et al., 2020). */
export const t5Tokenizer: TokenizerConventions = {
  ...seq2seqTokenizer,
  additional: Array.from({ length: 100 }, (_, i) => `<extra_id_${i}>`),
}
