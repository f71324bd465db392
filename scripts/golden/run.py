"""What transformers computes at every stage of a prompt, and the tokens that it says greedily."""

import json
import math
import re

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPImageProcessorPil, LlamaForCausalLM, LlavaForConditionalGeneration, LlavaProcessor
from transformers import PreTrainedTokenizerFast

from .tokenizer import LLAVA_TEMPLATE, TEXT_TEMPLATE

GREEDY_TOKENS = 64


def picture(seed, width, height):
    """A smooth random picture: small as PNG, different everywhere."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    channels = []
    for _ in range(3):
        a, b, c, d = rng.uniform(-9, 9, 4)
        wave = np.sin(a * x + b * y + c) + np.cos(d * x * y + a) + (np.hypot(x - 0.4, y - 0.3) < 0.2) * rng.uniform(-1, 1)
        channels.append((wave - wave.min()) / (wave.max() - wave.min()) * 255)
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8) // 8 * 8)


def load(directory, vision, dtype):
    """Through from_pretrained: so what lies there is known to be what transformers reads."""
    kind = LlavaForConditionalGeneration if vision else LlamaForCausalLM
    model, info = kind.from_pretrained(directory, dtype=dtype, output_loading_info=True)
    unexpected = {k for k in info["unexpected_keys"] if not k.endswith("position_ids")}
    assert not info["missing_keys"] and not unexpected and not info["mismatched_keys"], info
    return model.eval()


def messages(vision, images, question):
    if not vision:
        return [{"role": "user", "content": question}]
    content = [{"type": "image"}] * images + [{"type": "text", "text": question}]
    return [{"role": "user", "content": content}]


def inputs(directory, vision, pictures, question):
    """(messages, rendered prompt, input ids [1, T], pixel values [I, 3, H, W] or None)"""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(directory)
    chat = messages(vision, len(pictures), question)
    template = LLAVA_TEMPLATE if vision else TEXT_TEMPLATE
    rendered = tokenizer.apply_chat_template(chat, chat_template=template, tokenize=False, add_generation_prompt=True)
    if not vision:
        return chat, rendered, tokenizer(rendered, return_tensors="pt").input_ids, None
    settings = json.loads((directory / "processor_config.json").read_text())
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil.from_pretrained(directory),
        tokenizer=tokenizer,
        patch_size=settings["patch_size"],
        vision_feature_select_strategy=settings["vision_feature_select_strategy"],
        num_additional_image_tokens=settings["num_additional_image_tokens"],
    )
    batch = processor(images=pictures or None, text=rendered, return_tensors="pt")
    return chat, rendered, batch.input_ids, batch.get("pixel_values")


def stages(model, ids, pixels):
    """Every stage's tensor by its name, without the batch dimension."""
    out, handles = {}, []
    llava = isinstance(model, LlavaForConditionalGeneration)
    decoder = model.model.language_model if llava else model.model

    def record(name, pick):
        def hook(module, args, kwargs, output):
            out[name] = pick(args, kwargs, output).detach().clone()
        return hook

    first = lambda args, kwargs, output: output[0] if isinstance(output, tuple) else output
    for i, layer in enumerate(decoder.layers):
        handles.append(layer.register_forward_hook(record(f"layer.{i}", first), with_kwargs=True))
    entering = lambda args, kwargs, output: args[0] if args else kwargs["hidden_states"]
    handles.append(decoder.layers[0].register_forward_hook(record("embeddings", entering), with_kwargs=True))
    if pixels is not None:
        projector = model.model.multi_modal_projector
        into = lambda args, kwargs, output: args[0]
        handles.append(projector.register_forward_hook(record("vision_features", into), with_kwargs=True))
        handles.append(projector.linear_2.register_forward_hook(record("image_features", first), with_kwargs=True))
    with torch.no_grad():
        arguments = {} if pixels is None else {"pixel_values": pixels.to(model.dtype)}
        logits = model(input_ids=ids, **arguments, use_cache=False).logits
    for handle in handles:
        handle.remove()
    per_image = ("vision_features", "image_features")
    out = {k: v if k in per_image else v[0] for k, v in out.items()}
    out["logits"] = logits[0]
    if pixels is not None:
        out["pixel_values"] = pixels
    return out


def greedy(model, ids, pixels, count=GREEDY_TOKENS):
    """(token ids, smallest distance between the best and the second logit)"""
    arguments = {} if pixels is None else {"pixel_values": pixels.to(model.dtype)}
    tokens, gap, cache = [], math.inf, None
    step = ids
    with torch.no_grad():
        for _ in range(count):
            result = model(input_ids=step, past_key_values=cache, use_cache=True, **arguments)
            cache, arguments = result.past_key_values, {}
            best = result.logits[0, -1].float().topk(2)
            gap = min(gap, (best.values[0] - best.values[1]).item())
            tokens.append(best.indices[0].item())
            step = torch.tensor([[tokens[-1]]])
    return tokens, gap


def cosine(a, b):
    a, b = a.double().flatten(), b.double().flatten()
    return (a @ b / (a.norm() * b.norm())).item()


def pretty(value):
    """JSON with lists of numbers on one line."""
    text = json.dumps(value, indent=1)
    return re.sub(r"\[[\s\d,.e-]*\]", lambda m: re.sub(r"\s+", "", m[0]), text) + "\n"


def spans(ids, image_id, per_image):
    """[start, length] of each image's placeholders."""
    positions = (ids[0] == image_id).nonzero().flatten().tolist()
    return [[positions[i], per_image] for i in range(0, len(positions), per_image)]


def write_case(model_directory, spec, case, pictures, question):
    """cases/<case>: meta.json, the pictures, float32.safetensors, bfloat16.safetensors. Returns meta."""
    directory = model_directory / "cases" / case
    directory.mkdir(parents=True)
    for i, image in enumerate(pictures):
        image.save(directory / f"image-{i}.png", optimize=True)
    pictures = [Image.open(directory / f"image-{i}.png") for i in range(len(pictures))]
    vision = spec.vision is not None
    chat, rendered, ids, pixels = inputs(model_directory, vision, pictures, question)
    meta = {
        "model": spec.name,
        "case": case,
        "messages": chat,
        "prompt": rendered,
        "images": [f"image-{i}.png" for i in range(len(pictures))],
        "prompt_ids": ids[0].tolist(),
        "greedy": {},
        "smallest_gap": {},
    }
    if vision:
        grid = spec.vision["image_size"] // spec.vision["patch_size"]
        full = spec.llava.get("vision_feature_select_strategy") == "full"
        meta["grid"] = [grid, grid]
        meta["spans"] = spans(ids, 4, grid * grid + full)
    reference = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        model = load(model_directory, vision, dtype)
        tensors = stages(model, ids, pixels)
        meta["greedy"][name], meta["smallest_gap"][name] = greedy(model, ids, pixels)
        if name == "float32":
            reference = tensors
        else:
            meta["bfloat16_cosine"] = {k: round(cosine(tensors[k], reference[k]), 6) for k in tensors}
            tensors.pop("pixel_values", None)
        save_file({k: v.contiguous() for k, v in tensors.items()}, directory / f"{name}.safetensors")
    (directory / "meta.json").write_text(pretty(meta))
    return meta


def write_resized(model_directory, spec, sides):
    """resized.safetensors: projector output for images of other sizes, positions interpolated."""
    model = load(model_directory, True, torch.float32)
    generator = torch.Generator().manual_seed(spec.seed)
    tensors = {}
    for side in sides:
        pixels = torch.randn((1, 3, side, side), generator=generator)
        with torch.no_grad():
            out = model.model.vision_tower(pixels, output_hidden_states=True, interpolate_pos_encoding=True)
            features = out.hidden_states[model.config.vision_feature_layer][:, 1:]
            tensors[f"{side}/pixel_values"] = pixels[0]
            tensors[f"{side}/image_features"] = model.model.multi_modal_projector(features)[0]
    save_file(tensors, model_directory / "resized.safetensors")
