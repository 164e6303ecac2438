# The side of llama.cpp: one token after the other, without sampling. See bench/side.ts.
import ctypes
import json
import os
import pathlib
import resource
import sys
import time

import llama_cpp as llama
from llama_gguf import write_gpt2

FOLDER = pathlib.Path(__file__).parents[2] / "build" / "bench"
threads = 1


def file_of(p):
    """The file named by p, or a GPT-2 with random weights, which is created at the first call."""
    if "file" in p:
        return p["file"]
    path = FOLDER / f"gpt2-{p['layers']}x{p['dim']}-{p['format']}.gguf"
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        part = path.with_suffix(".part")
        write_gpt2(part, p)
        os.replace(part, path)
    return path


def reader(p, at_once):
    """Returns two functions: one appends tokens, up to `at_once` of them; the other clears the cache."""
    options = llama.llama_model_default_params()
    options.use_mmap = False  # weights are then laid out as its kernels like them
    model = llama.llama_model_load_from_file(str(file_of(p)).encode(), options)
    settings = llama.llama_context_default_params()
    settings.n_ctx = 1024
    settings.n_batch = settings.n_ubatch = at_once
    settings.n_threads = settings.n_threads_batch = threads
    context = llama.llama_init_from_model(model, settings)
    memory = llama.llama_get_memory(context)

    def read(*tokens):
        array = (llama.llama_token * len(tokens))(*tokens)
        if llama.llama_decode(context, llama.llama_batch_get_one(array, len(tokens))) != 0:
            raise SystemExit("llama_decode failed")
        return llama.llama_get_logits_ith(context, -1)[0]  # waits for them

    return read, lambda: llama.llama_memory_clear(memory, True)


def decode(p):
    read, forget = reader(p, 512)

    def run():
        forget()
        read(1, 2, 3)
        began = time.perf_counter()
        for i in range(p["tokens"]):
            read(i * 31 % 1000)
        return (time.perf_counter() - began) * 1e3

    return run, p["tokens"]


def prefill(p):
    read, forget = reader(p, p["tokens"])
    tokens = [i * 31 % 1000 for i in range(p["tokens"])]

    def run():
        forget()
        began = time.perf_counter()
        read(*tokens)
        return (time.perf_counter() - began) * 1e3

    return run, 1


families = {"decode": decode, "prefill": prefill}


def main():
    global threads
    quiet = llama.llama_log_callback(lambda *_: None)
    llama.llama_log_set(quiet, ctypes.c_void_p())
    llama.llama_backend_init()
    key, work = None, None
    for line in sys.stdin:
        question = json.loads(line)
        if "hello" in question:
            threads = question["hello"]
            name = f"llama-cpp-python {llama.__version__} (Python {sys.version.split()[0]})"
            print(json.dumps({"version": name}), flush=True)
            continue
        wanted = (question["family"], json.dumps(question["params"]))
        if wanted != key:
            work = families[question["family"]](question["params"])
            key = wanted
            work[0]()
        run, count = work
        runs, took = 0, 0
        while took < question["ms"]:
            took += run()
            runs += 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"ms": took / (runs * count), "peakBytes": peak}), flush=True)


main()
