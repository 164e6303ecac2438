# The minimum of Python and PyTorch that generates the first token of a GPT-2 checkpoint, without transformers, whose
# import would take longer than everything else.
import json
import struct
import sys

import torch
import torch.nn.functional as F

PROMPT = "Callme"
folder = sys.argv[1]
with open(f"{folder}/config.json") as file:
    config = json.load(file)
with open(f"{folder}/tokenizer.json") as file:
    vocabulary = json.load(file)["model"]["vocab"]
with open(f"{folder}/model.safetensors", "rb") as file:
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length))
    data = bytearray(file.read())


def weight(name):
    first, last = header[name]["data_offsets"]
    return torch.frombuffer(data, dtype=torch.float32, offset=first, count=(last - first) // 4).view(
        header[name]["shape"]
    )


def norm(x, name):
    return F.layer_norm(x, x.shape[-1:], weight(f"{name}.weight"), weight(f"{name}.bias"))


def conv(x, name):
    return torch.addmm(weight(f"{name}.bias"), x, weight(f"{name}.weight"))


with torch.inference_mode():
    ids = torch.tensor([vocabulary[character] for character in PROMPT])
    T, C, H = len(ids), config["n_embd"], config["n_head"]
    x = weight("transformer.wte.weight")[ids] + weight("transformer.wpe.weight")[:T]
    for i in range(config["n_layer"]):
        block = f"transformer.h.{i}"
        qkv = conv(norm(x, f"{block}.ln_1"), f"{block}.attn.c_attn").view(T, 3, H, C // H)
        q, k, v = qkv.permute(1, 2, 0, 3)
        y = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
        x = x + conv(y.transpose(0, 1).reshape(T, C), f"{block}.attn.c_proj")
        hidden = F.gelu(conv(norm(x, f"{block}.ln_2"), f"{block}.mlp.c_fc"), approximate="tanh")
        x = x + conv(hidden, f"{block}.mlp.c_proj")
    logits = norm(x[-1], "transformer.ln_f") @ weight("transformer.wte.weight").t()
    token = int(torch.multinomial(F.softmax(logits / 0.8, -1), 1))

text = {number: piece for piece, number in vocabulary.items()}
print(PROMPT + text[token], flush=True)
