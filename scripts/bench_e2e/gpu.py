"""LLaVA-1.5-7B's geometry on a GPU, topv against transformers with sdpa: scripts/bench e2e --device cuda.

The weights are random and no file of their size exists: each tensor is a piece of one pool of random numbers, chosen by
its name, on both sides (TensorPool.java). So both compute the same model, which is checked before anything is timed.
"""

import copy
import datetime
import json
import re
import statistics
import time
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from transformers import LlavaConfig, LlavaForConditionalGeneration

from . import check, engines, model

SCALES = 1 << 16  # numbers about 1 at the pool's end: the weights of norms
STEP = 64


@dataclass(frozen=True)
class Geometry:
    name: str
    text: dict
    vision: dict
    image_token: int
    keep: int  # visual tokens that TopV keeps
    batches: tuple
    decoded: int

    @property
    def side(self):
        return self.vision["image_size"]

    @property
    def visual_tokens(self):
        return (self.side // self.vision["patch_size"]) ** 2

    def config(self):
        return dict(
            model.CONFIG, text_config=self.text, vision_config=self.vision, image_token_index=self.image_token,
            image_seq_length=self.visual_tokens,
        )  # fmt: skip

    def largest(self):
        """Numbers of the largest tensor."""
        return self.text["hidden_size"] * max(self.text["vocab_size"], self.text["intermediate_size"])

    def pixels(self):
        return model.pixels(self.side)

    def prompt(self):
        return model.prompt(self.visual_tokens, self.image_token)


SEVEN_B = Geometry(
    "LLaVA-1.5-7B",
    dict(
        model.TEXT, hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32,
        num_key_value_heads=32, head_dim=128, vocab_size=32064, max_position_embeddings=4096,
    ),
    model.VISION, model.IMAGE_TOKEN, keep=265, batches=(1, 32), decoded=32,
)  # fmt: skip
SMALL = Geometry(
    "small",
    dict(
        SEVEN_B.text, hidden_size=128, intermediate_size=192, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=2, head_dim=64, vocab_size=512,
    ),
    dict(
        model.VISION, hidden_size=128, intermediate_size=192, num_hidden_layers=3, num_attention_heads=2, image_size=84),
    image_token=511, keep=18, batches=(1, 2), decoded=3,
)  # fmt: skip


def make_pool(file, largest, device):
    """Room for the largest tensor at some thousand offsets."""
    elements = largest + (1 << 20) + SCALES
    if file.exists() and file.stat().st_size == 2 * elements:
        return
    generator = torch.Generator(device).manual_seed(model.SEED)
    pool = torch.randn(elements, generator=generator, device=device) * 0.02
    pool[-SCALES:] = 1 + 5 * pool[-SCALES:]
    file.write_bytes(pool.to(torch.bfloat16).view(torch.int16).cpu().numpy().tobytes())


def stored(name):
    """What a parameter of transformers is called in the pool."""
    name = re.sub(r"^model\.language_model\.", "language_model.model.", name)
    name = re.sub(r"^lm_head\.", "language_model.lm_head.", name)
    name = re.sub(r"^model\.vision_tower\.(vision_model\.)?", "vision_tower.vision_model.", name)
    return re.sub(r"^model\.multi_modal_projector\.", "multi_modal_projector.", name)


def piece(pool, name, shape):
    count = int(np.prod(shape))
    scale = len(shape) == 1 and re.search(r"norm\d?\.weight$", name) is not None
    first, room = (len(pool) - SCALES, SCALES - count) if scale else (0, len(pool) - SCALES - count)
    offset = first + zlib.crc32(name.encode()) % (room // STEP + 1) * STEP
    return pool[offset : offset + count].view(shape)


def reference_model(settings, pool, device):
    """transformers' model over the pool, bfloat16."""
    with torch.device("meta"):
        llava = LlavaForConditionalGeneration._from_config(LlavaConfig(**copy.deepcopy(settings)), attn_implementation="sdpa")
    llava = llava.to(torch.bfloat16).eval()
    with torch.no_grad():
        for name, parameter in list(llava.named_parameters()):
            owner = llava.get_submodule(name.rpartition(".")[0])
            value = piece(pool, stored(name), tuple(parameter.shape)).clone()
            setattr(owner, name.rpartition(".")[2], torch.nn.Parameter(value, requires_grad=False))
    # buffers are computed, not stored: made anew on the device
    for module in llava.modules():
        if hasattr(module, "inv_freq"):
            module.inv_freq, module.attention_scaling = module.compute_default_rope_parameters(module.config, device)
            module.original_inv_freq = module.inv_freq
        if hasattr(module, "position_ids"):
            module.position_ids = torch.arange(module.position_ids.shape[-1], device=device)[None]
    left = [name for name, tensor in [*llava.named_parameters(), *llava.named_buffers()] if tensor.is_meta]
    if left:
        raise SystemExit(f"bench: transformers keeps {left}, which this program does not know")
    return llava


def times(engine, batch, decoded, keep=None, rounds=5):
    """Medians in ms of the stages; decode is per token."""
    engine.batch(batch)
    arguments = () if keep is None else ((keep,),)
    samples = []
    for _ in range(rounds + 1):  # the first one warms up
        first = engine.first(*arguments)["ms"]
        vision = engine.vision()["ms"]
        prefill = engine.prefill(*arguments)["ms"]
        decode = engine.decode(decoded)["ms"] / decoded
        samples.append({"first": first, "vision": vision, "prefill": prefill, "decode": decode})
    samples = samples[1:]
    return {
        name: {
            "median": statistics.median(values), "least": min(values), "most": max(values), "samples": len(values),
        }
        for name in samples[0]
        if (values := [sample[name] for sample in samples])
    }  # fmt: skip


def cast(llava, dtype):
    """The parameters alone: the frequencies of RoPE stay float32."""
    for parameter in llava.parameters():
        parameter.data = parameter.data.to(dtype)
    return llava


def agreement(ours, theirs, geometry, scratch):
    """As on the CPU: our logits are about as far from float32's as transformers' are, tokens differ at near ties only."""

    def float32(ids):
        exact = engines.Transformers(cast(theirs.model, torch.float32), geometry.pixels(), geometry.prompt(), torch.float32)
        logits = exact.logits_in_one_pass(ids)
        cast(theirs.model, torch.bfloat16)  # unharmed: every number was one of bfloat16
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return logits

    return check.compare(ours, theirs, float32, scratch, geometry.decoded)


def row(name, one, other):
    return f"| {name} | {one['median']:.2f} ({one['least']:.2f} .. {one['most']:.2f}) | {other['median']:.2f} | \
{other['median'] / one['median']:.2f} x |"


def markdown(result):
    lines = [
        f"{result['geometry']} geometry, random weights, bfloat16, {result['prompt_tokens']} prompt tokens of which "
        f"{result['visual_tokens']} visual; TopV keeps {result['kept']}. Milliseconds; {result['versions']}.",
        "",
        "| | topv | transformers | gain |",
        "| --- | ---: | ---: | ---: |",
    ]
    titles = {"first": "time to first token", "vision": "vision", "prefill": "prefill", "decode": "decode, per step"}
    for batch, who in result["batches"].items():
        for stage, title in titles.items():
            lines.append(row(f"{title}, batch {batch}", who["topv"][stage], who["transformers"][stage]))
            if stage != "vision":
                lines.append(row(f"the same, pruned, batch {batch}", who["pruned"][stage], who["transformers"][stage]))
    return lines


def main(options, cache):
    start = time.monotonic()
    geometry = SMALL if options.small else SEVEN_B
    device = torch.device("cpu" if options.small else options.device)
    directory = cache / geometry.name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(geometry.config(), indent=1))
    file = directory / "pool.bf16"
    make_pool(file, geometry.largest(), device)
    pool = torch.from_file(str(file), size=file.stat().st_size // 2, dtype=torch.bfloat16).to(device)
    pixels, prompt = directory / "pixels.f32", directory / "prompt.txt"
    geometry.pixels().tofile(pixels)
    prompt.write_text(" ".join(map(str, geometry.prompt())))

    theirs = engines.Transformers(reference_model(geometry.config(), pool, device), geometry.pixels(), geometry.prompt())
    del pool
    print(f"bench: transformers' model stands after {time.monotonic() - start:.0f} s", flush=True)
    ours = engines.Topv(
        directory, pixels, prompt, "--device", options.device, "--pool", file, "--most", max(geometry.batches)
    )
    print(f"bench: ours, too, loaded in {ours.load_ms / 1e3:.1f} s", flush=True)
    result = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "geometry": geometry.name,
        "device": ours.loaded["device"],
        "versions": engines.Transformers.versions(),
        "prompt_tokens": len(geometry.prompt()),
        "visual_tokens": geometry.visual_tokens,
        "kept": geometry.keep,
        "load_ms": ours.load_ms,
        "agreement": agreement(ours, theirs, geometry, directory / "logits.f32"),
        "batches": {},
    }
    print(f"bench: both agree after {time.monotonic() - start:.0f} s: {result['agreement']}", flush=True)
    for batch in geometry.batches:
        if time.monotonic() - start > options.seconds * 0.7:
            print(f"bench: no time for batch {batch}", flush=True)
            break
        result["batches"][batch] = {
            "topv": times(ours, batch, geometry.decoded),
            "pruned": times(ours, batch, geometry.decoded, geometry.keep),
            "transformers": times(theirs, batch, geometry.decoded),
        }
        if options.json:  # what comes next may take too long
            options.json.write_text(json.dumps(result, indent=1) + "\n")
    ours.close()
    print(*markdown(result), sep="\n", flush=True)
