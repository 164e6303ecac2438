# A GGUF file of GPT-2 with random weights in blocks, for llama.cpp. See llama_peer.py.
import gguf
import numpy as np

FORMATS = {"q8_0": ("Q8_0", gguf.LlamaFileType.MOSTLY_Q8_0), "q4_0": ("Q4_0", gguf.LlamaFileType.MOSTLY_Q4_0)}


def write_gpt2(path, p):
    """Writes the weights of all products in the format p["format"], and biases in float32."""
    name, file_type = FORMATS[p["format"]]
    qtype = gguf.GGMLQuantizationType[name]
    rng = np.random.default_rng(1)
    dim, layers = p["dim"], p["layers"]
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(p["context"])
    writer.add_embedding_length(dim)
    writer.add_feed_forward_length(4 * dim)
    writer.add_block_count(layers)
    writer.add_head_count(p["heads"])
    writer.add_layer_norm_eps(1e-5)
    writer.add_file_type(file_type)
    writer.add_vocab_size(p["vocab"])
    writer.add_tokenizer_model("no_vocab")

    def product(name, rows, columns):
        x = rng.normal(0, 0.02, (rows, columns)).astype(np.float32)
        writer.add_tensor(f"{name}.weight", gguf.quantize(x, qtype), raw_dtype=qtype)

    def vector(name, value):
        writer.add_tensor(name, np.full(value[0], value[1], np.float32))

    product("token_embd", p["vocab"], dim)  # and of the head, which is tied to it
    writer.add_tensor("position_embd.weight", rng.normal(0, 0.02, (p["context"], dim)).astype(np.float32))
    shapes = {"attn_qkv": (3 * dim, dim), "attn_output": (dim, dim), "ffn_up": (4 * dim, dim), "ffn_down": (dim, 4 * dim)}
    for i in range(layers):
        for norm in ("attn_norm", "ffn_norm"):
            vector(f"blk.{i}.{norm}.weight", (dim, 1))
            vector(f"blk.{i}.{norm}.bias", (dim, 0))
        for part, shape in shapes.items():
            product(f"blk.{i}.{part}", *shape)
            vector(f"blk.{i}.{part}.bias", (shape[0], 0))
    vector("output_norm.weight", (dim, 1))
    vector("output_norm.bias", (dim, 0))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
