// The vocabulary of a new model: what is learnt by default, and the special tokens that a kind of model works with.
import type { SpecialTokenOptions } from '../../tokenizers/index.ts'

export interface TokenizerConventions extends SpecialTokenOptions {
  /** The vocabulary that is learnt by default, as the option `tokenizer` spells it: `bpe:4096`. */
  readonly spec: string
  /** The keys of config.json for a vocabulary. */
  readonly vocabulary: (ids: VocabularyIds) => Readonly<Record<string, unknown>>
}

/** A vocabulary in the words of config.json; a token that it lacks is null. */
export type VocabularyIds = {
  vocab_size: number
  pad_token_id: number | null
  bos_token_id: number | null
  eos_token_id: number | null
}

const END = '<|endoftext|>'

/** One token ends and begins texts, and fills them up. */
export const decoderTokenizer: TokenizerConventions = {
  spec: 'bpe:4096',
  names: { bos_token: END, eos_token: END, pad_token: END },
  vocabulary: (ids) => ids,
}

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

/** Padding comes first: positions are counted from its id. */
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

/** A decoder of this kind starts from padding. */
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

/** The same, with 100 sentinels that stand for the spans which are taken out (Raffel et al., 2020). */
export const t5Tokenizer: TokenizerConventions = {
  ...seq2seqTokenizer,
  additional: Array.from({ length: 100 }, (_, i) => `<extra_id_${i}>`),
}
