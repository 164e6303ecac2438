import type { ComponentJson, TokenizerJson } from '../formats/tokenizer-json.ts'

/** Whether text may be cut between a word and the white space after it without other ids. */
export function cutsAtSpaces(json: TokenizerJson): boolean {
  const { model, normalizer, pre_tokenizer, post_processor } = json
  const split = isPlainByteLevel(pre_tokenizer) && pre_tokenizer.use_regex !== false
  if (!split && !isCharLevel(json)) return false
  if (normalizer || model.fuse_unk) return false
  if (post_processor && post_processor.type !== 'ByteLevel') return false
  return (json.added_tokens ?? []).every(
    ({ content, lstrip, rstrip }) => !lstrip && !rstrip && !/\s/.test(content),
  )
}

/** Every token is one character, and none depends on its neighbours. */
function isCharLevel({ model, normalizer, pre_tokenizer }: TokenizerJson): boolean {
  return (
    model.type === 'BPE' &&
    (model.merges as unknown[]).length === 0 &&
    !model.end_of_word_suffix &&
    !normalizer &&
    !pre_tokenizer
  )
}

function isPlainByteLevel(config: ComponentJson | null | undefined): config is ComponentJson {
  return config?.type === 'ByteLevel' && config.add_prefix_space === false
}
