import { type Row, row, type Section } from './row.ts'

/** A tiny GPT-2 with a tokenizer, saved in the folder `gpt`. */
const SAVED = {
  torch: '',
  heed: `const tokenizer = trainTokenizer(['hello world, hello there'], { type: 'char' })
const size = { vocab_size: tokenizer.vocabSize, n_positions: 16, n_embd: 8, n_layer: 1, n_head: 2 }
await savePretrained(new GPT2(size), 'gpt', { tokenizer })`,
}

/** A row whose PyTorch code needs transformers and a downloaded model. */
const huggingFace = (torch: string, heed: string, expected: unknown, note?: string): Row => ({ torch, heed, note, expected }) // biome-ignore format: one line

export const models: readonly Section[] = [
  {
    title: 'Modules',
    text: 'Fields are submodules, parameters and buffers; there is nothing to register. The path of fields is the key in a checkpoint, so fields keep the spelling of the checkpoint (`c_attn`, `q_proj`).',
    setup: {
      torch: `class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 2)])
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("steps", torch.zeros(1))
    def forward(self, x):
        for layer in self.layers:
            x = layer(x).relu()
        return x * self.scale

net = Net()
for p in net.parameters():
    nn.init.constant_(p, 0.1)`,
      heed: `class Net extends Module {
  layers = [new Linear(3, 3), new Linear(3, 2)]
  scale = new Parameter(ones([1]))
  steps = new ModuleBuffer(zeros([1]))

  forward(x: Tensor): Tensor {
    for (const layer of this.layers) x = layer.forward(x).relu()
    return x.mul(this.scale)
  }
}

const net = new Net()
for (const p of net.parameters()) p.assign(0.1)`,
    },
    rows: [
      row('net(x)', 'net.forward(x)'),
      row('nn.ModuleList([nn.Linear(3, 3)])[0].weight.shape', 'const layers = [new Linear(3, 3)]\nlayers[0].weight.shape', 'An array, in a field.'), // biome-ignore format: one line
      row('nn.ModuleDict({"a": nn.Linear(3, 3)})["a"].weight.shape', 'const layers = { a: new Linear(3, 3) }\nlayers.a.weight.shape', 'A plain object, in a field.'), // biome-ignore format: one line
      row('net.register_buffer("mean", torch.zeros(2))\nnet.mean', 'const mean = new ModuleBuffer(zeros([2]))\nmean', 'A field that holds a `ModuleBuffer`, as `steps` above.'), // biome-ignore format: one line
      row('net.steps += 1\nnet.steps', 'net.steps.assign(net.steps.add(1))\nnet.steps'),
      row('sorted(net.state_dict())', 'Object.keys(net.stateDict()).sort()', 'The same keys.'),
      row('sorted(name for name, _ in net.named_parameters())', 'net.namedParameters().map(([name]) => name).sort()'), // biome-ignore format: one line
      row('[name for name, _ in net.named_buffers()]', 'net.namedBuffers().map(([name]) => name)'),
      row('sum(p.numel() for p in net.parameters())', 'net.parameters().reduce((n, p) => n + p.size, 0)', '`countModel` and `heed inspect` for models with a config.'), // biome-ignore format: one line
      row('net.get_submodule("layers.1").weight', "const last = net.getModule('layers.1') as Linear\nlast.weight"), // biome-ignore format: one line
      row('for p in net.layers[0].parameters(): p.requires_grad_(False)\n[n for n, p in net.named_parameters() if p.requires_grad and n != "scale"]', "net.freeze('layers.0')\nconst left = net.namedParameters().filter(([name, p]) => p.requiresGrad && name !== 'scale')\nleft.map(([name]) => name)"), // biome-ignore format: one line
      row('shapes = []\nhook = net.layers[0].register_forward_hook(lambda m, args, out: shapes.append(list(out.shape)))\nnet(x); hook.remove(); shapes', "const shapes: (readonly number[])[] = []\nconst remove = net.hook('layers.0', (module, inputs, output) => void shapes.push(output.shape))\nnet.forward(x)\nremove()\nshapes", 'A hook that returns a tensor replaces the output.'), // biome-ignore format: one line
      { torch: 'acts = create_feature_extractor(net, ["layers.0"])(x)', heed: "const { activations } = captureActivations(net, ['layers.0'], () => net.forward(x))\nactivations.get('layers.0')", expected: [[0.3, 0.3, 0.3], [-0.4, -0.4, -0.4]], note: '`captureAttention` returns the attention weights of every layer.' }, // biome-ignore format: one line
      row('tied = nn.Linear(3, 10, bias=False)\nemb = nn.Embedding(10, 3); tied.weight = emb.weight\ntied.weight is emb.weight', 'const emb = new Embedding(10, 3)\nconst tied = new Linear(3, 10, { bias: false, weight: emb.weight })\ntied.weight === emb.weight', 'Shared weights: the same `Parameter` in two fields.'), // biome-ignore format: one line
      { torch: 'copy.deepcopy(net)', heed: 'const copy = new Net().loadStateDict(net.stateDict())', check: { torch: '', heed: 'copy.layers[1].weight' }, expected: [[0.1, 0.1, 0.1], [0.1, 0.1, 0.1]] }, // biome-ignore format: one line
    ],
  },
  {
    title: 'Saving and loading',
    text: 'Files are `.safetensors`. PyTorch reads what Heed writes with `safetensors.torch.load_file`, under the same keys.',
    setup: { torch: 'net = nn.Linear(3, 2)', heed: 'const net = new Linear(3, 2)\nconst opt = new AdamW(net.parameters())' }, // biome-ignore format: one line
    rows: [
      { torch: 'torch.save(net.state_dict(), "net.pt")', heed: "await saveModel('net.safetensors', net)", expected: null }, // biome-ignore format: one line
      { torch: 'net.load_state_dict(torch.load("net.pt"))', heed: "await saveModel('net.safetensors', net)\nconst copy = await loadModel('net.safetensors', new Linear(3, 2))", check: { torch: '', heed: 'await copy.weight.equal(net.weight)' }, expected: true }, // biome-ignore format: one line
      { torch: 'torch.save({"model": net.state_dict(), "opt": opt.state_dict()}, "all.pt")', heed: "net.forward(x).mean().backward()\nawait opt.step()\nawait saveModel('all.safetensors', net, opt)", note: '`loadModel(path, net, opt)` restores both; save the step and `defaultGenerator().getState()` next to it.', expected: null }, // biome-ignore format: one line
      { torch: 'net.load_state_dict(state, strict=False)', heed: 'net.loadStateDict({ weight: zeros([2, 3]) }, { strict: false })', note: 'Without it, one error lists all keys that are missing, unexpected or of another shape.', check: { torch: '', heed: 'net.weight' }, expected: [[0, 0, 0], [0, 0, 0]] }, // biome-ignore format: one line
      { torch: 'safetensors.torch.load_file("net.safetensors")', heed: "await saveModel('net.safetensors', net)\nconst file = await openSafetensors('net.safetensors')\nconst names = [...file.names].sort()\nawait file.close()\nnames", note: '`await net.loadStateDict(file)` loads them one after the other.', expected: ['bias', 'weight'] }, // biome-ignore format: one line
      { torch: 'torch.load("model.pt")', heed: '// heed convert FOLDER OUT; fromPretrained opens pytorch_model.bin', note: 'Files of `torch.save` are read where a model folder has them, without running their pickle code.', expected: null }, // biome-ignore format: one line
      { torch: 'torch.onnx.export(net, …), torch.jit.script(net)', heed: '// not in Heed', expected: null, absent: ['onnx', 'jit'] }, // biome-ignore format: one line
    ],
  },
  {
    title: 'Devices and dtypes',
    text: 'The devices are `cpu` (native kernels), `wasm` and `reference`. A tensor is computed on the default device; there is no `.to(device)`.',
    rows: [
      { torch: 'x.cuda(), model.to("cuda")', heed: "setDefaultDevice('cpu')", note: 'Once, at the start, or HEED_DEVICE. There is no GPU device yet.', expected: null, check: { torch: '', heed: 'null' }, absent: ['isCudaAvailable'] }, // biome-ignore format: one line
      { torch: 'torch.cuda.is_available()', heed: "deviceNames().includes('cuda')", expected: false }, // biome-ignore format: one line
      {
        torch: 'torch.set_default_device("cpu")',
        heed: "setDefaultDevice('cpu').name",
        expected: 'cpu',
      },
      { torch: 'x.device', heed: 'defaultDevice().name', expected: 'cpu' },
      { torch: 'torch.cuda.synchronize()', heed: 'await synchronize()', expected: null },
      { torch: 'torch.set_num_threads(2)', heed: 'new CpuDevice({ threads: 2 }).name', note: 'Or HEED_THREADS.', expected: 'cpu' }, // biome-ignore format: one line
      { torch: 'torch.cuda.max_memory_allocated()', heed: 'defaultDevice().memory().peak > 0', expected: true }, // biome-ignore format: one line
      row('v.int()', "v.to('i32')", '`f32`, `i32`, `u32`, `u8` and `bool`.'),
      row('mask.float()', "mask.to('f32')"),
      row('v.bool()', "v.to('bool')"),
      row('i.long()', 'i', 'Indices are `i32`; there is no `i64`.'),
      { torch: 'x.half(), x.bfloat16(), x.double()', heed: '// f32 only', note: 'Files in `f16` and `bf16` are converted when they are read; `savePretrained` writes them. `quantize(model)` keeps weights in 8 or 4 bits.', expected: null }, // biome-ignore format: one line
      row('(i + 0.5).dtype', 'i.add(0.5).dtype', 'Types are promoted as in PyTorch.'),
      row('(i / 2).dtype', 'i.div(2).dtype'),
    ],
  },
  {
    title: 'Reading values and debugging',
    text: 'Tensors are lazy: shapes and dtypes are checked where the code is, values are computed when they are read.',
    rows: [
      row('x.mean().item()', 'await x.mean().item()'),
      row('x.tolist()', 'await x.tolist()'),
      row('x.flatten().numpy().tolist()', 'await x.data()', 'A typed array, row-major.'),
      { torch: 'print(x)', heed: 'console.log(await x.text())', note: '`console.log(x)` prints values that are known, and otherwise the shape.', expected: null }, // biome-ignore format: one line
      row('if x.sum() > 0: result = 1\nelse: result = 2\nresult', 'const result = (await x.sum().item()) > 0 ? 1 : 2\nresult', 'A tensor is always true in `if`: read it.'), // biome-ignore format: one line
      row('torch.where(x.sum() > 0, x, -x)', 'where(x.sum().gt(0), x, x.neg())', 'Inside a model, choose without reading.'), // biome-ignore format: one line
      { torch: 'torch.autograd.set_detect_anomaly(True)', heed: "const model = new Linear(3, 2)\nconst loss = model.forward(x).log().sub(1).mean()\nconst origin = await findNaN(model, loss)\norigin?.operation", expected: 'log', note: 'The first module and operation with NaN. `step({ checkFinite: true })` rejects such a step:' }, // biome-ignore format: one line
      { torch: 'torch.profiler.profile()', heed: 'const times = await profile(async () => void (await x.exp().data()))\ntimes.length > 0', note: '`heed bench --profile` prints a table; `chromeTrace(times)` is for the browser.', expected: true }, // biome-ignore format: one line
      { torch: 'torch.autograd.gradcheck(f, inputs)', heed: "const f = (a: Tensor) => a.pow(3).sum()\nconst at = tensor([3, 1, 2])\nconst h = 1e-2\nconst up = f(at.add(tensor([h, 0, 0])))\nconst down = f(at.sub(tensor([h, 0, 0])))\nconst slope = up.sub(down).div(2 * h)\nawait slope.allclose(grad(f)(at).select(0, 0), { rtol: 1e-3 })", expected: true, note: 'Finite differences, by hand:', absent: ['gradcheck'] }, // biome-ignore format: one line
      row('try: torch.zeros(2, 3) + torch.ones(5)\nexcept RuntimeError: error = True\nerror', 'let error = false\ntry {\n  zeros([2, 3]).add(ones([5]))\n} catch {\n  error = true\n}\nerror', 'Errors of shapes are thrown immediately, as in PyTorch, though nothing is computed:'), // biome-ignore format: one line
    ],
  },
  {
    title: 'Random numbers and distributions',
    text: 'The streams differ from PyTorch’s: the same seed gives other numbers. They are the same on every device and number of threads.',
    setup: { torch: 'torch.manual_seed(0)', heed: 'manualSeed(0)' },
    rows: [
      { torch: 'torch.manual_seed(7)\na = torch.rand(2)\ntorch.manual_seed(7)\ntorch.equal(a, torch.rand(2))', heed: 'manualSeed(7)\nconst a = rand([2])\nmanualSeed(7)\nawait a.equal(rand([2]))' }, // biome-ignore format: one line
      row('torch.rand(2, 3).shape', 'rand([2, 3]).shape'),
      row('torch.randn(2, 3).shape', 'randn([2, 3]).shape'),
      row('torch.randint(0, 10, (4,)).dtype', 'randint(0, 10, [4]).dtype'),
      row('torch.randperm(5).sort().values', 'randperm(5).sort().values'),
      row('torch.bernoulli(torch.ones(3))', 'ones([3]).bernoulli()'),
      row('torch.multinomial(torch.tensor([0., 1., 0.]), 2, replacement=True)', 'tensor([0, 1, 0]).multinomial(2, { replacement: true })'), // biome-ignore format: one line
      row('torch.normal(5., 0., (2,))', 'normal([2], 5, 0)'),
      row('torch.empty(3).uniform_(2, 2)', 'uniform([3], 2, 2)'),
      row('g = torch.Generator().manual_seed(3)\ntorch.rand(2, generator=g).shape', 'const g = new Generator(3)\nrand([2], g).shape'), // biome-ignore format: one line
      { torch: 'torch.get_rng_state()', heed: 'manualSeed(5)\nrand([2])\ndefaultGenerator().getState()', note: 'Two numbers, which fit into JSON: the seed and the count of draws.', expected: [5, 1] }, // biome-ignore format: one line
      row('torch.distributions.Categorical(logits=x).log_prob(i.clamp(max=2))', 'x.logSoftmax().gather(1, i.unsqueeze(1)).squeeze(1)', 'There is no module of distributions: these are their formulas.'), // biome-ignore format: one line
      row('torch.distributions.Categorical(logits=x).entropy()', 'x.logSoftmax().exp().mul(x.logSoftmax()).sum(-1).neg()'), // biome-ignore format: one line
      row('torch.distributions.Normal(0., 2.).log_prob(v)', 'v.div(2).square().add(Math.log(2 * Math.PI)).div(-2).sub(Math.log(2))'), // biome-ignore format: one line
      row('p, q = torch.distributions.Normal(0., 1.), torch.distributions.Normal(1., 2.)\ntorch.distributions.kl_divergence(p, q)', 'const [mean, std] = [1, 2]\ntensor(Math.log(std) + (1 + mean ** 2) / (2 * std ** 2) - 0.5)'), // biome-ignore format: one line
      row('F.gumbel_softmax(x, hard=True).sum(-1)', 'const noise = rand(x.shape).log().neg().log().neg()\noneHot(x.add(noise).argmax(-1), 3).sum(-1)'), // biome-ignore format: one line
    ],
  },
  {
    title: 'Hugging Face',
    text: 'Model folders and names on the hub are those of `transformers`. `AutoModelFor…` is `fromPretrained(folder, head)`.',
    setup: SAVED,
    rows: [
      huggingFace('AutoModelForCausalLM.from_pretrained("gpt")', "const model = await fromPretrained('gpt', 'causal-lm')", null), // biome-ignore format: one line
      huggingFace('AutoTokenizer.from_pretrained("gpt")', "const loaded = await Tokenizer.fromFile('gpt')\nloaded.vocabSize === tokenizer.vocabSize", true), // biome-ignore format: one line
      huggingFace('tokenizer("hello")["input_ids"]', "tokenizer.encode('hello').length", 5),
      huggingFace('tokenizer.decode(ids)', "tokenizer.decode(tokenizer.encode('hello'))", 'hello'),
      huggingFace('tokenizer(texts, padding=True, return_tensors="pt")', "const batch = tokenizer.batch(['hello', 'hell'], { padTokenId: 0 })\nbatch.shape", [2, 5]), // biome-ignore format: one line
      huggingFace('model(input_ids=ids, labels=ids).loss', "const model = await fromPretrained('gpt', 'causal-lm')\nconst ids = tensor([tokenizer.encode('hello')], { dtype: 'i32' })\nmodel.loss(ids.slice(null, [0, -1]), ids.slice(null, [1])).rank", 0, 'Targets are shifted by you.'), // biome-ignore format: one line
      huggingFace('model.generate(**inputs, max_new_tokens=5)', "const model = await fromPretrained('gpt', 'causal-lm')\nlet text = ''\nfor await (const piece of generate(model, tokenizer, 'hello', { maxTokens: 5 })) text += piece\ntext.length > 0", true, 'An async iterator. Options: `temperature`, `topK`, `topP`, `seed` …'), // biome-ignore format: one line
      huggingFace('pipeline("text-generation", model="gpt")("hello", max_new_tokens=5)', "const write = await pipeline('text-generation', 'gpt')\nconst [{ generated_text }] = await write('hello', { maxTokens: 5 })\ngenerated_text.startsWith('hello')", true), // biome-ignore format: one line
      huggingFace('tokenizer.apply_chat_template(messages)', "await tokenizer.applyChatTemplate(\n  [{ role: 'user', content: 'hello' }],\n  { chatTemplate: '{{ messages[0].content }}' },\n)", 'hello'), // biome-ignore format: one line
      huggingFace('model.save_pretrained("out"); tokenizer.save_pretrained("out")', "const model = await fromPretrained('gpt', 'causal-lm')\nawait savePretrained(model, 'out', { tokenizer })", null), // biome-ignore format: one line
      huggingFace('model.push_to_hub("owner/name")', '// heed push FOLDER owner/name', null, '`pushModel` in `heed/io`.'), // biome-ignore format: one line
      huggingFace('AutoConfig.from_pretrained("gpt").n_embd', "const model = await fromPretrained('gpt', 'causal-lm')\nReflect.get(model.config as object, 'n_embd')", 8), // biome-ignore format: one line
      huggingFace('Trainer(model, args, train_dataset).train()', "// trainModel(…) of heed/train, or heed train", null, 'Arguments are the flags of `heed train`.'), // biome-ignore format: one line
      huggingFace('peft.get_peft_model(model, LoraConfig(…))', '// no adapters yet', null, '`--train head` or `--train top:N` trains a part of a model.'), // biome-ignore format: one line
    ],
  },
]
