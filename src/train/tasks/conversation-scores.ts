// Scores of the counted tokens of conversations, for evaluation and reports.
import type { CausalLM } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { type Batching, runExamples } from '../../pipelines/run-examples.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import type { ShownPiece, Task } from '../task.ts'
import { type Conversation, isCounted } from './conversation.ts'
import { tokenTexts } from './token-texts.ts'

/** The logits of a batch of conversations. */
export const logitsOf = (model: CausalLM, { inputs, attention_mask }: BatchTensors): Tensor =>
  model.forward(inputs, { attentionMask: attention_mask })

/** The loss of each token (B, T); 0 where it is not counted. */
export const lossesOf = (logits: Tensor, { targets }: BatchTensors): Tensor =>
  F.crossEntropy(logits, targets, { reduction: 'none' })

/** The loss of each counted token of examples, for tasks on conversations. */
export function lossPieces<E>(
  task: Batching<E> & Required<Pick<Task<E>, 'tokensOf'>>,
  model: CausalLM,
  examples: readonly E[],
): Promise<ShownPiece[][]> {
  return runExamples(examples, {
    batching: task,
    model,
    batchSize: 16,
    forward: (batch) => [lossesOf(logitsOf(model, batch), batch)],
    read: ([losses], row, example, length) =>
      task
        .tokensOf(example)
        .map(({ text, counted }, i) =>
          counted ? { text, loss: losses[row * length + i - 1] } : { text },
        ),
  })
}

/** The tokens of a conversation as text, and whether the loss counts them. */
export function shownTokens(
  tokenizer: Tokenizer,
  { ids, targets }: Pick<Conversation, 'ids' | 'targets'>,
): { text: string; counted: boolean }[] {
  const all = [...ids, ...targets.slice(-1).filter(isCounted)]
  const texts = tokenTexts(tokenizer, all)
  return texts.map((text, i) => ({ text, counted: i > 0 && isCounted(targets[i - 1]) }))
}
