"""TopV inside transformers' LLaVA, in float64: the oracle of pruning from the picture to the answer.

Layers are counted from 1, as in the paper: with layer = 2, two layers run over the whole prompt of T tokens, and the
layers from 3 on over the T' survivors (all text, and the kept visual tokens). Positions of the rotary embedding:

                           layers 1..layer           layers above, prompt          layers above, generated token t
    positions = keep       0..T-1, then T + t        those of the survivors        T + t
    positions = compact    0..T-1, then T + t        0..T'-1                       T' + t

early_kv = full: generated tokens attend, in layers 1..layer, to all T prompt tokens; compact: only to the survivors
(whose keys stay as they were computed, with their original positions, whatever `positions` says).

Two implementations must agree before anything is written: one with explicit caches that shrink, and transformers' own
forward over prompt and answer at once, where hooks hide the pruned columns.
"""

import json
import math
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

import topv_reference as reference

from . import run

TOKENS = 32


@dataclass(frozen=True)
class Case:
    name: str
    params: reference.Params = field(default_factory=reference.Params)
    images: int = 1
    layer: int = 2
    top: int = 12
    recover_every: int = 0
    positions: str = "keep"
    early_kv: str = "full"


CASES = (
    [Case(f"solver-{s}", reference.Params(solver=s)) for s in reference.SOLVERS]
    + [Case(f"{p}-{e}-recover-{m}", positions=p, early_kv=e, recover_every=m)
       for p in ("keep", "compact") for e in ("full", "compact") for m in (0, 4)]
    + [
        Case("two-images-keep", images=2, top=9, recover_every=4),
        Case("two-images-compact", images=2, top=9, recover_every=4, positions="compact", early_kv="compact"),
        Case("layer-1", layer=1),
        Case("layer-3-compact", layer=3, positions="compact", early_kv="compact"),
        Case("recovered-only", top=0, recover_every=5),
        Case("other-factors", reference.Params("unbalanced", 7, 0.5, 2.0, 0.1, 2.5, 0.3, 0.4), recover_every=3),
    ]
)


class Pruned:
    """A prompt and its answer with caches that shrink after the prune layer."""

    def __init__(self, model, case, spans, grid):
        self.decoder = model.model.language_model
        self.head = model.lm_head
        self.case, self.spans, self.grid = case, spans, grid
        self.keys = [None] * len(self.decoder.layers)
        self.values = [None] * len(self.decoder.layers)

    def attend(self, i, x, positions):
        """x [n, C] after the first norm; extends the cache of layer i by n rows."""
        attention = self.decoder.layers[i].self_attn
        heads = lambda y: y.view(len(x), -1, attention.head_dim).transpose(0, 1)
        q, k, v = (heads(p(x)) for p in (attention.q_proj, attention.k_proj, attention.v_proj))
        cos, sin = self.decoder.rotary_emb(x[None], positions[None])
        q, k = (y * cos + torch.cat((-y[..., y.shape[-1] // 2:], y[..., : y.shape[-1] // 2]), -1) * sin for y in (q, k))
        if self.keys[i] is not None:
            k, v = torch.cat((self.keys[i], k), 1), torch.cat((self.values[i], v), 1)
        self.keys[i], self.values[i] = k, v
        k, v = (y.repeat_interleave(attention.num_key_value_groups, 0) for y in (k, v))
        scores = q @ k.transpose(1, 2) * attention.scaling
        n, total = scores.shape[1:]
        hidden = torch.ones(n, total, dtype=torch.bool).triu(total - n + 1)
        out = scores.masked_fill(hidden, -math.inf).softmax(-1) @ v
        return attention.o_proj(out.transpose(0, 1).reshape(n, -1))

    def layer(self, i, h, positions):
        """(output, what enters the MLP)"""
        layer = self.decoder.layers[i]
        middle = h + self.attend(i, layer.input_layernorm(h), positions)
        x = layer.post_attention_layernorm(middle)
        return middle + layer.mlp(x), x

    def select(self, source, target):
        """Kept indices and importance per image."""
        results = []
        for start, length in self.spans:
            rows = slice(start, start + length)
            results.append(reference.select(source[rows].numpy(), target[rows].numpy(), *self.grid, self.case.params,
                                            self.case.top, self.case.recover_every))
        return [k for k, _ in results], [s for _, s in results]

    def prefill(self, h):
        """Logits [V] of the last token."""
        self.length, self.out = len(h), {}
        positions = torch.arange(self.length)
        for i in range(len(self.keys)):
            entering = h
            h, x = self.layer(i, h, positions)
            if i == self.case.layer - 1:
                self.kept, self.importance = self.select(entering, x)
                self.rows = survivors(self.length, self.spans, self.kept)
                h = h[self.rows]
                positions = self.rows if self.case.positions == "keep" else torch.arange(len(self.rows))
                if self.case.early_kv == "compact":
                    for j in range(i + 1):
                        self.keys[j], self.values[j] = self.keys[j][:, self.rows], self.values[j][:, self.rows]
        self.out["last_layer"] = h
        return self.head(self.decoder.norm(h[-1:]))[0]

    def decode(self, token, t):
        """Logits [V] after the t-th generated token."""
        h = self.decoder.embed_tokens(torch.tensor([token]))
        above = self.length if self.case.positions == "keep" else len(self.rows)
        for i in range(len(self.keys)):
            position = (self.length if i < self.case.layer else above) + t
            h, _ = self.layer(i, h, torch.tensor([position]))
        return self.head(self.decoder.norm(h))[0]


def survivors(length, spans, kept):
    alive = torch.ones(length, dtype=torch.bool)
    for (start, size), indices in zip(spans, kept):
        alive[start : start + size] = False
        alive[start + torch.tensor(indices, dtype=torch.long)] = True
    return alive.nonzero().flatten()


def hooked_logits(model, embeddings, tokens, case, rows):
    """Logits [len(tokens), V] by transformers' forward over prompt and answer; hooks hide what was pruned."""
    decoder = model.model.language_model
    answer = decoder.embed_tokens(torch.tensor(tokens[:-1], dtype=torch.long))
    h = torch.cat((embeddings, answer))[None]
    length, total = len(embeddings), h.shape[1]
    pruned = torch.ones(total, dtype=torch.bool)
    pruned[rows], pruned[length:] = False, False
    causal = torch.ones(total, total, dtype=torch.bool).triu(1)
    natural = torch.arange(total)
    compacted = natural.clone()
    compacted[rows] = torch.arange(len(rows))
    compacted[length:] = len(rows) + torch.arange(total - length)
    handles = []
    for i, layer in enumerate(decoder.layers):
        early = i < case.layer
        hidden = causal.clone()
        if not early:
            hidden |= pruned[None, :]
        elif case.early_kv == "compact":
            hidden[length:] |= pruned[None, :]
        hidden.fill_diagonal_(False)  # a pruned row sees itself: no row may be empty
        mask = torch.zeros(total, total, dtype=h.dtype).masked_fill(hidden, -math.inf)[None, None]
        positions = natural if early or case.positions == "keep" else compacted
        angles = decoder.rotary_emb(h, positions[None])

        def hook(module, args, kwargs, mask=mask, angles=angles):
            return args, kwargs | {"attention_mask": mask, "position_embeddings": angles}

        handles.append(layer.register_forward_pre_hook(hook, with_kwargs=True))
    out = decoder(inputs_embeds=h, use_cache=False).last_hidden_state
    for handle in handles:
        handle.remove()
    return model.lm_head(out)[0, length - 1 :]


def answer(model, embeddings, case, spans, grid):
    """(the Pruned, tokens, smallest gap, logits of the prompt's last token); both implementations have agreed."""
    pruned = Pruned(model, case, spans, grid)
    logits = [pruned.prefill(embeddings)]
    tokens, gap = [], math.inf
    for t in range(TOKENS):
        best = logits[-1].topk(2)
        gap = min(gap, (best.values[0] - best.values[1]).item())
        tokens.append(best.indices[0].item())
        if t + 1 < TOKENS:
            logits.append(pruned.decode(tokens[-1], t))
    torch.testing.assert_close(hooked_logits(model, embeddings, tokens, case, pruned.rows), torch.stack(logits),
                               rtol=1e-9, atol=1e-9)
    return pruned, tokens, gap, logits[0]


def margin(importance, top):
    """How clearly the last kept token beats the first pruned one, relative to the largest importance."""
    ordered = np.sort(importance)[::-1]
    return math.inf if top in (0, len(ordered)) else float((ordered[top - 1] - ordered[top]) / ordered[0])


def keeping_all_changes_nothing(model, embeddings, ids, pixels, spans, grid):
    everything = Case("all", top=spans[0][1])
    _, tokens, _, _ = answer(model, embeddings, everything, spans, grid)
    assert tokens == run.greedy(model, ids, pixels, TOKENS)[0]


def write(model_directory, spec):
    """topv/topv.json and topv/topv.safetensors. False when a case is too close to a tie to test anything."""
    directory = model_directory / "topv"
    directory.mkdir()
    for i, size in enumerate([(64, 48), (37, 80)]):
        run.picture(spec.seed + i, *size).save(directory / f"image-{i}.png", optimize=True)
    model = run.load(model_directory, True, torch.float64)
    listed, tensors = [], {}
    for case in CASES:
        names = [f"image-{i}.png" for i in range(case.images)]
        pictures = [Image.open(directory / name) for name in names]
        question = "What is it?" if case.images == 1 else "Are they the same?"
        chat, rendered, ids, pixels = run.inputs(model_directory, True, pictures, question)
        side = spec.vision["image_size"] // spec.vision["patch_size"]
        spans = run.spans(ids, 4, side * side)
        with torch.no_grad():
            embeddings = run.stages(model, ids, pixels)["embeddings"]
            keeping_all_changes_nothing(model, embeddings, ids, pixels, spans, (side, side))
            pruned, tokens, gap, logits = answer(model, embeddings, case, spans, (side, side))
        smallest_margin = min(margin(s, case.top) for s in pruned.importance)
        if gap < 2e-3 or smallest_margin < 1e-4:
            print(f"{case.name}: gap {gap:.5f}, margin {smallest_margin:.2e}: too close, next seed")
            return False
        listed.append(asdict(case) | {
            "messages": chat, "prompt": rendered, "image_files": names, "prompt_ids": ids[0].tolist(),
            "grid": [side, side], "spans": spans, "kept": [k.tolist() for k in pruned.kept], "greedy": tokens,
            "smallest_gap": gap, "smallest_margin": min(smallest_margin, 1.0),
        })
        for name, tensor in pruned.out.items():
            tensors[f"{case.name}/{name}"] = tensor.float().contiguous()
        tensors[f"{case.name}/importance"] = torch.tensor(np.concatenate(pruned.importance)).float()
        tensors[f"{case.name}/logits"] = logits.float().contiguous()
    (directory / "topv.json").write_text(run.pretty({"cases": listed}))
    save_file(tensors, directory / "topv.safetensors")
    print(f"topv: {len(listed)} cases, {len({tuple(map(tuple, c['kept'])) for c in listed})} different selections, "
          f"{len({tuple(c['greedy']) for c in listed})} different answers")
    return True
