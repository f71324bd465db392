"""A LLaVA-1.5 checkpoint of real geometry with random weights: TinyLlama-1.1B's decoder, CLIP ViT-L/14-336's tower."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

SEED = 20240607
TEXT = dict(
    model_type="llama", architectures=["LlamaForCausalLM"], hidden_size=2048, intermediate_size=5632,
    num_hidden_layers=22, num_attention_heads=32, num_key_value_heads=4, head_dim=64, vocab_size=32000,
    max_position_embeddings=2048, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False, hidden_act="silu",
    bos_token_id=1, eos_token_id=2, pad_token_id=0,
)
VISION = dict(
    model_type="clip_vision_model", hidden_size=1024, intermediate_size=4096, num_hidden_layers=24,
    num_attention_heads=16, image_size=336, patch_size=14, projection_dim=768, hidden_act="quick_gelu",
    layer_norm_eps=1e-5,
)
IMAGE_TOKEN = 31999  # any id the prompt's text does not use
VISUAL_TOKENS = 576
CONFIG = dict(
    architectures=["LlavaForConditionalGeneration"], model_type="llava", image_token_index=IMAGE_TOKEN,
    image_seq_length=VISUAL_TOKENS, projector_hidden_act="gelu", vision_feature_layer=-2,
    vision_feature_select_strategy="default", tie_word_embeddings=False, dtype="bfloat16",
    text_config=TEXT, vision_config=VISION,
)


def text_shapes():
    c, f, kv = TEXT["hidden_size"], TEXT["intermediate_size"], TEXT["num_key_value_heads"] * TEXT["head_dim"]
    yield "language_model.model.embed_tokens.weight", (TEXT["vocab_size"], c)
    for i in range(TEXT["num_hidden_layers"]):
        layer = f"language_model.model.layers.{i}."
        for name, rows, cols in (("q_proj", c, c), ("k_proj", kv, c), ("v_proj", kv, c), ("o_proj", c, c)):
            yield f"{layer}self_attn.{name}.weight", (rows, cols)
        for name, rows, cols in (("gate_proj", f, c), ("up_proj", f, c), ("down_proj", c, f)):
            yield f"{layer}mlp.{name}.weight", (rows, cols)
        yield f"{layer}input_layernorm.weight", (c,)
        yield f"{layer}post_attention_layernorm.weight", (c,)
    yield "language_model.model.norm.weight", (c,)
    yield "language_model.lm_head.weight", (TEXT["vocab_size"], c)


def vision_shapes():
    c, f, patch = VISION["hidden_size"], VISION["intermediate_size"], VISION["patch_size"]
    root = "vision_tower.vision_model."
    yield f"{root}embeddings.class_embedding", (c,)
    yield f"{root}embeddings.patch_embedding.weight", (c, 3, patch, patch)
    yield f"{root}embeddings.position_embedding.weight", (VISUAL_TOKENS + 1, c)
    names = [("pre_layrnorm", c, None), ("post_layernorm", c, None)]
    for i in range(VISION["num_hidden_layers"]):
        names += [(f"encoder.layers.{i}.self_attn.{p}_proj", c, c) for p in ("q", "k", "v", "out")]
        names += [(f"encoder.layers.{i}.mlp.fc1", f, c), (f"encoder.layers.{i}.mlp.fc2", c, f)]
        names += [(f"encoder.layers.{i}.layer_norm{n}", c, None) for n in (1, 2)]
    for name, rows, cols in names:
        yield f"{root}{name}.weight", (rows,) if cols is None else (rows, cols)
        yield f"{root}{name}.bias", (rows,)
    d = TEXT["hidden_size"]
    for name, cols in (("linear_1", c), ("linear_2", d)):
        yield f"multi_modal_projector.{name}.weight", (d, cols)
        yield f"multi_modal_projector.{name}.bias", (d,)


def weight(name, shape, generator):
    normal = torch.randn(shape, generator=generator)
    if "norm" in name or "layrnorm" in name:
        return 1 + 0.1 * normal if name.endswith("weight") else 0.1 * normal
    if "embed" in name and "patch" not in name:
        return normal * (0.5 if "embed_tokens" in name else 0.02)
    return normal * 0.02


def make(directory: Path):
    """Writes the checkpoint (2.8 GB in shards) unless it is there already."""
    index_file = directory / "model.safetensors.index.json"
    if index_file.exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    print(f"bench: writing a random checkpoint to {directory} (once)", flush=True)
    generator = torch.Generator().manual_seed(SEED)
    shards, current, size = [], {}, 0
    for name, shape in [*text_shapes(), *vision_shapes()]:
        current[name] = weight(name, shape, generator).to(torch.bfloat16)
        size += current[name].numel() * 2
        if size > 500e6:
            shards, current, size = save(directory, shards, current), {}, 0
    shards = save(directory, shards, current)
    (directory / "config.json").write_text(json.dumps(CONFIG, indent=1))
    weight_map = {name: file for file, names, _ in shards for name in names}
    total = sum(size for *_, size in shards)
    index_file.write_text(json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=1))


def save(directory, shards, tensors):
    file = f"model-{len(shards) + 1:05d}.safetensors"
    save_file(tensors, directory / file, metadata={"format": "pt"})
    return [*shards, (file, list(tensors), sum(t.numel() * 2 for t in tensors.values()))]


def prompt(places=VISUAL_TOKENS, image_token=IMAGE_TOKEN):
    """<s>, 35 tokens of text, places for the image, 24 tokens of text."""
    words = np.random.default_rng(SEED).integers(3, image_token, size=59).tolist()
    return [1, *words[:35], *[image_token] * places, *words[35:]]


def pixels(side=336):
    """A normalized picture, float32 [3, side, side]: noise over smooth waves."""
    y, x = np.mgrid[0:side, 0:side] / side
    waves = np.stack([np.sin(7 * x + 3 * y), np.cos(5 * y - 2 * x), np.sin(9 * x * y)])
    return (waves + 0.3 * np.random.default_rng(SEED).standard_normal((3, side, side))).astype(np.float32)


def decoder_bytes_per_token():
    """Bytes of weights that one decoded token reads: all matrices of the decoder but the embedding."""
    return sum(2 * int(np.prod(shape)) for name, shape in text_shapes() if "embed_tokens" not in name)
