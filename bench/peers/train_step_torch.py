# The same GPT-2 training step in PyTorch at its best on a CPU: SDPA, fused AdamW, no autocast.
import json
import os
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

options = json.loads(sys.argv[1])
n = lambda key: int(options[key])
torch.set_num_threads(n("threads"))
torch.manual_seed(1)
C, H, V, T = n("dim"), n("heads"), n("vocab"), n("context")


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.c_attn, self.c_proj = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.fc, self.proj = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)

    def forward(self, x):
        B, T, _ = x.shape
        q, k, v = self.c_attn(self.ln_1(x)).split(C, dim=2)
        q, k, v = (t.view(B, T, H, C // H).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))
        return x + self.proj(F.gelu(self.fc(self.ln_2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(V, C), nn.Embedding(T, C)
        self.h = nn.ModuleList([Block() for _ in range(n("layers"))])
        self.ln_f = nn.LayerNorm(C)

    def forward(self, ids, targets):
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        logits = self.ln_f(x) @ self.wte.weight.t()
        return F.cross_entropy(logits.view(-1, V), targets.view(-1))


model = GPT()
for p in model.parameters():
    if p.dim() > 1:
        nn.init.normal_(p, std=0.02)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
count = n("batch") * T
ids = (torch.arange(count) * 31 % V).view(n("batch"), T)
targets = ((torch.arange(count) + 1) * 31 % V).view(n("batch"), T)

print(json.dumps({"version": f"{torch.__version__} (Python {sys.version.split()[0]})"}), flush=True)
for _ in sys.stdin:
    times = []
    for _ in range(n("steps")):
        start = time.perf_counter()
        loss = model(ids, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        value = loss.item()
        times.append((time.perf_counter() - start) * 1e3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"ms": times, "loss": value, "peakBytes": peak}), flush=True)
