# PyTorch's side at its best on a CPU: SDPA, fused AdamW, preallocated results. See bench/side.ts.
import json
import pathlib
import resource
import subprocess
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

COMPILE = "--compile" in sys.argv
compiled = torch.compile if COMPILE else lambda f: f


def matmul(p):
    m, k, n, b = p["m"], p["k"], p["n"], p["batches"]
    count = min(64, max(1, int(1e8 // (2 * b * m * k * n))))

    def pair():
        x = torch.randn(b, k, m).transpose(1, 2) if p["layout"] == "TN" else torch.randn(b, m, k)
        y = torch.randn(b, n, k).transpose(1, 2) if p["layout"] == "NT" else torch.randn(b, k, n)
        out = torch.empty(b, m, n)
        return (x, y, out) if b > 1 else (x[0], y[0], out[0])

    pairs = [pair() for _ in range(count)]
    product = torch.bmm if b > 1 else torch.mm

    def run():
        with torch.no_grad():
            for x, y, out in pairs:
                product(x, y, out=out)

    return run, count


def forward_backward(inputs, f):
    f = compiled(f)
    y = f()
    dy = torch.ones(()) if y.dim() == 0 else torch.randn_like(y)

    def run():
        for x in inputs:
            x.grad = None
        f().backward(dy)

    return run, 1


def parameter(*shape):
    return torch.randn(*shape, requires_grad=True)


def attention(p):
    shape = (p["batch"], p["heads"], p["T"], p["D"])
    q, k, v = parameter(*shape), parameter(*shape), parameter(*shape)
    return forward_backward([q, k, v], lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True))


def rows(p):
    op, R, C = p["op"], p["rows"], p["columns"]
    x = parameter(R, C)
    if op == "layer_norm":
        w, b = parameter(C), parameter(C)
        return forward_backward([x, w, b], lambda: F.layer_norm(x, (C,), w, b))
    targets = torch.arange(R) * 31 % C
    ops = {
        "gelu": lambda: F.gelu(x),
        "gelu_tanh": lambda: F.gelu(x, approximate="tanh"),
        "softmax": lambda: F.softmax(x, -1),
        "cross_entropy": lambda: F.cross_entropy(x, targets),
    }
    return forward_backward([x], ops[op])


def recurrent(p):
    torch.backends.mkldnn.enabled = False  # its LSTM is many times slower than PyTorch's own here
    kind = {"LSTM": nn.LSTM, "GRU": nn.GRU}[p["kind"]]
    model = kind(p["hidden"], p["hidden"], num_layers=p["layers"])
    x = parameter(p["T"], p["batch"], p["hidden"])
    return forward_backward([x, *model.parameters()], lambda: model(x)[0])


def convolution(p):
    x = parameter(p["batch"], p["channels"], p["size"], p["size"])
    w = parameter(p["outputs"], p["channels"] // p["groups"], p["kernel"], p["kernel"])
    f = lambda: F.conv2d(x, w, None, p["stride"], p["padding"], 1, p["groups"])
    if p["pass"] == "both":
        return forward_backward([x, w], f)

    def run():
        with torch.no_grad():
            f()

    return run, 1


def norm(p):
    C = p["channels"]
    layer = nn.GroupNorm(32, C) if p["kind"] == "GroupNorm" else nn.BatchNorm2d(C)
    x = parameter(p["batch"], C, p["size"], p["size"])
    return forward_backward([x, *layer.parameters()], lambda: layer(x))


def adamw(p):
    x = parameter(p["count"])
    x.grad = torch.randn(p["count"])
    return torch.optim.AdamW([x], lr=1e-3, fused=True).step, 1


class Block(nn.Module):
    def __init__(self, C, H):
        super().__init__()
        self.H = H
        self.ln_1, self.ln_2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.c_attn, self.c_proj = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.fc, self.proj = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)

    def forward(self, x, past=None):
        B, T, C = x.shape
        q, k, v = self.c_attn(self.ln_1(x)).split(C, dim=2)
        q, k, v = (t.view(B, T, self.H, C // self.H).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(y.transpose(1, 2).reshape(B, T, C))
        return x + self.proj(F.gelu(self.fc(self.ln_2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, p):
        super().__init__()
        C = p["dim"]
        self.wte, self.wpe = nn.Embedding(p["vocab"], C), nn.Embedding(p["context"], C)
        self.h = nn.ModuleList([Block(C, p["heads"]) for _ in range(p["layers"])])
        self.ln_f = nn.LayerNorm(C)
        for weight in self.parameters():
            if weight.dim() > 1:
                nn.init.normal_(weight, std=0.02)

    def forward(self, ids, last=False):
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        x = self.ln_f(x)
        return (x[:, -1:] if last else x) @ self.wte.weight.t()


def train(p):
    torch.manual_seed(1)
    model = GPT(p)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    count = p["batch"] * p["context"]
    ids = (torch.arange(count) * 31 % p["vocab"]).view(p["batch"], -1)
    targets = ((torch.arange(count) + 1) * 31 % p["vocab"]).view(-1)
    loss_of = compiled(lambda: F.cross_entropy(model(ids).view(-1, p["vocab"]), targets))

    def run():
        loss = loss_of()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()

    return run, 1


def lora(p):
    """A training step of an adapter with peft, on the weights of a file in f32, or on random ones."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    if "file" in p:
        path = pathlib.Path(p["file"])
        base = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32)
    else:
        sizes = {"n_layer": p["layers"], "n_head": p["heads"], "n_embd": p["dim"], "vocab_size": p["vocab"], "n_positions": p["context"]}
        base = GPT2LMHeadModel(GPT2Config(**sizes, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0))
    targets = p["targets"] if p["targets"] == "all-linear" else [p["targets"]]
    model = get_peft_model(base, LoraConfig(r=p["rank"], lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM"))
    optimizer = torch.optim.AdamW([w for w in model.parameters() if w.requires_grad], lr=1e-3, fused=True)
    count = p["batch"] * p["context"]
    ids = (torch.arange(count) * 31 % p["vocab"]).view(p["batch"], -1)
    targets = ((torch.arange(count) + 1) * 31 % p["vocab"]).view(-1)

    def run():
        logits = model(ids, use_cache=False).logits
        loss = F.cross_entropy(logits.view(-1, logits.shape[-1]), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()

    return run, 1


def grpo(p):
    """Steps of GRPO with trl. The first step is not counted."""
    import contextlib
    import tempfile

    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    signs = ["<end>", *"0123456789+=?"]
    words = Tokenizer(models.WordLevel({sign: i for i, sign in enumerate(signs)}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>", pad_token="<end>")
    sizes = {"n_layer": p["layers"], "n_head": p["heads"], "n_embd": p["dim"], "vocab_size": len(signs), "n_positions": p["context"]}
    rows = Dataset.from_list([{"prompt": f"{10 + i % 90}+{10 + i % 83}="} for i in range(1000)])

    class Times(TrainerCallback):
        def __init__(self):
            self.ended = []

        def on_step_end(self, *_, **__):
            self.ended.append(time.perf_counter())

    def run():
        torch.manual_seed(1)
        model = GPT2LMHeadModel(GPT2Config(**sizes, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=0, eos_token_id=0))
        times = Times()
        args = GRPOConfig(
            output_dir=tempfile.mkdtemp(),
            per_device_train_batch_size=p["prompts"] * p["answers"],
            num_generations=p["answers"],
            max_completion_length=p["tokens"],
            max_steps=p["steps"] + 1,
            learning_rate=1e-5,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
        )
        trainer = GRPOTrainer(
            model=model,
            reward_funcs=lambda completions, **_: [float(len(text) % 2) for text in completions],
            args=args,
            train_dataset=rows,
            processing_class=tokenizer,
            callbacks=[times],
        )
        with contextlib.redirect_stdout(sys.stderr):  # answers go to stdout
            trainer.train()
        return (times.ended[-1] - times.ended[0]) * 1e3

    return run, p["steps"]


def prefill(p):
    model = GPT(p).eval()
    ids = (torch.arange(p["tokens"]) * 31 % 1000).view(1, -1)

    def run():
        with torch.inference_mode():
            model(ids, last=True)

    return run, 1


def start(p):
    """Time from the start of a separate process to the first token, as on Heed's side."""
    script = pathlib.Path(__file__).parent / "torch_start.py"

    def run():
        began = time.perf_counter()
        command = [sys.executable, str(script), p["folder"]]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            if not child.stdout.read(1):
                raise SystemExit("torch_start.py wrote nothing")
            return (time.perf_counter() - began) * 1e3

    return run, 1


families = {
    "matmul": matmul,
    "attention": attention,
    "rows": rows,
    "recurrent": recurrent,
    "convolution": convolution,
    "norm": norm,
    "adamw": adamw,
    "train": train,
    "lora": lora,
    "grpo": grpo,
    "prefill": prefill,
    "start": start,
}


def timed(run, count, ms):
    runs, took = 0, 0
    while took < ms:
        began = time.perf_counter()
        own = run()  # a number: it has measured itself
        took += own if isinstance(own, float) else (time.perf_counter() - began) * 1e3
        runs += 1
    return took / (runs * count)


def main():
    key, work = None, None
    for line in sys.stdin:
        question = json.loads(line)
        if "hello" in question:
            torch.set_num_threads(question["hello"])
            name = f"{torch.__version__} (Python {sys.version.split()[0]})"
            print(json.dumps({"version": name}), flush=True)
            continue
        wanted = (question["family"], json.dumps(question["params"]))
        if wanted != key:
            work = None
            work = families[question["family"]](question["params"])
            key = wanted
            for _ in range(3 if COMPILE else 1):
                work[0]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"ms": timed(*work, question["ms"]), "peakBytes": peak}), flush=True)


main()
