"""Results of transformers for unusual texts with the tokenizer.json of folders, and the tokens of their configs.

    python tokenizer_folders.py SEED TEXTS FOLDER... > FILE

Each line of the output is a folder with cases.
"""

import json
import random
import sys
from pathlib import Path

from tokenizer_pipelines import units
from transformers import TokenizersBackend
from unusual_texts import unusual_texts


def case(tokenizer, text):
    encoding = tokenizer(text, return_offsets_mapping=True)
    at, ids = units(text), encoding["input_ids"]
    return {
        "text": text,
        "ids": ids,
        "offsets": [[at[start], at[end]] for start, end in encoding["offset_mapping"]],
        "decoded": tokenizer.decode(ids),
        "skipped": tokenizer.decode(ids, skip_special_tokens=True),
    }


def main(seed, count, folders):
    for folder in folders:
        tokenizer = TokenizersBackend.from_pretrained(folder)
        texts = unusual_texts(random.Random(seed), count)
        line = {"name": Path(folder).name, "path": str(Path(folder).resolve()), "cases": [case(tokenizer, text) for text in texts]}
        print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
