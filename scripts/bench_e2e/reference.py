"""Logits in float32 by transformers, in a process of its own so that its 6 GB go away: reference.py DIR IDS OUT.npy"""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench_e2e import engines, model  # noqa: E402


def main():
    directory, ids, out = sys.argv[1:]
    float32 = engines.Transformers.load(directory, model.pixels(), model.prompt(), 2, torch.float32)
    np.save(out, float32.logits_in_one_pass([int(token) for token in ids.split(",")]))


if __name__ == "__main__":
    main()
