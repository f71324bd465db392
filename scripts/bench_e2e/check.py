"""Whether both compute the same model. No time is printed before this has passed."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from . import model

TOKENS = 32


def cosine(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def reference(directory, ids, cache):
    key = "-".join(str(token) for token in ids[:8])
    file = cache / f"reference-{key}.npy"
    if not file.exists():
        script = Path(__file__).with_name("reference.py")
        subprocess.run([sys.executable, script, directory, ",".join(map(str, ids)), file], check=True)
    return np.load(file)


def check(ours, theirs, directory, cache):
    return compare(ours, theirs, lambda ids: reference(directory, ids, cache), cache / "logits.f32")


def compare(ours, theirs, float32, scratch, tokens=TOKENS):
    """Figures for the report; ends the program where the two do not agree. float32: ids to logits [1 + ids, V]."""
    theirs.vision(), theirs.prefill()
    ids = theirs.decode(tokens)["tokens"]
    a = ours.forced_logits(ids, scratch)
    b = theirs.forced_logits(ids)
    f = float32(ids)
    if not (np.isfinite(a).all() and a.shape == b.shape == f.shape):
        raise SystemExit(f"bench: logits are not finite or of wrong shape: {a.shape}, expected {f.shape}")
    ours.vision(), ours.prefill()
    own = ours.decode(tokens)["tokens"]
    found = {
        "tokens": tokens,
        "cosine_topv_transformers": cosine(a[0], b[0]),
        "cosine_topv_float32": cosine(a[0], f[0]),
        "cosine_transformers_float32": cosine(b[0], f[0]),
        "least_cosine_topv_float32": min(map(cosine, a, f)),
        "least_cosine_transformers_float32": min(map(cosine, b, f)),
        "greedy_topv_as_float32": int((a.argmax(1) == f.argmax(1)).sum()),
        "greedy_transformers_as_float32": int((b.argmax(1) == f.argmax(1)).sum()),
        "greedy_topv_as_transformers": int((a.argmax(1) == b.argmax(1)).sum()),
        "free_running_equal_prefix": next((i for i, (x, y) in enumerate(zip(own, ids)) if x != y), tokens),
    }
    # 1 - cosine grows with the square of the error: ours is at most twice theirs
    as_near = 1 - found["cosine_topv_float32"] <= 4 * (1 - found["cosine_transformers_float32"])
    if found["cosine_topv_transformers"] < 0.999 and not as_near:
        raise SystemExit(f"bench: the logits differ: {found}")
    far = [i for i in range(len(a)) if not near_tie(a[i], b[i], f[i])]
    if far:
        raise SystemExit(f"bench: other tokens than transformers, and no near ties, after {far} tokens: {found}")
    return found


def near_tie(a, b, f):
    """The tokens agree, or float32 tells them apart by no more than what bf16 rounding moves a logit: its error in 6 sigma."""
    x, y = a.argmax(), b.argmax()
    return abs(f[x] - f[y]) <= 6 * np.sqrt(np.mean((b - f) ** 2))
