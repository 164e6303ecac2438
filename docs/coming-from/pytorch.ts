// The table of the page "Coming from PyTorch". test/docs/pytorch.test.ts runs the Heed code of each row and compares it
// with the value of the PyTorch code; `npm run generate:pytorch` writes pytorch.md.
import { models } from './pytorch/models.ts'
import { networks } from './pytorch/networks.ts'
import type { Section } from './pytorch/row.ts'
import { tensors } from './pytorch/tensors.ts'
import { training } from './pytorch/training.ts'

export type { Row, Section } from './pytorch/row.ts'

export const sections: readonly Section[] = [...tensors, ...networks, ...training, ...models]

/** Lines that run before the code of every row. */
export const setup = {
  torch: `import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
x = torch.tensor([[1., -2., 3.], [-4., 5., -6.]])
y = torch.tensor([[0.5, 1., 1.5], [2., 2.5, 3.]])
v = torch.tensor([3., 1., 2.])
i = torch.tensor([2, 0])
mask = x > 0`,
  heed: `const x = tensor([[1, -2, 3], [-4, 5, -6]])
const y = tensor([[0.5, 1, 1.5], [2, 2.5, 3]])
const v = tensor([3, 1, 2])
const i = tensor([2, 0], { dtype: 'i32' })
const mask = x.gt(0)`,
}
