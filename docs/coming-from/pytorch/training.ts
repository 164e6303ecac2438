import { type Row, row, type Section } from './row.ts'

/** Three steps of an optimiser on `model`; then its weight. */
const THREE_STEPS = {
  torch: `for _ in range(3):
    opt.zero_grad()
    F.mse_loss(model(x), y[:, :2]).backward()
    opt.step()
model.weight`,
  heed: `for (let step = 0; step < 3; step++) {
  F.mseLoss(model.forward(x), y.slice(null, [0, 2])).backward()
  await opt.step()
}
model.weight`,
}

/** The learning rates of the first ten steps. */
const TEN_RATES = {
  torch: `rates = []
for _ in range(10):
    rates.append(opt.param_groups[0]["lr"])
    opt.step()
    sched.step()
rates`,
  heed: `const rates: number[] = []
for (let step = 0; step < 10; step++) {
  rates.push(opt.groups[0].lr)
  sched.step()
}
rates`,
}

const optimizer = (torch: string, heed: string, note?: string): Row => ({ torch: `opt = ${torch}`, heed: `const opt = ${heed}`, note, check: THREE_STEPS }) // biome-ignore format: one line

const schedule = (torch: string, heed: string, note?: string): Row => ({ torch: `sched = torch.optim.lr_scheduler.${torch}`, heed: `const sched = new LRScheduler(opt, ${heed})`, note, check: TEN_RATES }) // biome-ignore format: one line

/** Random values: only that the parameter has changed to values of the right size is compared. */
const initial = (torch: string, heed: string): Row => ({
  torch,
  heed,
  check: { torch: 'bool((layer.weight.abs() < 3).all())', heed: 'const small = await layer.weight.abs().lt(3).all().item()\nsmall === 1' }, // biome-ignore format: one line
})

export const training: readonly Section[] = [
  {
    title: 'Initialisation',
    text: 'The functions of `init` return tensors and change nothing: assign them to a parameter, or pass them to `new Parameter`. Layers start with the values of PyTorch’s layers.',
    setup: { torch: 'layer = nn.Linear(3, 4)', heed: 'const layer = new Linear(3, 4)' },
    rows: [
      { torch: 'nn.init.zeros_(layer.bias)', heed: 'layer.bias?.assign(0)', check: { torch: 'layer.bias', heed: 'layer.bias' } }, // biome-ignore format: one line
      { torch: 'nn.init.constant_(layer.weight, 0.5)', heed: 'layer.weight.assign(0.5)', check: { torch: 'layer.weight', heed: 'layer.weight' } }, // biome-ignore format: one line
      initial('nn.init.normal_(layer.weight, std=0.02)', 'layer.weight.assign(init.normal([4, 3], 0.02))'), // biome-ignore format: one line
      initial('nn.init.uniform_(layer.weight, -0.1, 0.1)', 'layer.weight.assign(init.uniform([4, 3], -0.1, 0.1))'), // biome-ignore format: one line
      initial('nn.init.trunc_normal_(layer.weight, std=0.02)', 'layer.weight.assign(init.truncNormal([4, 3], 0.02))'), // biome-ignore format: one line
      initial('nn.init.xavier_uniform_(layer.weight)', 'layer.weight.assign(init.xavierUniform([4, 3]))'), // biome-ignore format: one line
      initial('nn.init.kaiming_normal_(layer.weight)', 'layer.weight.assign(init.kaimingNormal([4, 3]))'), // biome-ignore format: one line
      { torch: 'nn.init.orthogonal_(layer.weight)', heed: '// no orthogonal values', note: 'Use `init.xavierNormal`, or assign values that you have computed.', expected: null, absent: ['orthogonal'] }, // biome-ignore format: one line
      {
        torch: `class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)
    def forward(self, x):
        return self.fc(x)

def init_weights(module):
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.weight)

net = Net()
net.apply(init_weights)
net.fc.weight`,
        heed: `class Net extends Module {
  fc = new Linear(3, 4)

  forward(x: Tensor): Tensor {
    return this.fc.forward(x)
  }
}

const net = new Net()
for (const [, module] of net.namedModules())
  if (module instanceof Linear) module.weight.assign(0)
net.fc.weight`,
        note: 'A loop over `namedModules()` takes the place of `model.apply`:',
        absent: ['apply'],
      },
    ],
  },
  {
    title: 'Optimisers',
    text: 'Options have the names of PyTorch in camelCase, and the same defaults. `step()` is awaited: it runs the forward pass, the backward pass and the update as one program, and clears the gradients.',
    setup: {
      torch: `model = nn.Linear(3, 2)
for p in model.parameters():
    nn.init.constant_(p, 0.1)`,
      heed: `const model = new Linear(3, 2)
for (const p of model.parameters()) p.assign(0.1)`,
    },
    rows: [
      optimizer('torch.optim.SGD(model.parameters(), lr=0.1)', 'new SGD(model.parameters(), { lr: 0.1 })'), // biome-ignore format: one line
      optimizer('torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)', 'new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true })'), // biome-ignore format: one line
      optimizer('torch.optim.Adam(model.parameters(), lr=0.1, betas=(0.9, 0.95))', 'new Adam(model.parameters(), { lr: 0.1, betas: [0.9, 0.95] })'), // biome-ignore format: one line
      optimizer('torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)', 'new AdamW(model.parameters(), { lr: 0.1, weightDecay: 0.1 })'), // biome-ignore format: one line
      optimizer('torch.optim.AdamW([{"params": [model.weight], "lr": 0.01}, {"params": [model.bias]}], lr=0.1)', 'new AdamW([{ params: [model.weight], lr: 0.01 }, { params: model.parameters().slice(1) }], { lr: 0.1 })', '`decayGroups(model, 0.1)` makes the usual two groups: matrices with weight decay, biases and norms without.'), // biome-ignore format: one line
      { torch: 'torch.optim.RMSprop, Adagrad, LBFGS, Muon', heed: '// SGD, Adam, AdamW and Adafactor', note: 'Your own: extend `Optimizer`, and register it with `registerOptimizer`.', expected: null, absent: ['RMSprop', 'Adagrad', 'LBFGS', 'Muon', 'RMSProp'] }, // biome-ignore format: one line
      {
        torch: `opt = torch.optim.SGD(model.parameters(), lr=0.1)
opt.param_groups[0]["lr"] = 0.5`,
        heed: `const opt = new SGD(model.parameters(), { lr: 0.1 })
opt.groups[0].lr = 0.5`,
        note: 'Read at each step: no recompilation.',
        check: THREE_STEPS,
      },
      {
        torch: `opt = torch.optim.SGD(model.parameters(), lr=0.1)
F.mse_loss(model(x), y[:, :2]).backward()
norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)`,
        heed: `const opt = new SGD(model.parameters(), { lr: 0.1 })
F.mseLoss(model.forward(x), y.slice(null, [0, 2])).backward()
const norm = clipGradNorm(model.parameters(), 0.5)`,
        note: 'Or once, as an option: `new SGD(params, { maxGradNorm: 0.5 })`; `opt.gradNorm` is the norm.',
        check: { torch: 'opt.step()\nmodel.weight', heed: 'await opt.step()\nmodel.weight' },
      },
      {
        torch: 'model(x).sum().backward()\nnn.utils.clip_grad_value_(model.parameters(), 0.1)',
        heed: 'model.forward(x).sum().backward()\nfor (const p of model.parameters()) if (p.grad) p.grad = p.grad.clamp(-0.1, 0.1)',
        absent: ['clipGradValue'],
        check: { torch: 'model.weight.grad', heed: 'model.weight.grad' },
      },
      {
        torch: 'ema = [p.detach().clone() for p in model.parameters()]\nfor e, p in zip(ema, model.parameters()):\n    e.mul_(0.9).add_(p.detach(), alpha=0.1)', // biome-ignore format: one line
        heed: 'const ema = model.parameters().map((p) => p.detach().clone())\nmodel.parameters().forEach((p, k) => ema[k].assign(ema[k].mul(0.9).add(p.mul(0.1))))\nawait realize(ema)', // biome-ignore format: one line
        note: 'Call `realize` after each step, so that the averages are computed then.',
        check: { torch: 'ema[0]', heed: 'ema[0]' },
      },
    ],
  },
  {
    title: 'Learning-rate schedules',
    setup: {
      torch: `opt = torch.optim.SGD([nn.Parameter(torch.zeros(3))], lr=0.1)`,
      heed: `const opt = new SGD([new Parameter(zeros([3]))], { lr: 0.1 })`,
    },
    rows: [
      schedule('LambdaLR(opt, lambda step: 0.9 ** step)', '(step) => 0.9 ** step', 'Any function.'), // biome-ignore format: one line
      schedule('StepLR(opt, step_size=3, gamma=0.1)', '(step) => 0.1 ** Math.floor(step / 3)'),
      schedule('CosineAnnealingLR(opt, T_max=20)', 'schedules.cosine({ steps: 20 })', '`end` is the final factor of the rate, not the final rate.'), // biome-ignore format: one line
      schedule('LinearLR(opt, start_factor=1, end_factor=0.5, total_iters=5)', 'schedules.linear({ steps: 5, end: 0.5 })'), // biome-ignore format: one line
      schedule('ExponentialLR(opt, gamma=0.9)', '(step) => 0.9 ** step'),
      { torch: 'transformers.get_cosine_schedule_with_warmup(opt, 4, 10)', heed: 'const sched = new LRScheduler(opt, schedules.cosine({ warmup: 4, steps: 10 }))', check: { torch: '', heed: TEN_RATES.heed }, expected: [0, 1, 2, 3, 4].map((k) => k / 40).concat([1, 2, 3, 4, 5].map((k) => 0.05 * (1 + Math.cos((Math.PI * k) / 6)))) }, // biome-ignore format: one line
      { torch: 'transformers.get_linear_schedule_with_warmup(opt, 4, 10)', heed: 'const sched = new LRScheduler(opt, schedules.linear({ warmup: 4, steps: 10 }))', check: { torch: '', heed: TEN_RATES.heed }, expected: [0, 1, 2, 3, 4].map((k) => k / 40).concat([5, 4, 3, 2, 1].map((k) => k / 60)) }, // biome-ignore format: one line
      { torch: 'sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt)', heed: 'opt.groups[0].lr *= 0.1', note: 'Written in the loop, when the loss has not improved.', expected: null, check: { torch: '', heed: 'null' }, absent: ['ReduceLROnPlateau'] }, // biome-ignore format: one line
      row('opt.param_groups[0]["lr"]', 'opt.groups[0].lr', 'Also in place of `sched.get_last_lr()`.'), // biome-ignore format: one line
    ],
  },
  {
    title: 'Gradients',
    text: '`backward()` computes nothing yet: the step of the optimiser does, or reading a gradient.',
    rows: [
      row('w = torch.tensor([1., 2.], requires_grad=True)\n(w ** 2).sum().backward()\nw.grad', 'const w = new Parameter(tensor([1, 2]))\nw.square().sum().backward()\nw.grad', 'Or `w.requiresGrad = true` on any tensor.'), // biome-ignore format: one line
      row('w = nn.Parameter(torch.ones(2))\nw.requires_grad', 'const w = new Parameter(ones([2]))\nw.requiresGrad'), // biome-ignore format: one line
      row('w = nn.Parameter(torch.ones(2))\n(w * v[:2]).backward(torch.tensor([1., 10.]))\nw.grad', 'const w = new Parameter(ones([2]))\nw.mul(v.narrow(0, 0, 2)).backward(tensor([1, 10]))\nw.grad'), // biome-ignore format: one line
      row('w = nn.Parameter(torch.ones(3))\nfor _ in range(2): (w * v).sum().backward()\nw.grad', 'const w = new Parameter(ones([3]))\nfor (let k = 0; k < 2; k++) w.mul(v).sum().backward()\nw.grad', 'Gradients add up, as in PyTorch.'), // biome-ignore format: one line
      row('w = nn.Parameter(v)\n(w.detach() * w).sum().backward()\nw.grad', 'const w = new Parameter(v)\nw.detach().mul(w).sum().backward()\nw.grad'), // biome-ignore format: one line
      { torch: 'w = nn.Parameter(v)\nwith torch.no_grad():\n    out = w * 2', heed: 'const w = new Parameter(v)\nconst out = noGrad(() => w.mul(2))', note: 'A function, not a context. Rarely needed: nothing is kept for a gradient until `backward()` asks for it.', check: { torch: 'try:\n    out.sum().backward()\n    ok = True\nexcept RuntimeError:\n    ok = False\nok', heed: 'let ok = true\ntry {\n  out.sum().backward()\n} catch {\n  ok = false\n}\nok' } }, // biome-ignore format: one line
      { torch: 'with torch.inference_mode():\n    out = x * 2', heed: 'const out = x.mul(2)', check: { torch: 'out', heed: 'out' }, absent: ['inferenceMode'] }, // biome-ignore format: one line
      row('torch.func.grad(lambda a: (a ** 3).sum())(v)', 'grad((a) => a.pow(3).sum())(v)', 'No `requiresGrad` needed.'), // biome-ignore format: one line
      row('torch.func.grad(torch.func.grad(lambda a: a ** 3))(torch.tensor(2.))', 'grad(grad((a) => a.pow(3)))(tensor(2))', 'Gradients of gradients.'), // biome-ignore format: one line
      row('w = nn.Parameter(v)\ng, = torch.autograd.grad((w ** 2).sum(), w)\ng', 'const { grads } = valueAndGrad((w) => w.square().sum())(v)\ngrads[0]'), // biome-ignore format: one line
      row('torch.autograd.functional.jacobian(lambda a: a ** 2, v)', "const rows = [0, 1, 2].map((k) => grad((a) => a.square().select(0, k))(v))\nstack(rows)", 'One gradient for each output; there is no `vmap`.'), // biome-ignore format: one line
      {
        torch: `class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, dy):
        return dy * 5

w = nn.Parameter(torch.ones(2))
Double.apply(w).sum().backward()
w.grad`,
        heed: `const double = customVjp(
  (x) => x.mul(2),
  (dy) => [dy.mul(5)],
)
const w = new Parameter(ones([2]))
double(w).sum().backward()
w.grad`,
        note: 'A function with its own gradient:',
      },
      row('from torch.utils.checkpoint import checkpoint\nw = nn.Parameter(v)\ncheckpoint(lambda a: a.exp().sin(), w, use_reentrant=False).sum().backward(); w.grad', 'const w = new Parameter(v)\ncheckpoint((a) => a.exp().sin(), w).sum().backward()\nw.grad'), // biome-ignore format: one line
      row('w = nn.Parameter(v)\nw.requires_grad_(False)\nw.requires_grad', 'const w = new Parameter(v)\nw.requiresGrad = false\nw.requiresGrad', '`model.freeze(prefix)` for parts of a model.'), // biome-ignore format: one line
      row('w = nn.Parameter(v); opt = torch.optim.SGD([w], lr=1.)\n(w * 2).sum().backward(); opt.zero_grad()\nw.grad', 'const w = new Parameter(v)\nconst opt = new SGD([w])\nw.mul(2).sum().backward()\nopt.zeroGrad()\nw.grad'), // biome-ignore format: one line
      { torch: 'w.register_hook(lambda g: print(g))', heed: 'const w = new Parameter(v)\nw.mul(v).sum().backward()\nconst g = w.grad', note: 'No hooks on gradients: read or replace `grad` between `backward()` and `step()`.', check: { torch: '', heed: 'g' }, expected: [3, 1, 2], absent: ['registerHook'] }, // biome-ignore format: one line
    ],
  },
  {
    title: 'Data',
    text: 'There is no `Dataset` to extend and no worker to configure: a batch is an object of typed arrays with shapes, and a batch sampler is anything with `batch(step)`. `heed/data` reads rows of files and encodes them in all cores.',
    rows: [
      { torch: 'TensorDataset(x, y); DataLoader(dataset, batch_size=2, shuffle=True)', heed: "const order = await randperm(x.shape[0]).data()\nconst rows = tensor(order.slice(0, 2), { dtype: 'i32' })\nconst batch = [x.take(rows), y.take(rows)]", check: { torch: '', heed: 'batch.map(({ shape }) => shape)' }, expected: [[2, 3], [2, 3]], absent: ['DataLoader', 'TensorDataset'] }, // biome-ignore format: one line
      { torch: 'DataLoader(dataset, batch_size=2, collate_fn=pad)', heed: "const batches = new BucketedBatches({\n  examples: [[1, 2], [3], [4, 5, 6]],\n  length: (ids) => ids.length,\n  batchSize: 2,\n  collate: (list, length) => ({\n    ids: {\n      data: Int32Array.from(list.flatMap((ids) => [...ids, ...Array(length - ids.length).fill(0)])),\n      shape: [list.length, length],\n    },\n  }),\n})\nconst { ids } = await batches.batch(0)\nids.shape[0]", expected: 2, note: 'Batches of examples of similar length, padded by `collate`; an epoch visits each example once:' }, // biome-ignore format: one line
      { torch: 'ix = torch.randint(len(data) - T, (B,))\nxb = torch.stack([data[k : k + T] for k in ix])\nyb = torch.stack([data[k + 1 : k + T + 1] for k in ix])', heed: "const data = TokenDataset.fromIds([0, 1, 2, 3, 4, 5, 6, 7], { vocabSize: 8 })\nconst windows = new RandomWindows(data, { batchSize: 2, contextLength: 4, seed: 1 })\nconst { inputs, targets } = windows.batch(0)\nconst xb = tensor(inputs.data, { shape: inputs.shape })\nconst yb = tensor(targets.data, { shape: targets.shape })\nyb.sub(xb)", expected: [[1, 1, 1, 1], [1, 1, 1, 1]], note: 'Random windows of a long text, nanoGPT’s `get_batch`:' }, // biome-ignore format: one line
      { torch: 'random_split(dataset, [0.9, 0.1])', heed: 'const data = TokenDataset.fromIds(Array(100).fill(1), { vocabSize: 8 })\nconst { train, validation } = data.split({ fraction: 0.1 })', check: { torch: '', heed: 'const sizes = [train.length, validation.length]\nsizes' }, expected: [90, 10] }, // biome-ignore format: one line
      { torch: 'DataLoader(…, num_workers=2, prefetch_factor=2)', heed: 'const data = TokenDataset.fromIds([0, 1, 2, 3, 4, 5], { vocabSize: 8 })\nconst batches = new Prefetch(new RandomWindows(data, { batchSize: 2, contextLength: 3 }), 2)\nconst { inputs } = await batches.batch(0)', check: { torch: '', heed: 'inputs.shape' }, expected: [2, 3], note: 'Batches are prepared while the device computes.' }, // biome-ignore format: one line
      { torch: 'datasets.load_dataset("csv", data_files="a.csv")', heed: "await writeFile('a.csv', 'text,label\\nhello,1\\nbye,0\\n')\nconst source = await openRows('a.csv')\nconst texts: unknown[] = []\nfor await (const row of source.rows()) texts.push(row.values.text)\ntexts", expected: ['hello', 'bye'], note: 'CSV, TSV, JSONL, Parquet, text, images; `hub:owner/name` for the hub:' }, // biome-ignore format: one line
      { torch: 'torchvision.transforms.Resize, RandomCrop …', heed: '// ImageProcessor and the options of image-classification', note: 'See `heed train --task image-classification --help`.', expected: null }, // biome-ignore format: one line
    ],
  },
  {
    title: 'Training loops',
    rows: [
      {
        torch: `torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
opt = torch.optim.AdamW(model.parameters(), lr=0.05)
inputs = torch.tensor([[0., 0.], [0., 1.], [1., 0.], [1., 1.]])
targets = torch.tensor([[0.], [1.], [1.], [0.]])
for step in range(200):
    loss = F.binary_cross_entropy_with_logits(model(inputs), targets)
    opt.zero_grad()
    loss.backward()
    opt.step()
bool(loss < 0.1)`,
        heed: `manualSeed(0)
const model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1))
const opt = new AdamW(model.parameters(), { lr: 0.05 })
const inputs = tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
const targets = tensor([[0], [1], [1], [0]])
let loss = tensor(0)
for (let step = 0; step < 200; step++) {
  loss = F.bceWithLogits(model.forward(inputs), targets)
  loss.backward()
  await opt.step()
}
(await loss.item()) < 0.1`,
        note: 'The loop: no `zero_grad`, and `step()` is awaited. The first step compiles its program, later ones with the same shapes reuse it:',
      },
      {
        torch: `model = nn.Linear(2, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
loss = model(torch.ones(1, 2)).square().mean()
loss.backward()
norm = model.weight.grad.norm()
opt.step()
[loss.ndim, norm.ndim]`,
        heed: `const model = new Linear(2, 1)
const opt = new SGD(model.parameters(), { lr: 0.1 })
const output = model.forward(ones([1, 2]))
const loss = output.square().mean()
loss.backward()
await opt.step({ keep: [output], gradNorm: true })
await output.data()
await loss.item()
const numbers = [loss.rank, opt.gradNorm?.rank]
numbers`,
        note: 'After `step()` the loss can be read at no cost. Any other tensor that depends on the parameters is stale check: read it before, or name it in `keep`:',
      },
      {
        torch: `model = nn.Linear(2, 1)
for p in model.parameters(): nn.init.constant_(p, 0.5)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for batch in torch.arange(8.).reshape(2, 2, 2):
    (model(batch).mean() / 2).backward()
opt.step()
model.weight`,
        heed: `const model = new Linear(2, 1)
for (const p of model.parameters()) p.assign(0.5)
const opt = new SGD(model.parameters(), { lr: 0.1 })
for (const batch of arange(8).reshape(2, 2, 2).to('f32').unbind(0))
  await accumulate(model.forward(batch).mean().div(2))
await opt.step()
model.weight`,
        note: 'Gradient accumulation: `accumulate(loss)` in place of `loss.backward()` takes the memory of one batch:',
      },
      row('model = nn.Dropout(0.5).train()\nmodel.training', 'const model = new Dropout(0.5).train()\nmodel.training', 'Modules start in training, as in PyTorch.'), // biome-ignore format: one line
      row('model = nn.Dropout(0.5).eval()\nmodel.training', 'const model = new Dropout(0.5).eval()\nmodel.training'), // biome-ignore format: one line
      { torch: 'loss.item()', heed: 'await x.mean().item()', expected: -0.5, note: 'Reading computes, and waits for it.' }, // biome-ignore format: one line
      { torch: 'torch.compile(model)', heed: '// every step is compiled', note: 'Programs are kept by graph and shapes. `hold(f)` skips building the graph as well.', expected: null, absent: ['compile'] }, // biome-ignore format: one line
      row('torch.compile(lambda a: a * 2, backend="eager")(v)', 'const twice = hold((a) => [a.mul(2)])\nconst [out] = await twice({ data: new Float32Array([3, 1, 2]), shape: [3] })\nout', 'A held program: typed arrays in, tensors out.'), // biome-ignore format: one line
      { torch: 'GradScaler(), torch.autocast("cuda")', heed: '// everything is f32', note: 'There is no mixed precision yet.', expected: null, absent: ['autocast', 'GradScaler'] }, // biome-ignore format: one line
      { torch: 'DistributedDataParallel(model)', heed: '// one process, all cores', note: 'There is no distributed training. HEED_THREADS sets the number of threads.', expected: null, absent: ['DistributedDataParallel', 'DataParallel'] }, // biome-ignore format: one line
      { torch: 'lightning.Trainer(…).fit(model, loader)', heed: '// Trainer of heed/train, or trainModel with a task', note: '`Trainer` holds the compiled step and reads losses one step later; `trainModel` also does data, evaluation, checkpoints and resuming.', expected: null }, // biome-ignore format: one line
    ],
  },
]
