# llama.cpp's side of bench/agreement.ts: a question as JSON on standard input.
#   {"ids": [...]}                     -> float32 logits, a row for each id (teacher-forced)
#   {"prompts": [[...]], "tokens": 40} -> JSON: the most likely tokens after each prompt
#   llama_cpp_agreement.py FILE.gguf THREADS
import json
import sys

import llama_cpp
import numpy as np

path, threads = sys.argv[1], int(sys.argv[2])
question = json.load(sys.stdin)


def opened(context):
    return llama_cpp.Llama(
        path,
        n_ctx=context,
        n_batch=context,
        n_threads=threads,
        n_threads_batch=threads,
        logits_all=True,
        verbose=False,
    )


def logits(ids):
    model = opened(len(ids))
    model.eval(ids)
    return np.asarray(model.scores[: len(ids)], dtype=np.float32).tobytes()


def greedy(prompts, tokens):
    model = opened(max(map(len, prompts)) + tokens)

    def continued(prompt):
        model.reset()
        written = []
        fresh = prompt
        while len(written) < tokens:
            model.eval(fresh)
            fresh = [int(np.argmax(model.scores[model.n_tokens - 1]))]
            written += fresh
        return written

    return json.dumps([continued(prompt) for prompt in prompts]).encode()


if "ids" in question:
    sys.stdout.buffer.write(logits(question["ids"]))
else:
    sys.stdout.buffer.write(greedy(**question))
