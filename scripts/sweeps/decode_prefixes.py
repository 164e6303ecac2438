"""Decoded texts of the beginnings of rows of ids, for streaming.ts."""

import json
import sys

from transformers import AutoTokenizer, PreTrainedTokenizerFast


def load(folder):
    try:
        return AutoTokenizer.from_pretrained(folder)
    except (ValueError, OSError, KeyError):
        return PreTrainedTokenizerFast.from_pretrained(folder)


tokenizer = load(sys.argv[1])
rows = json.load(sys.stdin)
json.dump(
    [
        {
            name: [tokenizer.decode(ids[:n], skip_special_tokens=skip) for n in range(len(ids) + 1)]
            for name, skip in (("all", False), ("plain", True))
        }
        for ids in rows
    ],
    sys.stdout,
)
