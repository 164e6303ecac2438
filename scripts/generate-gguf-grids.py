"""Writes src/io/gguf/grids.ts: the tables of vectors for GGUF's IQ types, from gguf-py.

The tables are part of the file format and follow no rule, so they must be listed. Run with gguf 0.19 installed.
"""

import base64
import textwrap
from pathlib import Path

import numpy as np
from gguf import quants

TARGET = Path(__file__).resolve().parents[1] / "src" / "io" / "gguf" / "grids.ts"
TABLES = ["IQ1_S", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"]  # IQ1_M has the table of IQ1_S


def main():
    entries = [entry(name, getattr(quants, name)) for name in TABLES]
    TARGET.write_text(HEAD + "\n".join(entries) + TAIL)


def entry(name, kind):
    kind.init_grid()
    levels = [float(level) for level in kind.grid_map]
    bits = 2 if len(levels) <= 4 else 4
    vectors = kind.grid.reshape(-1)
    indices = np.array([levels.index(value) for value in vectors.tolist()], dtype=np.uint8)
    assert vectors.size == np.prod(kind.grid_shape)
    per_byte = 8 // bits
    shifts = np.arange(per_byte, dtype=np.uint8) * bits
    packed = (indices.reshape(-1, per_byte) << shifts).sum(axis=1).astype(np.uint8).tobytes()
    lines = textwrap.wrap(base64.b64encode(packed).decode(), 88)
    text = " +\n".join(f"      '{line}'" for line in lines)
    numbers = ", ".join(f"{level:g}" for level in levels)
    return f"  {name.lower()}: unpack(\n    {kind.grid_shape[1]},\n    [{numbers}],\n    {bits},\n{text},\n  ),"


HEAD = """// Written by scripts/generate-gguf-grids.py. The vectors that GGUF's IQ types choose from (the tables of ggml, MIT
// licence), each number as an index of `levels`, the first in the lowest bits.

export interface Grid {
  /** Numbers in a vector. */
  readonly width: number
  /** Vector by vector; unpacked when they are first read. */
  readonly numbers: Float32Array
}

function unpack(width: number, levels: readonly number[], bits: number, packed: string): Grid {
  let numbers: Float32Array | undefined
  return {
    width,
    get numbers() {
      numbers ??= numbersIn(packed, bits, levels)
      return numbers
    },
  }
}

function numbersIn(packed: string, bits: number, levels: readonly number[]): Float32Array {
  const bytes = Buffer.from(packed, 'base64')
  const perByte = 8 / bits
  const mask = (1 << bits) - 1
  return Float32Array.from(
    { length: bytes.length * perByte },
    (_, i) => levels[(bytes[Math.floor(i / perByte)] >> (bits * (i % perByte))) & mask],
  )
}

export const grids = {
"""
TAIL = "\n}\n"

main()
