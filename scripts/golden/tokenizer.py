"""A tokenizer of about a hundred tokens in LLaMA's style: characters and a few pairs, "_" marks a space."""

import json

SPECIALS = ["<unk>", "<s>", "</s>", "<pad>", "<image>"]
SPACE = "\u2581"
CHARACTERS = (
    ["\n", SPACE] + [chr(c) for c in range(ord("a"), ord("z") + 1)]
    + [chr(c) for c in range(ord("A"), ord("Z") + 1)] + list("0123456789.,:?!'-")
)
PAIRS = (
    "he th in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi "
    "ri ro ic ne ea ra ce li ch ll be ma si om ur"
).split()
IMAGE_ID = SPECIALS.index("<image>")

LLAVA_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}"
    "{# Render all images first #}{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}"
    "{{ '<image>\n' }}{% endfor %}"
    "{# Render all text next #}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ content['text'] + ' '}}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
TEXT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' + message['content'] + ' ' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def tokenizer_json(vocab_size):
    """The text of a tokenizer.json with exactly vocab_size tokens."""
    pairs = PAIRS[: vocab_size - len(SPECIALS) - len(CHARACTERS)]
    tokens = SPECIALS + CHARACTERS + pairs
    assert len(tokens) == vocab_size and len(set(tokens)) == vocab_size
    special = [
        {"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for i, t in enumerate(SPECIALS)
    ]
    bos = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    sequence = {"Sequence": {"id": "A", "type_id": 0}}
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": special,
            "normalizer": {
                "type": "Sequence",
                "normalizers": [
                    {"type": "Prepend", "prepend": SPACE},
                    {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
                ],
            },
            "pre_tokenizer": None,
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [bos, sequence],
                "pair": [bos, sequence, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
            },
            "decoder": {
                "type": "Sequence",
                "decoders": [
                    {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                    {"type": "Fuse"},
                    {"type": "Strip", "content": " ", "start": 1, "stop": 0},
                ],
            },
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": "<unk>",
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": True,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": {t: i for i, t in enumerate(tokens)},
                "merges": [[p[0], p[1]] for p in pairs],
            },
        },
        ensure_ascii=False,
        indent=1,
    )


def write(directory, vocab_size, vision, template_in):
    """tokenizer.json, tokenizer_config.json and the chat template ('jinja', 'json' or 'config') of a model."""
    (directory / "tokenizer.json").write_text(tokenizer_json(vocab_size))
    template = LLAVA_TEMPLATE if vision else TEXT_TEMPLATE
    config = {
        "add_bos_token": True,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 512,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    if vision:
        config["image_token"] = "<image>"
    if template_in == "config":
        config["chat_template"] = template
    elif template_in == "json":
        (directory / "chat_template.json").write_text(json.dumps({"chat_template": template}, indent=1) + "\n")
    else:
        (directory / "chat_template.jinja").write_text(template)
    (directory / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
