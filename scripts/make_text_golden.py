#!/usr/bin/env python3
"""Writes java/engine/src/test/resources/golden/real-text.json: what transformers says greedily, in float32, with the
real models that scripts/fetch_assets converts.

    scripts/fetch_assets stories15m minimind2-small && scripts/make_text_golden.py
"""

import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

from golden import run  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / ".cache/assets/models"
TARGET = ROOT / "java/engine/src/test/resources/golden/real-text.json"
CASES = [
    ("stories15m", "Once upon a time", None),
    ("stories15m", "The little red car could not find", None),
    ("minimind2-small", None, "What is a computer?"),
    ("minimind2-small", None, "Please explain why the sky is blue."),
]


def case(name, text, question):
    model = run.load(MODELS / name, False, torch.float32)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(MODELS / name)
    messages = [{"role": "user", "content": question}] if question else []
    if question:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(text, return_tensors="pt").input_ids
    tokens, gap = run.greedy(model, ids, None)
    answer = tokenizer.decode(tokens, skip_special_tokens=True)
    print(f"{name}: gap {gap:.4f}: {answer!r}")
    assert gap > 2e-3 and model.config.eos_token_id not in tokens, "choose another prompt"
    return {"model": name, "messages": messages, "prompt": text, "prompt_ids": ids[0].tolist(), "greedy": tokens,
            "smallest_gap": gap, "text": answer}


def main():
    torch.set_num_threads(1)
    TARGET.write_text(run.pretty({"cases": [case(*c) for c in CASES]}))


if __name__ == "__main__":
    main()
