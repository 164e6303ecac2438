"""Texts that are unusual: scripts, marks, white space, control characters, emoji, code, numbers, special tokens."""

import unicodedata

PARTS = [
    "The whale said: it's what we'll do; don't you think he'd agree? YOU'RE, 'S, ’tis.",
    "  leading and trailing  ",
    "\n\n\n\ttabs\t\tand\r\nDOS lines\r\n \n",
    "x   y    z\u00a0no-break\u3000wide\u2003em\u200bzero",
    "Ελληνικά ΣΟΦΟΣ ς",
    "русский язык, Привет мир",
    "עברית עִבְרִית",
    "العربية ٱلْعَرَبِيَّة",
    "हिन्दी क्षत्रिय",
    "ไทย ภาษาไทยที่",
    "日本語と漢字。カタカナ ｶﾞｷﾞ ー",
    "한국어 한글 \u1112\u1161\u11ab",
    "ქართული Հայերեն አማርኛ",
    "Tiếng Việt e\u0301a\u0308\u0323 q\u0307\u0323 \u0344 \u0958",
    "👍🏽 👨\u200d👩\u200d👧\u200d👦 🇫🇷🇩🇪 🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "\U0001d4b3\U00010400 ﬁ ǅ ẞ İ ŉ ﷺ ㎏ ① ² ½ Ⅻ ٣٤ ㋿ 🯱",
    "123 4567890 3.14e-10 $1,000.00 1_000",
    "#tag @name https://a.b/c?d=e&f=%20 a@b.c",
    'function f(x) {\n    return x === 0 ? [] : { ...f(x - 1), "k\\n": x % 2 }\n}',
    "<div class='a'>&nbsp;</div><!-- -->",
    "\u0007\u001b[0m\u007f\u0085\u00ad\ufeff\ufffd\u2028\u2029\u0000\u000b\u008f",
    "constructor __proto__ toString",
    "…—“quotes” ‹›«» ¿qué? ¡hé! naïve café Åström œuvre ‘single’ „low“ 5′ 6″",
    "<s> </s> <pad> <unk> <mask> [CLS] [SEP] [MASK] <|endoftext|> <|im_start|> <bos> <eos>",
    "<a> <a longer one> New été whale ▁x  y  <0x41> ##s",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a b c d e f g h i j k",
    "▁▁▁ ▁a ▁ Ġthe Ċ",
    "!!!!???....,,,,;;;;::::((((]]]]",
    "ALL CAPS CamelCase snake_case kebab-case",
    "I do not know . It 's n't ' a ' , ok ?",
    "\ue000\U000f0000 \u0378 \U0001fae8 \U0001e900 \u1c80 \u0897",
    "T\u0332h\u0332e\u0332 z\u0351\u036b\u0343a\u0302\u0301l\u0345g\u0321o",
]
CHARACTERS = "abcdeABC 019.,!?'\"-_<>[]|\n\t éßИбאبहก日本한▁Ġ👍😀\u0301\u0308\u0323\u200d\ufe0f\u00a0\u2028"


def unusual_texts(rng, count):
    texts = ["", " ", "word", *PARTS]
    texts = rng.sample(texts, min(count, len(texts)))
    while len(texts) < count:
        kind = rng.random()
        if kind < 0.4:
            text = rng.choice(["", " ", "\n", "  "]).join(rng.choice(PARTS) for _ in range(rng.randint(2, 4)))
        elif kind < 0.7:
            text = "".join(rng.choice(CHARACTERS) for _ in range(rng.randint(1, 60)))
        elif kind < 0.85:
            part = rng.choice(PARTS)
            start = rng.randrange(len(part))
            text = part[start : start + rng.randint(1, 20)]
        else:
            text = "".join(chr(random_code(rng)) for _ in range(rng.randint(1, 30)))
        texts.append(text)
    return texts


def random_code(rng):
    """Whether a character is in Unicode 14: JavaScript's tables are one version newer than those of Python's library."""
    ranges = [(0, 0x250), (0x250, 0x3000), (0x3000, 0xD800), (0xF900, 0x10000), (0x10000, 0x12000), (0x1D400, 0x1FB00)]
    low, high = rng.choice(ranges)
    code = rng.randrange(low, high)
    return code if unicodedata.category(chr(code)) != "Cn" else random_code(rng)
