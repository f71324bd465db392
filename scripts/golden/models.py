"""Small random checkpoints, each in the form of one that is met in the wild."""

import json
import math
from dataclasses import dataclass, field

import torch
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, LlamaConfig, LlamaForCausalLM, LlavaConfig, LlavaForConditionalGeneration

from . import tokenizer

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
NEVER_SAID = range(len(tokenizer.SPECIALS))  # output rows that are zero: no special token ever wins


@dataclass
class Model:
    """names: new (save_original_format=False), default (what 5.18 saves), v452, old (4.x, sharded)."""

    name: str
    seed: int
    text: dict
    vision: dict | None = None
    llava: dict = field(default_factory=dict)
    names: str = "default"
    dtype: torch.dtype = torch.bfloat16
    template_in: str = "jinja"


def text(**fields):
    base = dict(
        hidden_size=48, intermediate_size=96, num_hidden_layers=4, num_attention_heads=4,
        vocab_size=104, max_position_embeddings=512, tie_word_embeddings=False, pad_token_id=None,
    )
    return base | fields


def vision(**fields):
    base = dict(
        hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4, image_size=48, patch_size=8,
        projection_dim=32,
    )
    return base | fields


MODELS = [
    Model("llava-mha", 101, text(num_attention_heads=3, intermediate_size=80, tie_word_embeddings=True,
                                 num_hidden_layers=3),
          vision(image_size=56, patch_size=14), names="default"),
    Model("llava-gqa", 102, text(hidden_size=40, num_attention_heads=4, num_key_value_heads=2, head_dim=24,
                                 intermediate_size=64, rms_norm_eps=1e-5),
          vision(), names="new"),
    Model("llava-odd", 103, text(hidden_size=40, num_attention_heads=5, num_key_value_heads=1, intermediate_size=72,
                                 vocab_size=101, num_hidden_layers=3),
          vision(hidden_size=24, num_attention_heads=3, num_hidden_layers=4, image_size=35, patch_size=7,
                 hidden_act="gelu", layer_norm_eps=1e-6),
          dict(vision_feature_layer=[-1, 1, -3], vision_feature_select_strategy="full",
               projector_hidden_act="gelu_pytorch_tanh", multimodal_projector_bias=False, image_seq_length=26),
          names="v452", template_in="config"),
    Model("llava-last", 104, text(hidden_size=32, num_attention_heads=2, intermediate_size=64, num_hidden_layers=2),
          vision(hidden_size=16, num_attention_heads=2, num_hidden_layers=2, image_size=28, patch_size=14),
          dict(vision_feature_layer=-1), dtype=torch.float16),
    Model("llava-old-names", 105, text(num_attention_heads=3, num_key_value_heads=3, num_hidden_layers=3),
          vision(), names="old", template_in="json"),
    Model("llama-text", 106, text(hidden_size=32, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64,
                                  num_hidden_layers=3),
          dtype=torch.float32, template_in="config"),
    Model("llama-linear-rope", 107, text(hidden_size=32, num_attention_heads=2, num_key_value_heads=2,
                                         intermediate_size=64, num_hidden_layers=3,
                                         rope_parameters=dict(rope_type="linear", factor=2.5, rope_theta=5000.0))),
    Model("llama3-rope", 108, text(hidden_size=32, num_attention_heads=2, num_key_value_heads=1, head_dim=32,
                                   intermediate_size=64, num_hidden_layers=3,
                                   rope_parameters=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0,
                                                        high_freq_factor=4.0, original_max_position_embeddings=64,
                                                        rope_theta=500000.0))),
    Model("llama-attention-bias", 109, text(hidden_size=32, num_attention_heads=4, num_key_value_heads=2,
                                            intermediate_size=64, num_hidden_layers=3, attention_bias=True,
                                            mlp_bias=True, tie_word_embeddings=True)),
]


def build(spec, seed):
    """The model with weights that make every part matter: no unit norm, no zero bias, separated logits."""
    text_config = LlamaConfig(**spec.text)
    if spec.vision:
        config = LlavaConfig(
            text_config=text_config,
            vision_config=CLIPVisionConfig(**spec.vision),
            image_token_index=tokenizer.IMAGE_ID,
            tie_word_embeddings=spec.text["tie_word_embeddings"],
            **(dict(image_seq_length=(spec.vision["image_size"] // spec.vision["patch_size"]) ** 2) | spec.llava),
        )
        model = LlavaForConditionalGeneration(config)
    else:
        model = LlamaForCausalLM(text_config)
    generator = torch.Generator().manual_seed(seed)
    # tied, a large embedding would make every token answer itself
    embedding = 0.15 if spec.text["tie_word_embeddings"] else 0.5
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            parameter.copy_(representable(random_weight(name, parameter.shape, embedding, generator)))
        head = model.get_output_embeddings().weight
        head[list(NEVER_SAID)] = 0
        for p in model.parameters():
            p.requires_grad_(False)
    return model.eval()


def random_weight(name, shape, embedding, generator):
    normal = torch.randn(shape, generator=generator)
    if "norm" in name or "layrnorm" in name:
        uniform = torch.rand(shape, generator=generator)
        return 0.6 + 0.8 * uniform if name.endswith("weight") else 0.2 * normal
    if name.endswith("bias"):
        return 0.2 * normal
    if "embed_tokens" in name:
        return embedding * normal
    if "position_embedding" in name or "class_embedding" in name:
        return 0.5 * normal
    if "lm_head" in name:
        return 0.5 * normal
    gain = 2 if "o_proj" in name or "down_proj" in name else 1
    return gain * normal / math.sqrt(math.prod(shape[1:]))


def representable(weight):
    """Exact in bfloat16 and in float16, so that every run computes with the same weights."""
    weight = weight.to(torch.bfloat16).float()
    return torch.where(weight.abs() < 2**-8, torch.zeros_like(weight), weight)


def save(spec, model, directory):
    """The whole Hugging Face directory."""
    directory.mkdir(parents=True)
    saved = model.to(spec.dtype)
    saved.save_pretrained(directory, save_original_format=spec.names != "new")
    if spec.names in ("v452", "old"):
        rename(directory, spec.names)
    if spec.names == "old":
        write_sparse_config(directory)
    tokenizer.write(directory, spec.text["vocab_size"], spec.vision is not None, spec.template_in)
    if spec.vision:
        write_processor(directory, spec)


def rename(directory, names):
    """From what 5.18 saves by default to what 4.52 or earlier versions saved."""
    from safetensors.torch import load_file

    file = directory / "model.safetensors"
    tensors = {}
    for name, tensor in load_file(file).items():
        name = name.replace("vision_tower.", "vision_tower.vision_model.")
        if names == "v452":
            name = name.replace("language_model.model.", "model.language_model.")
            name = name.replace("language_model.lm_head", "lm_head")
            if name.startswith(("vision_tower", "multi_modal_projector")):
                name = "model." + name
        tensors[name] = tensor
    file.unlink()
    if names != "old":
        save_file(tensors, file, metadata={"format": "pt"})
        return
    # position_ids was a saved buffer once: an I64 tensor that is no weight
    positions = tensors["vision_tower.vision_model.embeddings.position_embedding.weight"].shape[0]
    tensors["vision_tower.vision_model.embeddings.position_ids"] = torch.arange(positions)[None]
    shards, weight_map, count = {}, {}, 3
    for i, name in enumerate(sorted(tensors)):
        shard = f"model-{i * count // len(tensors) + 1:05}-of-{count:05}.safetensors"
        shards.setdefault(shard, {})[name] = tensors[name]
        weight_map[name] = shard
    for shard, part in shards.items():
        save_file(part, directory / shard, metadata={"format": "pt"})
    total = sum(t.nbytes for t in tensors.values())
    (directory / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=1) + "\n"
    )


def write_sparse_config(directory):
    """As transformers 4 saved it: torch_dtype, rope_theta beside the rest, and no field that has its default."""
    file = directory / "config.json"
    config = json.loads(file.read_text())
    for key in ("multimodal_projector_bias", "projector_hidden_act", "vision_feature_layer",
                "vision_feature_select_strategy", "image_seq_length"):
        del config[key]
    config |= {"torch_dtype": config.pop("dtype"), "ignore_index": -100, "transformers_version": "4.36.0.dev0"}
    part = config["text_config"]
    rope = part.pop("rope_parameters")
    part |= {"rope_scaling": None, "rope_theta": rope["rope_theta"], "torch_dtype": "float16"}
    for default in (LlamaConfig().to_dict(), {"head_dim": part["head_dim"], "rope_scaling": None}):
        for key in [k for k, v in part.items() if k != "model_type" and k in default and default[k] == v]:
            del part[key]
    part = config["vision_config"]
    default = CLIPVisionConfig().to_dict()
    for key in [k for k, v in part.items() if k != "model_type" and k in default and default[k] == v]:
        del part[key]
    file.write_text(json.dumps(config, indent=2) + "\n")


def write_processor(directory, spec):
    size = spec.vision["image_size"]
    strategy = spec.llava.get("vision_feature_select_strategy", "default")
    (directory / "preprocessor_config.json").write_text(json.dumps({
        "crop_size": {"height": size, "width": size},
        "do_center_crop": True,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": CLIP_MEAN,
        "image_processor_type": "CLIPImageProcessor",
        "image_std": CLIP_STD,
        "processor_class": "LlavaProcessor",
        "resample": 3,
        "rescale_factor": 1 / 255,
        "size": {"shortest_edge": size},
    }, indent=1) + "\n")
    (directory / "processor_config.json").write_text(json.dumps({
        "image_token": "<image>",
        "num_additional_image_tokens": 1,
        "patch_size": spec.vision["patch_size"],
        "processor_class": "LlavaProcessor",
        "vision_feature_select_strategy": strategy,
    }, indent=1) + "\n")
