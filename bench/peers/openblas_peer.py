# OpenBLAS through NumPy. See bench/side.ts.
import json
import sys
import time

import numpy as np


def openblas():
    for library in np.show_config(mode="dicts")["Build Dependencies"].values():
        if "openblas" in library.get("name", ""):
            return library["version"]
    raise SystemExit("this NumPy does not use OpenBLAS")


def matmul(p):
    m, k, n, b = p["m"], p["k"], p["n"], p["batches"]
    random = np.random.default_rng(1)
    make = lambda *shape: random.standard_normal(shape, dtype=np.float32)
    count = min(64, max(1, int(1e8 // (2 * b * m * k * n))))

    def pair():
        x = make(b, k, m).transpose(0, 2, 1) if p["layout"] == "TN" else make(b, m, k)
        y = make(b, n, k).transpose(0, 2, 1) if p["layout"] == "NT" else make(b, k, n)
        return x, y, np.empty((b, m, n), np.float32)

    pairs = [pair() for _ in range(count)]

    def run():
        for x, y, out in pairs:
            for i in range(b):
                np.matmul(x[i], y[i], out=out[i])

    return run, count


def timed(run, count, ms):
    start = time.perf_counter()
    runs = 0
    while True:
        run()
        runs += 1
        took = (time.perf_counter() - start) * 1e3
        if took >= ms:
            return took / (runs * count)


key, work = None, None
for line in sys.stdin:
    question = json.loads(line)
    if "hello" in question:
        print(json.dumps({"version": f"{openblas()} (NumPy {np.__version__})"}), flush=True)
        continue
    if question["params"] != key:
        work = matmul(question["params"])
        key = question["params"]
        work[0]()
    print(json.dumps({"ms": timed(*work, question["ms"]), "peakBytes": 0}), flush=True)
