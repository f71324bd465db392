"""Training batches: one picture with all its questions in one packed sequence.

    <s>USER: <image>*N  \n question ASSISTANT: answer</s>  \n question ASSISTANT: answer</s> ...

A question sees the picture and itself only, and its positions restart after the picture, so each question is
computed exactly as when it is asked alone.
"""

from functools import lru_cache

import numpy as np
import torch

from demo_model.tokenizer import BOS, EOS, IMAGE, PAD
from scenes import KINDS, ask, sample_scene

PATCH = 14
QUESTIONS = 20
TEXT = 220  # rows for the questions of one picture, the same in every batch
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])


class Batches(torch.utils.data.IterableDataset):
    """Endless batches for one stage; batch i of a (seed, size) is always the same."""

    def __init__(self, tokenizer, size, batch, seed, start=0, limit=None):
        self.tokenizer, self.size, self.batch, self.seed, self.start, self.limit = tokenizer, size, batch, seed, start, limit
        self.encode = lru_cache(maxsize=200_000)(lambda text: tokenizer.encode(text, add_special_tokens=False).ids)
        self.prefix = [BOS, *self.encode("USER: "), *[IMAGE] * (size // PATCH) ** 2]

    def __getstate__(self):
        return {k: v for k, v in self.__dict__.items() if k != "encode"}

    def __iter__(self):
        index = self.start
        while self.limit is None or index < self.start + self.limit:
            yield self.make(np.random.default_rng([self.seed, self.size, index]))
            index += 1

    def make(self, rng):
        scenes = [sample_scene(rng, self.size) for _ in range(self.batch)]
        rows = [self.pack(ask(rng, scene)) for scene in scenes]
        patches = np.stack([scene.patch_labels() for scene in scenes])
        ask_rows = np.zeros((self.batch, QUESTIONS), np.int64)
        look = np.zeros((self.batch, QUESTIONS, patches.shape[-1]), bool)
        for i, row in enumerate(rows):
            for j, (at, cells) in enumerate(row[5][:QUESTIONS]):
                ask_rows[i, j] = at
                look[i, j] = np.isin(patches[i, 4], [1 + c for c in cells])
        length = len(self.prefix) + TEXT
        ids, positions, segments, targets, kinds = (
            torch.tensor(np.stack([np.pad(row[i], (0, length - len(row[i])), constant_values=fill) for row in rows]))
            for i, fill in enumerate((PAD, 0, -1, -100, -1)))
        return {
            "pixels": torch.from_numpy(np.stack([np.asarray(scene.render()) for scene in scenes])),
            "patches": torch.from_numpy(patches), "ask_rows": torch.from_numpy(ask_rows), "look": torch.from_numpy(look),
            "ids": ids, "positions": positions, "segments": segments, "targets": targets, "kinds": kinds}

    def pack(self, questions):
        """ids, positions, segments (0 the picture, then one per question), targets, the kind at each target, and per
        question the row that starts the answer with the cells to look at."""
        n = len(self.prefix)
        ids, positions, segments, targets, kinds, looks = list(self.prefix), list(range(n)), [0] * n, [-100] * n, [-1] * n, []
        for kind, question, answer, cells in questions:
            prompt = self.encode(f"\n{question} ASSISTANT:")
            reply = [*self.encode(f" {answer}"), EOS]
            text = [*prompt, *reply[:-1]]
            if len(ids) + len(text) > n + TEXT:
                continue
            looks.append((len(ids) + len(prompt) - 1, cells))
            ids += text
            positions += range(n, n + len(text))
            segments += [max(segments[-1], 0) + 1] * len(text)
            targets += [-100] * (len(prompt) - 1) + reply
            kinds += [-1] * (len(prompt) - 1) + [KINDS.index(kind)] * len(reply)
        return *(np.array(v) for v in (ids, positions, segments, targets, kinds)), looks


def normalize(pixels):
    return (pixels.float() / 255 - MEAN.to(pixels.device)) / STD.to(pixels.device)


def attention_mask(segments):
    """True where row may look at column: not later, and in the picture or in the same question."""
    length = segments.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    return causal & ((segments[:, None, :] == 0) | (segments[:, None, :] == segments[:, :, None]))
