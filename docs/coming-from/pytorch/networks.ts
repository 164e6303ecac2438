import { type Row, row, type Section } from './row.ts'

/** Python lines that give layers the weights of `tensor`s: layers start with random weights. */
const filled = (layer: string): string =>
  `layer = ${layer}\nfor p in layer.parameters(): nn.init.constant_(p, 0.1)`

const fill = (layer: string): string =>
  `const layer = ${layer}\nfor (const p of layer.parameters()) p.assign(0.1)`

/** A layer whose weights are all 0.1, applied to `input`. */
function layer(
  torch: string,
  heed: string,
  [torchInput, heedInput]: [string, string],
  note?: string,
): Row {
  return {
    torch,
    heed,
    note,
    check: {
      torch: `${filled(torch)}\nlayer(${torchInput})`,
      heed: `${fill(heed)}\nlayer.forward(${heedInput})`,
    },
  }
}

const X: [string, string] = ['x', 'x']
const IMAGE: [string, string] = [
  'torch.arange(32.).reshape(1, 2, 4, 4) / 10',
  'arange(32).reshape(1, 2, 4, 4).div(10)',
]
const SEQUENCE: [string, string] = ['x[None].mT', 'x.unsqueeze(0).mT'] // (1, 3, 2)

function recurrent(torch: string, heed: string, note?: string): Row {
  const check = {
    torch: `${filled(torch)}\nlayer(x[None].mT)[0]`,
    heed: `${fill(heed)}\nconst { output } = layer.forward(x.unsqueeze(0).mT)\noutput`,
  }
  return { torch, heed, note, check }
}

export const networks: readonly Section[] = [
  {
    title: 'Functions of torch.nn.functional',
    text: 'Activations are methods; everything else is in `F`. `F.relu(x)` throws an error that names `x.relu()`.',
    setup: {
      torch: `images = torch.arange(32.).reshape(1, 2, 4, 4) / 10
kernel = torch.ones(3, 2, 2, 2)
q = torch.arange(12.).reshape(1, 2, 3, 2) / 10`,
      heed: `const images = arange(32).reshape(1, 2, 4, 4).div(10)
const kernel = ones([3, 2, 2, 2])
const q = arange(12).reshape(1, 2, 3, 2).div(10)`,
    },
    rows: [
      row('F.relu(x)', 'x.relu()'),
      row('F.gelu(x)', 'x.gelu()', "`x.gelu('tanh')` is the approximation of GPT-2."),
      row(
        'F.silu(x)',
        'x.silu()',
        'Also `mish`, `hardswish`, `softplus`, `elu`, `leakyRelu`, `logSigmoid`.',
      ),
      row('torch.sigmoid(x)', 'x.sigmoid()'),
      row('torch.tanh(x)', 'x.tanh()'),
      row('F.leaky_relu(x, 0.1)', 'x.leakyRelu(0.1)'),
      row('F.relu6(x)', 'x.clamp(0, 6)'),
      row('F.glu(images, dim=1)', 'F.glu(images, 1)'),
      row('F.softmax(x, dim=-1)', 'x.softmax()', 'The default axis is the last one.'),
      row('F.log_softmax(x, dim=0)', 'x.logSoftmax(0)'),
      row('F.linear(x, y)', 'F.linear(x, y)', 'The weight is `(out, in)`, as in PyTorch.'),
      row('F.embedding(i, torch.eye(3))', 'F.embedding(i, eye(3))'),
      row('F.layer_norm(x, (3,))', 'F.layerNorm(x)', 'Over the last axis.'),
      row('F.rms_norm(x, (3,), eps=1e-6)', 'F.rmsNorm(x)'),
      row('F.group_norm(images, 2)', 'F.groupNorm(images, 2)'),
      row(
        'F.conv2d(images, kernel, padding=1)',
        'F.conv2d(images, kernel, null, { padding: 1 })',
        'Also `conv1d`, `convTranspose1d`, `convTranspose2d`.',
      ),
      row('F.max_pool2d(images, 2)', 'F.maxPool2d(images, 2)'),
      row('F.avg_pool2d(images, 2, stride=1)', 'F.avgPool2d(images, 2, { stride: 1 })'),
      row('F.adaptive_avg_pool2d(images, 1)', 'F.adaptiveAvgPool2d(images, 1)'),
      {
        torch: 'F.dropout(x, 0.5, training=True).shape',
        heed: 'F.dropout(x, 0.5).shape',
        note: 'Always drops: call it only in training, or use the layer `Dropout`.',
      },
      row(
        'F.scaled_dot_product_attention(q, q, q)',
        'F.scaledDotProductAttention(q, q, q)',
        '`(B, H, T, D)`; fewer key heads than query heads are allowed.',
      ),
      row(
        'F.scaled_dot_product_attention(q, q, q, is_causal=True)',
        'F.scaledDotProductAttention(q, q, q, { causal: true })',
        'With fewer queries than keys, the queries are the last ones; PyTorch aligns them with the first keys.',
      ),
      row(
        'F.scaled_dot_product_attention(q, q, q, attn_mask=torch.eye(3).bool())',
        "F.scaledDotProductAttention(q, q, q, { mask: eye(3).to('bool') })",
        'A `bool` mask is true where attention is allowed. An `f32` mask is added.',
      ),
      {
        torch: 'F.interpolate(images, scale_factor=2)',
        heed: 'images.repeatInterleave(2, 2).repeatInterleave(2, 3)',
        note: 'Nearest neighbours only.',
        absent: ['interpolate'],
      },
    ],
  },
  {
    title: 'Layers',
    text: 'Layers are called with `forward`, which returns a tensor without computing it. Options are objects.',
    rows: [
      layer('nn.Linear(3, 4)', 'new Linear(3, 4)', X),
      layer('nn.Linear(3, 4, bias=False)', 'new Linear(3, 4, { bias: false })', X),
      layer(
        'nn.Embedding(10, 4)',
        'new Embedding(10, 4)',
        ['i', 'i'],
        '`{ paddingIndex }` for `padding_idx`.',
      ),
      layer('nn.LayerNorm(3)', 'new LayerNorm(3)', X, '`eps` is the second argument.'),
      layer('nn.RMSNorm(3, eps=1e-6)', 'new RMSNorm(3, 1e-6)', X),
      layer('nn.BatchNorm1d(3)', 'new BatchNorm1d(3)', X),
      layer('nn.GroupNorm(2, 2)', 'new GroupNorm(2, 2)', IMAGE),
      layer('nn.Conv2d(2, 3, 3, padding=1)', 'new Conv2d(2, 3, 3, { padding: 1 })', IMAGE),
      layer(
        'nn.Conv1d(3, 4, 2)',
        'new Conv1d(3, 4, 2)',
        SEQUENCE,
        "`Conv1D`, with a capital D, is GPT-2's linear layer.",
      ),
      layer(
        'nn.ConvTranspose2d(2, 3, 2, stride=2)',
        'new ConvTranspose2d(2, 3, 2, { stride: 2 })',
        IMAGE,
      ),
      {
        torch: 'nn.MaxPool2d(2)',
        heed: 'new MaxPool2d(2)',
        check: {
          torch: `nn.MaxPool2d(2)(${IMAGE[0]})`,
          heed: `new MaxPool2d(2).forward(${IMAGE[1]})`,
        },
      },
      {
        torch: 'nn.Flatten()',
        heed: 'new Flatten()',
        check: { torch: `nn.Flatten()(${IMAGE[0]})`, heed: `new Flatten().forward(${IMAGE[1]})` },
      },
      { torch: 'nn.Dropout(0.1).eval()(x)', heed: 'new Dropout(0.1).eval().forward(x)' },
      {
        torch: 'nn.GELU()(x)',
        heed: 'new GELU().forward(x)',
        note: 'Also `ReLU`, `SiLU`, `Tanh`, `Sigmoid`, `ELU`, `GLU`, `Softmax` …',
      },
      layer(
        'nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))',
        'new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2))',
        X,
        'Functions are allowed: `(x) => x.relu()`.',
      ),
      row(
        'list(nn.Sequential(nn.Linear(3, 4), nn.ReLU()).state_dict())',
        'Object.keys(new Sequential(new Linear(3, 4), new ReLU()).stateDict())',
        'The names are the same.',
      ),
      recurrent(
        'nn.RNN(2, 4, batch_first=True)',
        'new RNN(2, 4, { batchFirst: true })',
        'As in PyTorch, the first axis is time by default.',
      ),
      recurrent(
        'nn.GRU(2, 4, num_layers=2, batch_first=True)',
        'new GRU(2, 4, { numLayers: 2, batchFirst: true })',
      ),
      recurrent(
        'nn.LSTM(2, 4, batch_first=True, bidirectional=True)',
        'new LSTM(2, 4, { batchFirst: true, bidirectional: true })',
        '`{ output, state }`, where the state is `[h, c]`.',
      ),
      {
        torch: 'nn.GRUCell(3, 4)',
        heed: 'new GRUCell(3, 4)',
        note: 'Returns the state: `[h]`, or `[h, c]` of an `LSTMCell`.',
        check: {
          torch: `${filled('nn.GRUCell(3, 4)')}\nlayer(x)`,
          heed: `${fill('new GRUCell(3, 4)')}\nconst [h] = layer.forward(x)\nh`,
        },
      },
      {
        torch: 'nn.MultiheadAttention(4, 2, batch_first=True)',
        heed: 'new MultiHeadAttention({ embedDim: 4, heads: 2 })',
        note: 'The first axis is the batch by default. `captureAttention` returns the weights.',
        check: {
          torch: `${filled('nn.MultiheadAttention(4, 2, batch_first=True)')}\nz = torch.arange(12.).reshape(1, 3, 4)\nlayer(z, z, z)[0]`,
          heed: `${fill('new MultiHeadAttention({ embedDim: 4, heads: 2 })')}\nconst z = arange(12).reshape(1, 3, 4).to('f32')\nlayer.forward(z, z, z)`,
        },
      },
      {
        torch: 'nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)',
        heed: 'new TransformerEncoderLayer({ embedDim: 4, heads: 2, feedforwardDim: 8 })',
        check: {
          torch: `${filled('nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)')}\nlayer.eval()(torch.arange(12.).reshape(1, 3, 4))`,
          heed: `${fill('new TransformerEncoderLayer({ embedDim: 4, heads: 2, feedforwardDim: 8 })')}\nlayer.eval().forward(arange(12).reshape(1, 3, 4).to('f32'))`,
        },
      },
      {
        torch: 'nn.TransformerDecoderLayer, nn.Transformer',
        heed: '// see heed/models: T5, Marian, GPT2 …',
        note: 'There is no generic decoder layer: write a `Block` from `MultiHeadAttention` or `attention`, or use a model.',
        expected: null,
        absent: ['TransformerDecoderLayer', 'Transformer', 'TransformerEncoder'],
      },
      {
        torch: 'nn.Conv3d, nn.LSTM(proj_size=…), nn.Bilinear, nn.PReLU',
        heed: '// not in Heed',
        expected: null,
        absent: ['Conv3d', 'Bilinear', 'PReLU'],
      },
    ],
  },
  {
    title: 'Losses',
    text: 'As functions in `F`, and as modules in `heed/nn`. Class numbers are the last argument but for options; logits are `(..., V)`, with the classes last.',
    setup: {
      torch: `target = torch.tensor([2, 0])
labels = torch.tensor([[1., 0., 1.], [0., 1., 0.]])`,
      heed: `const target = tensor([2, 0], { dtype: 'i32' })
const labels = tensor([[1, 0, 1], [0, 1, 0]])`,
    },
    rows: [
      row('F.cross_entropy(x, target)', 'F.crossEntropy(x, target)'),
      row(
        'F.cross_entropy(x, target, ignore_index=0, label_smoothing=0.1)',
        'F.crossEntropy(x, target, { ignoreIndex: 0, labelSmoothing: 0.1 })',
      ),
      row(
        'F.cross_entropy(x, target, reduction="none")',
        "F.crossEntropy(x, target, { reduction: 'none' })",
      ),
      row(
        'F.cross_entropy(x[None].mT, target[:1].expand(1, 2))',
        'F.crossEntropy(x.unsqueeze(0), target.narrow(0, 0, 1).expand(1, 2))',
        'Sequences need no `transpose(1, 2)` or `view(-1, V)`: classes are the last axis.',
      ),
      {
        torch: 'F.cross_entropy(x, target, weight=v)',
        heed: "const each = F.crossEntropy(x, target, { reduction: 'none' })\nconst weight = v.take(target)\neach.mul(weight).sum().div(weight.sum())",
        note: 'There is no `weight` of classes.',
      },
      row('F.nll_loss(F.log_softmax(x, dim=-1), target)', 'F.nllLoss(x.logSoftmax(), target)'),
      row('F.mse_loss(x, y)', 'F.mseLoss(x, y)'),
      row('nn.MSELoss(reduction="sum")(x, y)', "new MSELoss({ reduction: 'sum' }).forward(x, y)"),
      row('F.l1_loss(x, y)', 'F.l1Loss(x, y)'),
      row('F.smooth_l1_loss(x, y)', 'F.smoothL1Loss(x, y)'),
      row('F.huber_loss(x, y, delta=2.)', 'F.huberLoss(x, y, { delta: 2 })'),
      row('F.binary_cross_entropy_with_logits(x, labels)', 'F.bceWithLogits(x, labels)'),
      {
        torch: 'F.binary_cross_entropy(torch.sigmoid(x), labels)',
        heed: 'F.bceWithLogits(x, labels)',
        note: 'Give the logits: the form with probabilities loses precision.',
        absent: ['binaryCrossEntropy'],
      },
      row(
        'F.kl_div(F.log_softmax(x, -1), F.softmax(y, -1), reduction="batchmean")',
        "F.klDiv(x.logSoftmax(), y.softmax(), 'batchmean')",
      ),
      row('F.triplet_margin_loss(x, y, -y)', 'F.tripletMarginLoss(x, y, y.neg())'),
      row(
        'nn.CrossEntropyLoss(ignore_index=-1)(x, target)',
        'new CrossEntropyLoss({ ignoreIndex: -1 }).forward(x, target)',
      ),
    ],
  },
]
