"""Writes the trained model as a Hugging Face LLaVA-1.5 checkpoint, in the key names of llava-hf/llava-1.5-7b-hf."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

from demo_model.model import Llava, Shape, resize_positions
from demo_model.tokenizer import BOS, EOS, IMAGE, PAD, SPECIALS, UNK

CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}"
    "{# Images first #}{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{# Then the text #}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] + ' '}}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}")


def load(state_file, grid=24):
    """The trained model in float32, its tokenizer and the images it saw; its position embeddings brought to the shipped grid."""
    state = torch.load(state_file, weights_only=True)
    weights = state["model"]
    weights["vision.position"] = resize_positions(weights["vision.position"], grid)
    model = Llava(Shape(grid=grid))
    model.load_state_dict(weights)
    return model, Tokenizer.from_str(state["tokenizer"]), state["images"]


def tensors(model):
    """Hugging Face name -> tensor."""
    out = {}

    def put(name, module):
        out.update({f"{name}.{key}": value for key, value in module.state_dict().items()})

    def put_parts(names, module):
        for key, value in module.state_dict().items():
            for name, part in zip(names, value.chunk(len(names))):
                out[f"{name}.{key}"] = part

    vision, s = model.vision, model.shape
    tower = "vision_tower.vision_model"
    out[f"{tower}.embeddings.class_embedding"] = vision.cls
    out[f"{tower}.embeddings.patch_embedding.weight"] = vision.embed.weight.view(-1, 3, s.patch, s.patch)
    out[f"{tower}.embeddings.position_embedding.weight"] = vision.position
    put(f"{tower}.pre_layrnorm", vision.norm)
    put(f"{tower}.post_layernorm", torch.nn.LayerNorm(s.vision_width))  # LLaVA does not use it
    for i, layer in enumerate(vision.layers):
        at = f"{tower}.encoder.layers.{i}"
        put_parts([f"{at}.self_attn.{x}_proj" for x in "qkv"], layer.qkv)
        put(f"{at}.self_attn.out_proj", layer.out)
        put(f"{at}.layer_norm1", layer.norm1), put(f"{at}.layer_norm2", layer.norm2)
        put(f"{at}.mlp.fc1", layer.up), put(f"{at}.mlp.fc2", layer.down)
    put("multi_modal_projector.linear_1", model.project1), put("multi_modal_projector.linear_2", model.project2)
    put("language_model.model.embed_tokens", model.embed)
    for i, layer in enumerate(model.layers):
        at = f"language_model.model.layers.{i}"
        put(f"{at}.input_layernorm", layer.norm1), put(f"{at}.post_attention_layernorm", layer.norm2)
        put_parts([f"{at}.self_attn.{x}_proj" for x in "qkv"], layer.qkv)
        put(f"{at}.self_attn.o_proj", layer.out)
        put_parts([f"{at}.mlp.gate_proj", f"{at}.mlp.up_proj"], layer.gate_up)
        put(f"{at}.mlp.down_proj", layer.down)
    put("language_model.model.norm", model.norm)
    return {name: value.detach().to(torch.bfloat16).contiguous() for name, value in out.items()}


def config(s):
    return {
        "architectures": ["LlavaForConditionalGeneration"], "model_type": "llava", "dtype": "bfloat16",
        "image_token_index": IMAGE, "image_seq_length": s.grid ** 2, "projector_hidden_act": "gelu",
        "multimodal_projector_bias": True, "vision_feature_select_strategy": "default", "vision_feature_layer": -1,
        "tie_word_embeddings": True, "bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD,
        "vision_config": {
            "model_type": "clip_vision_model", "hidden_size": s.vision_width, "intermediate_size": s.vision_mlp,
            "num_hidden_layers": s.vision_layers, "num_attention_heads": s.vision_heads, "image_size": s.grid * s.patch,
            "patch_size": s.patch, "num_channels": 3, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5,
            "projection_dim": s.vision_width},
        "text_config": {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": s.width,
            "intermediate_size": s.mlp, "num_hidden_layers": s.layers, "num_attention_heads": s.heads,
            "num_key_value_heads": s.heads, "head_dim": s.width // s.heads, "vocab_size": s.vocabulary,
            "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "hidden_act": "silu", "attention_bias": False,
            "mlp_bias": False, "rope_theta": s.theta, "tie_word_embeddings": True,
            "bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD}}


def export(model, tokenizer, folder):
    from safetensors.torch import save_file

    folder, s = Path(folder), model.shape
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors(model), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    side = s.grid * s.patch
    special = {"bos_token": SPECIALS[BOS], "eos_token": SPECIALS[EOS], "unk_token": SPECIALS[UNK], "pad_token": SPECIALS[PAD]}
    files = {
        "config.json": config(s),
        "generation_config.json": {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD, "do_sample": False,
                                   "max_new_tokens": 64},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "processor_class": "LlavaProcessor", "model_max_length": 2048,
            "padding_side": "left", "clean_up_tokenization_spaces": False, "image_token": SPECIALS[IMAGE],
            "extra_special_tokens": {"image_token": SPECIALS[IMAGE]},
            "added_tokens_decoder": {str(i): {"content": token, "special": True, "normalized": False, "lstrip": False,
                                              "rstrip": False, "single_word": False} for i, token in enumerate(SPECIALS)},
            **special},
        "special_tokens_map.json": special,
        "preprocessor_config.json": {
            "image_processor_type": "CLIPImageProcessor", "processor_class": "LlavaProcessor", "do_convert_rgb": True,
            "do_resize": True, "size": {"shortest_edge": side}, "resample": 3, "do_center_crop": True,
            "crop_size": {"height": side, "width": side}, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
            "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]},
        "processor_config.json": {"processor_class": "LlavaProcessor", "image_token": SPECIALS[IMAGE], "patch_size": s.patch,
                                  "num_additional_image_tokens": 1, "vision_feature_select_strategy": "default"}}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
