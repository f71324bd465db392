#!/usr/bin/env python3
"""Makes the test data of the Java tokenizer: two tiny tokenizers, and what Python gives for them.

    scripts/fetch_assets llama2 llama3 qwen2_5
    python scripts/make_tokenizer_golden.py

Writes java/engine/src/test/resources/tokenizer/: tiny_bytes (byte-level BPE, as GPT-2 and Qwen) and
tiny_pieces (SentencePiece-style BPE with byte fallback, as LLaMA-2), strings.json, and
golden/NAME.json with ids and decoded texts of every string by Python's tokenizers.
"""

import json
import pathlib
import random

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "java/engine/src/test/resources/tokenizer"
REAL = ROOT / ".cache/assets/tokenizers"

WORDS = """the a of and to in is on it was red green blue yellow circle square triangle star small
large left right above below between how many are there what colour where does picture show word
count read position question answer image token model vision language hello world naïve café über
straße 你好 世界 図形 круг квадрат שלום عالم one two three four five six seven eight nine ten
running runner runs walked walking walks lower lowest newer newest wide wider widest""".split()

HARD = [
    "",
    " ",
    "  leading",
    "trailing  ",
    "\n\n\ttabs\n",
    "a",
    "Hello, world!",
    "hello  two   three    spaces",
    "don't I'LL we've",
    "1234567890 3.14159 1,000,000",
    "👩‍👩‍👧‍👦 family 🏳️‍🌈 flag 👍🏽",
    "e\u0301 vs \u00e9, \ufb01 ligature, \u212b angstrom",
    "你好,世界。これは日本語です。한국어",
    "שלום עולם مرحبا بالعالم",
    "\u202eRTL override\u202c and \u200b zero width \ufeff BOM",
    "NUL \u0000 in the middle",
    "\u0001\u0002\u001f\u007f\u0080\u009f",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𠜎",
    "<s>inside</s><unk>",
    "<s> spaced </s> <unk> ",
    " <s>",
    "<|im_start|>user\nHi<|im_end|>\n<image>",
    "<image>\n<image> two",
    "▁metaspace ▁▁ itself",
    "<0x41><0xE4>",
    "\ufffd replacement \ufffd\ufffd",
    "USER: <image>\nWhat is this? ASSISTANT:",
    "def f(x):\n    return x ** 2  # code\n",
    "ᏣᎳᎩ ไทย हिन्दी தமிழ் ქართული",
    "a" * 70,
    "word " * 20,
]


def random_strings(rng, count):
    planes = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x5FF), (0x900, 0xDFF), (0x3040, 0x30FF)]
    planes += [(0x4E00, 0x9FFF), (0x1F300, 0x1FAFF), (0x2000, 0x206F), (0x0, 0xD7FF)]
    for _ in range(count):
        low, high = rng.choice(planes)
        length = rng.randint(1, 40)
        chars = (chr(rng.randint(low, high)) if rng.random() < 0.8 else " " for _ in range(length))
        yield "".join(chars)


def corpus(rng):
    for _ in range(3000):
        yield " ".join(rng.choice(WORDS) for _ in range(rng.randint(3, 12))) + rng.choice(".?!\n")


def tiny_bytes(rng):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(rng), trainer)
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    config = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "bos_token": None}
    config["image_token"] = "<image>"
    return tokenizer, config


def tiny_pieces(rng):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    parts = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    tokenizer.normalizer = normalizers.Sequence(parts)
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(parts + [decoders.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=special, max_token_length=12, show_progress=False
    )
    # A pre-tokenizer for training only: merges must not join words, as in SentencePiece.
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(corpus(rng), trainer)
    state = json.loads(tokenizer.to_str())
    state["pre_tokenizer"] = None
    state["added_tokens"] = [
        dict(id=i, content=c, single_word=False, lstrip=False, rstrip=False, normalized=True,
             special=True)
        for i, c in enumerate(special[:3])
    ]  # fmt: skip
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens([AddedToken("<image>", normalized=False, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    bos = {"__type": "AddedToken", "content": "<s>", "lstrip": False, "normalized": True}
    config = {"bos_token": bos, "eos_token": "</s>", "unk_token": "<unk>", "pad_token": None}
    return tokenizer, config


def save(name, tokenizer, config):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def golden(name, tokenizer, strings, keep=lambda text: True):
    """One row per string, null for one not kept; what a row leaves out equals the field before."""
    rows = []
    # tokenizers 0.23 decodes special tokens that are "normalized" in their normalized form, and
    # does not skip them; 0.21, which Java has, does as for the others. The flag is for encoding.
    decoder = not_normalized(tokenizer)
    for text in strings:
        if not keep(text):
            rows.append(None)
            continue
        row = {"ids": tokenizer.encode(text, add_special_tokens=True).ids}
        bare = tokenizer.encode(text, add_special_tokens=False).ids
        decoded = decoder.decode(row["ids"], skip_special_tokens=True)
        full = decoder.decode(row["ids"], skip_special_tokens=False)
        row |= {"bare": bare} if bare != row["ids"] else {}
        row |= {"decoded": decoded} if decoded != text else {}
        row |= {"decoded_with_special": full} if full != decoded else {}
        rows.append(row)
    lines = ",\n".join(json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in rows)
    (OUT / "golden").mkdir(exist_ok=True)
    (OUT / f"golden/{name}.json").write_text(f"[\n{lines}\n]\n")
    print(name, sum(row is not None for row in rows), "strings")


def not_normalized(tokenizer):
    """LLaMA-2's file marks <s> </s> <unk> as normalized; other exports do not."""
    state = json.loads(tokenizer.to_str())
    for token in state["added_tokens"]:
        token["normalized"] = False
    return Tokenizer.from_str(json.dumps(state))


def has_markup(text):
    return "<" in text


def main():
    rng = random.Random(20260704)
    strings = HARD + list(random_strings(rng, 80))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "strings.json").write_text(json.dumps(strings, indent=0) + "\n")
    for name, make in {"tiny_bytes": tiny_bytes, "tiny_pieces": tiny_pieces}.items():
        tokenizer, config = make(rng)
        save(name, tokenizer, config)
        golden(name, tokenizer, strings)
        golden(name + "_not_normalized", not_normalized(tokenizer), strings, has_markup)
    for name in ("llama2", "llama3", "qwen2_5"):
        tokenizer = Tokenizer.from_file(str(REAL / name / "tokenizer.json"))
        golden(name, tokenizer, strings)
        if name == "llama2":
            golden(name + "_not_normalized", not_normalized(tokenizer), strings, has_markup)


if __name__ == "__main__":
    main()
