// Saves small models, also in 16 bits and in shards, with their tokenizer and outputs, for scripts/fixtures/check_saved.py:
//
//     node --import ./scripts/typescript/register.mjs scripts/save-sample.ts build/sample

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { manualSeed, tensor } from '../src/index.ts'
import { type CausalLM, fromPretrained, GPT2, savePretrained } from '../src/models/index.ts'
import { trainTokenizer } from '../src/tokenizers/index.ts'

// Letters beyond ASCII, runs of spaces, digits, and the text of a special token.
const TEXT = `It was the best of times,   it was the worst of times: 1775, naïve café — 東京 🙂.
\tIt isn't the end.<|endoftext|>We'll see; they've seen 3.14159 already.\n\n`

const [folder] = process.argv.slice(2)
if (!folder) throw new Error('Name the folder to write')

manualSeed(11)
const tokenizer = trainTokenizer([TEXT.repeat(3)], { type: 'bpe', vocabSize: 320 })
// Much larger than usual, so that logits and attention are far from uniform.
const common = {
  n_positions: 128,
  n_embd: 48,
  n_layer: 3,
  n_head: 4,
  initializer_range: 0.25,
  bos_token_id: null,
  eos_token_id: tokenizer.eosTokenId,
}
const models = {
  tied: new GPT2({ ...common, vocab_size: tokenizer.vocabSize }),
  untied: new GPT2({
    ...common,
    vocab_size: tokenizer.vocabSize + 3,
    n_inner: 100,
    activation_function: 'gelu',
    layer_norm_epsilon: 1e-3,
    scale_attn_by_inverse_layer_idx: true,
    tie_word_embeddings: false,
  }),
}
for (const [name, model] of Object.entries(models)) {
  const path = join(folder, name)
  await savePretrained(model.eval(), path, { tokenizer })
  await writeExpected(model, path)
}
// Rounded first, so that the outputs match the 16-bit weights.
for (const dtype of ['f16', 'bf16'] as const) {
  const path = join(folder, dtype)
  await savePretrained(models.untied, path, { tokenizer, dtype, maxShardBytes: 50_000 })
  await writeExpected(await fromPretrained(path), path)
}

async function writeExpected(model: CausalLM, path: string): Promise<void> {
  const ids = tokenizer.encode(TEXT)
  const logits = model.forward(tensor([ids], { dtype: 'i32' })).squeeze(0)
  const expected = {
    text: TEXT,
    ids,
    decoded: tokenizer.decode(ids),
    logits: await logits.tolist(),
  }
  await writeFile(join(path, 'expected.json'), JSON.stringify(expected))
  console.log(`${path}: ${ids.length} tokens`)
}
