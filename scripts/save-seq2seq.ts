// Saves small encoder-decoders with their outputs, for scripts/fixtures/check_saved.py:
//
//     node --import ./scripts/typescript/register.mjs scripts/save-seq2seq.ts build/seq2seq

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { manualSeed, tensor } from '../src/index.ts'
import {
  Marian,
  MarianForCausalLM,
  MT5ForConditionalGeneration,
  type Seq2SeqLM,
  savePretrained,
  T5EncoderModel,
  T5ForConditionalGeneration,
  T5ForQuestionAnswering,
  T5ForSequenceClassification,
  T5ForTokenClassification,
} from '../src/models/index.ts'

const [folder] = process.argv.slice(2)
if (!folder) throw new Error('Name the folder to write')

manualSeed(12)
const t5 = { vocab_size: 50, d_model: 24, d_kv: 5, d_ff: 30, num_layers: 2, num_heads: 4 }
const marian = {
  vocab_size: 50,
  d_model: 24,
  encoder_layers: 2,
  decoder_layers: 1,
  encoder_attention_heads: 4,
  decoder_attention_heads: 3,
  encoder_ffn_dim: 30,
  decoder_ffn_dim: 20,
  max_position_embeddings: 64,
  pad_token_id: 2,
  init_std: 0.5,
}
const models = {
  t5: new T5ForConditionalGeneration({ ...t5, num_decoder_layers: 3 }),
  t5_gated: new T5ForConditionalGeneration({
    ...t5,
    feed_forward_proj: 'gated-gelu',
    tie_word_embeddings: false,
  }),
  mt5: new MT5ForConditionalGeneration(t5),
  marian: new Marian({ ...marian, scale_embedding: true }),
  marian_separate: new Marian({
    ...marian,
    activation_function: 'swish',
    decoder_vocab_size: 40,
    share_encoder_decoder_embeddings: false,
  }),
  marian_untied: new Marian({
    ...marian,
    share_encoder_decoder_embeddings: false,
    tie_word_embeddings: false,
  }),
}
const ids = [[7, 8, 9, 10, 11, 12, 13, 14], [20, 19, 18, 17, 16, 15, 14, 13]] // biome-ignore format: rows
const decoderIds = [[2, 30, 31, 32], [2, 33, 34, 35]] // biome-ignore format: rows
const ints = (rows: number[][]) => tensor(rows, { dtype: 'i32' })
for (const [name, model] of Object.entries(models) as [string, Seq2SeqLM][]) {
  const path = join(folder, name)
  await savePretrained(model.eval(), path)
  const first = await model.forward(ints(ids), ints(decoderIds)).tolist()
  await writeFile(join(path, 'expected.json'), JSON.stringify({ ids, decoderIds, first }))
}
const others = {
  marian_decoder: new MarianForCausalLM(marian),
  t5_encoder: new T5EncoderModel(t5),
  t5_sequence: new T5ForSequenceClassification({ ...t5, num_labels: 3 }),
  t5_token: new T5ForTokenClassification({ ...t5, id2label: { 0: 'a', 1: 'b', 2: 'c' } }),
  t5_question: new T5ForQuestionAnswering(t5),
}
const ended = ids.map((row) => [...row.slice(1), 1])
for (const [name, model] of Object.entries(others)) {
  const path = join(folder, name)
  await savePretrained(model.eval(), path)
  const output = model.forward(ints(ended))
  const first = await ('start' in output ? output.start : output).tolist()
  await writeFile(join(path, 'expected.json'), JSON.stringify({ ids: ended, first }))
}
console.log(`${Object.keys({ ...models, ...others }).length} models in ${folder}`)
