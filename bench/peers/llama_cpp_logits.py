# Logits of llama.cpp, teacher-forced. See bench/agreement.ts.
#   llama_cpp_logits.py FILE.gguf THREADS < ids as json > float32 logits, one row for each id
import json
import sys

import llama_cpp
import numpy as np

path, threads = sys.argv[1], int(sys.argv[2])
ids = json.load(sys.stdin)
model = llama_cpp.Llama(
    path,
    n_ctx=len(ids),
    n_batch=len(ids),
    n_threads=threads,
    n_threads_batch=threads,
    logits_all=True,
    verbose=False,
)
model.eval(ids)
sys.stdout.buffer.write(np.asarray(model.scores[: len(ids)], dtype=np.float32).tobytes())
