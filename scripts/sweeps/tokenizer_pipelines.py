"""Random tokenizers with every component of Python's `tokenizers`, with its results for unusual texts.

    python tokenizer_pipelines.py SEED COUNT TEXTS > FILE

Each line of the output is a tokenizer.json with cases. A text that Python cannot encode has no ids. The fixture
test/fixtures/tokenizer-pipelines.jsonl has SEED sample, COUNT 24 and TEXTS 14.
"""

import json
import os
import random
import resource
import signal
import sys

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from unusual_texts import unusual_texts

WORDS = (
    "the whale sea ship captain said it's don't and not a of in hello world été naïve 123 42 , . ! ? - ' "
    "привет мир 日本 日本語 한국 ▁the ▁whale ▁a ##s ##ing ##e a</w> e</w> the</w> ne pas <0x41> İ ß ﬁ ½ 😀 👍🏽"
).split()
LETTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'-▁ Ġéèêàüñяпривет日本語한국😀\u0301\n")
PATTERNS = [
    r"\s+",
    r"[aeiou]",
    r"\d{1,3}",
    r"\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"x*",
    r"\w+|[^\w\s]",
    r"[^a-z]",
    r"a|e|the",
    r" {2,}",
    r"\p{Han}|\p{Lu}",
]
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
SCHEMES = ["always", "never", "first"]


def maybe(rng, share=0.5):
    return rng.random() < share


def pattern(rng):
    if maybe(rng, 0.4):
        return rng.choice([" ", "a", "e", ".", "▁", "''", "th", "é", "😀"])
    return Regex(rng.choice(PATTERNS))


def normalizer(rng, depth=0):
    kinds = [
        lambda: normalizers.BertNormalizer(
            clean_text=maybe(rng),
            handle_chinese_chars=maybe(rng),
            strip_accents=rng.choice([None, True, False]),
            lowercase=maybe(rng),
        ),
        lambda: normalizers.Strip(left=maybe(rng), right=maybe(rng)),
        normalizers.StripAccents,
        normalizers.NFC,
        normalizers.NFD,
        normalizers.NFKC,
        normalizers.NFKD,
        normalizers.Lowercase,
        normalizers.Nmt,
        lambda: normalizers.Replace(pattern(rng), rng.choice(["", " ", "▁", "ab", "é", "😀"])),
        lambda: normalizers.Prepend(rng.choice(["▁", " ", "ab", "é"])),
        normalizers.ByteLevel,
    ]
    if depth < 2 and maybe(rng, 0.4):
        return normalizers.Sequence([normalizer(rng, depth + 1) for _ in range(rng.randint(1, 3))])
    return rng.choice(kinds)()


def pre_tokenizer(rng, depth=0):
    kinds = [
        pre_tokenizers.BertPreTokenizer,
        lambda: pre_tokenizers.ByteLevel(add_prefix_space=maybe(rng), use_regex=maybe(rng)),
        lambda: pre_tokenizers.CharDelimiterSplit(rng.choice(["a", " ", "e", "é", "😀"])),
        lambda: pre_tokenizers.Metaspace(
            replacement=rng.choice(["▁", "_", "é"]), prepend_scheme=rng.choice(SCHEMES), split=maybe(rng)
        ),
        pre_tokenizers.Whitespace,
        lambda: pre_tokenizers.Split(pattern(rng), rng.choice(BEHAVIORS), invert=maybe(rng, 0.3)),
        lambda: pre_tokenizers.Punctuation(rng.choice(BEHAVIORS)),
        pre_tokenizers.WhitespaceSplit,
        lambda: pre_tokenizers.Digits(individual_digits=maybe(rng)),
        pre_tokenizers.UnicodeScripts,
        lambda: pre_tokenizers.FixedLength(length=rng.randint(1, 7)),
    ]
    if depth < 2 and maybe(rng, 0.4):
        return pre_tokenizers.Sequence([pre_tokenizer(rng, depth + 1) for _ in range(rng.randint(1, 3))])
    return rng.choice(kinds)()


def vocabulary(rng, extra=()):
    tokens = list(dict.fromkeys([*extra, *WORDS, *LETTERS, *pre_tokenizers.ByteLevel.alphabet()]))
    kept = [token for token in tokens if token in extra or maybe(rng, 0.9)]
    return {token: i for i, token in enumerate(kept)}


def bpe(rng):
    bytes_of = [f"<0x{byte:02X}>" for byte in range(256) if maybe(rng, 0.98)] if maybe(rng, 0.4) else []
    prefix = "##" if maybe(rng, 0.15) else None
    suffix = "</w>" if maybe(rng, 0.15) else None
    vocab = vocabulary(rng, ["[UNK]", *bytes_of])
    letters = [token for token in vocab if len(token) == 1]
    for letter in letters:
        if prefix and maybe(rng, 0.9):
            vocab.setdefault(prefix + letter, len(vocab))
        if suffix and maybe(rng, 0.9):
            vocab.setdefault(letter + suffix, len(vocab))
            if prefix:
                vocab.setdefault(prefix + letter + suffix, len(vocab))
    merges, tokens = [], letters + [token for token in vocab if token.startswith("##") or token.endswith("</w>")]
    common = list("etaoinshrdlu Ġ▁")
    for _ in range(rng.randint(0, 400)):
        left = rng.choice(common if maybe(rng, 0.6) else tokens)
        right = rng.choice(common if maybe(rng, 0.6) and not prefix else tokens)
        if prefix and not right.startswith(prefix) or left not in vocab or right not in vocab:
            continue
        joined = left + (right[len(prefix) :] if prefix else right)
        vocab.setdefault(joined, len(vocab))
        tokens.append(joined)
        merges.append((left, right))
    settings = {
        "unk_token": rng.choice([None, "[UNK]", "[UNK]"]),
        "continuing_subword_prefix": prefix,
        "end_of_word_suffix": suffix,
        "fuse_unk": maybe(rng),
        # With a prefix or suffix, Python's offsets include its bytes, and point past the end of the text.
        "byte_fallback": bool(bytes_of) and not prefix and not suffix,
        "ignore_merges": maybe(rng, 0.3),
        "dropout": rng.choice([None, None, None, 0.0, 1.0]),
    }
    return models.BPE(vocab, merges, **{key: value for key, value in settings.items() if value is not None})


def model(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return bpe(rng)
    if kind == 1:
        pieces = [("[UNK]", 0.0), *[(token, -rng.random() * 9) for token in vocabulary(rng)]]
        fallback = maybe(rng, 0.4)
        if fallback:
            pieces += [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
        return models.Unigram(pieces, unk_id=0, byte_fallback=fallback)
    vocab = vocabulary(rng, ["[UNK]"])
    if kind == 2:
        return models.WordLevel(vocab, unk_token="[UNK]")
    for token in list(vocab):
        if maybe(rng, 0.6):
            vocab.setdefault("##" + token, len(vocab))
    return models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=rng.choice([3, 20, 100]))


def template(rng, cls, sep):
    return processors.TemplateProcessing(
        single=rng.choice(["[CLS] $A [SEP]", "$A [SEP]", "[CLS] $A", "$A"]),
        pair=rng.choice(["[CLS] $A [SEP] $B:1 [SEP]:1", "$A $B:1 [SEP]:1"]),
        special_tokens=[cls, sep],
    )


def post_processor(rng, cls, sep):
    kinds = [
        lambda: template(rng, cls, sep),
        lambda: processors.BertProcessing(sep, cls),
        lambda: processors.RobertaProcessing(sep, cls, trim_offsets=maybe(rng), add_prefix_space=maybe(rng)),
        lambda: processors.ByteLevel(trim_offsets=maybe(rng, 0.8), add_prefix_space=maybe(rng)),
    ]
    if maybe(rng, 0.3):
        trim = processors.ByteLevel(trim_offsets=True, add_prefix_space=maybe(rng))
        return processors.Sequence([trim, rng.choice(kinds[:3])()])
    return rng.choice(kinds)()


def decoder(rng, depth=0):
    kinds = [
        decoders.ByteLevel,
        lambda: decoders.WordPiece(prefix=rng.choice(["##", "▁"]), cleanup=maybe(rng)),
        lambda: decoders.Metaspace(replacement="▁", prepend_scheme=rng.choice(SCHEMES)),
        decoders.ByteFallback,
        decoders.Fuse,
        lambda: decoders.Replace(pattern(rng), rng.choice(["", " ", "x"])),
        lambda: decoders.CTC(pad_token="e", word_delimiter_token="a", cleanup=maybe(rng)),
        decoders.BPEDecoder,
    ]
    if depth < 2 and maybe(rng, 0.5):
        steps = [decoder(rng, depth + 1) for _ in range(rng.randint(1, 3))]
        if maybe(rng):
            steps.append(decoders.Strip(content=rng.choice(" ▁a"), left=rng.randint(0, 2), right=0))
        return decoders.Sequence(steps)
    return rng.choice(kinds)()


def added_tokens(rng):
    contents = ["<s>", "[MASK]", "<a>", "<a longer one>", "New", "été", "whale", "[CLS]", "[SEP]", "▁x", " y ", "\n"]
    for content in rng.sample(contents, rng.randint(0, 6)):
        yield AddedToken(
            content,
            single_word=maybe(rng, 0.3),
            lstrip=maybe(rng, 0.3),
            rstrip=maybe(rng, 0.3),
            normalized=maybe(rng),
            special=maybe(rng),
        )


def pipeline(rng):
    tokenizer = Tokenizer(model(rng))
    if maybe(rng, 0.7):
        tokenizer.normalizer = normalizer(rng)
    if maybe(rng, 0.85):
        tokenizer.pre_tokenizer = pre_tokenizer(rng)
    for token in added_tokens(rng):
        (tokenizer.add_special_tokens if token.special else tokenizer.add_tokens)([token])
    if maybe(rng, 0.7):
        tokenizer.add_special_tokens(["[CLS]", "[SEP]"])
        ends = [("[CLS]", tokenizer.token_to_id("[CLS]")), ("[SEP]", tokenizer.token_to_id("[SEP]"))]
        tokenizer.post_processor = post_processor(rng, *ends)
    if maybe(rng, 0.8):
        tokenizer.decoder = decoder(rng)
    return tokenizer


def units(text):
    """UTF-16 index of each code point, as in JavaScript."""
    at = [0]
    for character in text:
        at.append(at[-1] + (2 if ord(character) > 0xFFFF else 1))
    return at


def case(tokenizer, text):
    try:
        encoding = tokenizer.encode(text)
        at = units(text)
        return {
            "text": text,
            "ids": encoding.ids,
            "offsets": [[at[start], at[end]] for start, end in encoding.offsets],
            "decoded": tokenizer.decode(encoding.ids, skip_special_tokens=False),
            "skipped": tokenizer.decode(encoding.ids, skip_special_tokens=True),
        }
    except (IndexError, KeyboardInterrupt):
        raise
    except BaseException:  # panics of pyo3 are not Exceptions
        return {"text": text}


def is_usual(tokenizer):
    """Whether the texts of added tokens stay different: Python finds equal and empty ones in an undefined order."""
    tokens = list(tokenizer.get_added_tokens_decoder().values())
    if tokenizer.normalizer is None:
        return True
    texts = [tokenizer.normalizer.normalize_str(t.content) if t.normalized else t.content for t in tokens]
    return "" not in texts and len(set(texts)) == len(texts)


def write(seed, number, texts):
    rng = random.Random(f"{seed} {number}")
    tokenizer = Tokenizer.from_str(pipeline(rng).to_str())
    if not is_usual(tokenizer):
        return
    cases = [case(tokenizer, text) for text in unusual_texts(rng, texts)]
    line = {"name": f"{seed} {number}", "tokenizer": json.loads(tokenizer.to_str()), "cases": cases}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main(seed, count, texts):
    """Runs each in a separate process, because some components of Python's library crash or use all memory."""
    for number in range(count):
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            continue
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
        signal.alarm(20)
        try:
            write(seed, number, texts)
        except BaseException as error:
            print(number, repr(error)[:200], file=sys.stderr, flush=True)
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
