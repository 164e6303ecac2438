import { isJsonObject } from '../../io/files/json-parse.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { filesOf } from './sentencepiece.ts'
import { readSentencePiece } from './sentencepiece-model.ts'
import { specialToken, type TokenizerConfig, type TokenizerJson } from './tokenizer-json.ts'

/**
 * Converts a SentencePiece model whose ids are in a vocab.json, as in Marian's folders, which have one model per
 * language. Pieces without an id are dropped.
 */
export function marianFiles(
  bytes: Uint8Array,
  vocab: unknown,
  config: TokenizerConfig,
  source: string,
): { json: TokenizerJson; config: TokenizerConfig } {
  const tokens = tokensById(vocab, source)
  const model = readSentencePiece(bytes, source)
  if (model.kind !== 'Unigram')
    throw new HeedError('unsupported', `${source} must be a Unigram model, got ${model.kind}`, {
      remedy: 'Use the source.spm and target.spm of a Marian model.',
    })
  const { json } = filesOf(model, config)
  const settings = { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>', ...config }
  const special = [settings.eos_token, settings.unk_token, settings.pad_token].filter(
    (token): token is string => typeof token === 'string' && tokens.includes(token),
  )
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const scores = new Map(model.pieces.map(({ text, score }) => [text, score]))
  return {
    config: settings,
    json: {
      ...json,
      added_tokens: [
        ...special.map((token) => specialToken(token, tokens.indexOf(token))),
        ...tokens.flatMap((token, id) =>
          isLanguage(token) ? [{ ...specialToken(token, id), special: false }] : [],
        ),
      ],
      post_processor: endedBy(special[0], ids.get(special[0])),
      model: {
        ...json.model,
        unk_id: ids.get('<unk>') ?? null,
        vocab: tokens.map((token) => [token, scores.get(token) ?? NEVER]),
      },
    },
  }
}

/** Whether a token is the target language at the start of a text, such as `>>fra<<`. */
const isLanguage = (token: string): boolean => /^>>.{1,40}<<$/.test(token)

/** Score of tokens of the other language, which this model never produces. */
const NEVER = -1e6

function endedBy(end: string | undefined, id: number | undefined) {
  if (end === undefined) return null
  const after = { SpecialToken: { id: end, type_id: 0 } }
  const text = { Sequence: { id: 'A', type_id: 0 } }
  return {
    type: 'TemplateProcessing',
    single: [text, after],
    pair: [text, { Sequence: { id: 'B', type_id: 0 } }, after],
    special_tokens: { [end]: { id: end, ids: [id], tokens: [end] } },
  }
}

/** @throws HeedError unless the ids are 0, 1, 2 …, without gaps or duplicates */
function tokensById(vocab: unknown, source: string): string[] {
  const entries = isJsonObject(vocab) ? Object.entries(vocab) : []
  const tokens = new Map<number, string>()
  for (const [token, id] of entries) {
    const fits = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < entries.length
    if (!fits || tokens.has(id))
      throw new HeedError(
        'corrupt-file',
        `The ids in the vocab.json of ${source} must be 0 to ${entries.length - 1}, each once, got ${shown(id)} for ${shown(token)}`,
        { key: token, value: id, remedy: REMEDY },
      )
    tokens.set(id, token)
  }
  if (entries.length === 0)
    throw new HeedError(
      'corrupt-file',
      `The vocab.json of ${source} must be an object of tokens and ids, got no tokens`,
      { remedy: REMEDY },
    )
  return entries.map((_, id) => tokens.get(id) ?? '')
}

const REMEDY = 'Copy or download the vocab.json of the model again.'
