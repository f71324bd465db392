#!/usr/bin/env python3
"""Renders chat templates with transformers: the golden files of the Java template engine.

    scripts/fetch_assets                # real templates that are not in the repository
    python scripts/make_template_golden.py [--extract]

Reads java/engine/src/test/resources/templates/{manifest.json,*.jinja}, writes golden/*.json beside
them. A template whose licence does not allow it in the repository is read from .cache/assets, and
its golden file holds SHA-256 digests in place of texts. --extract also copies the templates that may
be in the repository out of .cache/assets.
"""

import argparse
import copy
import datetime
import hashlib
import json
import pathlib

from transformers.utils import chat_template_utils

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "java/engine/src/test/resources/templates"
TOKENIZERS = ROOT / ".cache/assets/tokenizers"


class FrozenClock(datetime.datetime):
    """The Java test sets its clock to the same moment."""

    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 4, 5, 6, 7, tzinfo=tz)


def message(role, content, **more):
    return {"role": role, "content": content, **more}


def text(value):
    return {"type": "text", "text": value}


IMAGE = {"type": "image"}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather <now> & \"later\" – in °C",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "the city's name"},
                "days": {"type": "integer", "default": 1},
                "unit": {"type": "string", "enum": ["c", "f"]},
            },
            "required": ["city"],
        },
    },
}
TIME = {"type": "function", "function": {"name": "time", "description": "", "parameters": {}}}
CALL = {
    "type": "function",
    "id": "abcdefghi",
    "function": {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2, "x": 1.0}},
}
RESULT = message("tool", '{"t": 21.5}', tool_call_id="abcdefghi", name="get_weather")

SYSTEM = message("system", "You are terse.")
HELLO = message("user", "Hello, who are you?")
ANSWER = message("assistant", "I am a model.")
AGAIN = message("user", "  Really?\n")
ODD = message("user", "\n 👩‍👩‍👧 naïve שלום 你好 \u0000\u00a0<b>'\"&\\n</b>\t ")
SPECS = message("assistant", "<think>\nhm\n</think>\n\nYes.", reasoning_content="hm")
ONE_IMAGE = message("user", [IMAGE, text("What is this?")])
TWO_IMAGES = message("user", [text("Compare"), IMAGE, text("and "), IMAGE, text(" please.")])
CALLED = message("assistant", None, tool_calls=[CALL])
CALLED_TWICE = message("assistant", "Looking.", tool_calls=[CALL, CALL])

CONTEXTS = {
    "user": dict(messages=[HELLO], add_generation_prompt=True),
    "user_no_prompt": dict(messages=[HELLO], add_generation_prompt=False),
    "system": dict(messages=[SYSTEM, HELLO], add_generation_prompt=True),
    "turns": dict(messages=[HELLO, ANSWER, AGAIN], add_generation_prompt=True),
    "turns_no_prompt": dict(messages=[HELLO, ANSWER], add_generation_prompt=False),
    "system_turns": dict(messages=[SYSTEM, HELLO, ANSWER, AGAIN], add_generation_prompt=True),
    "unicode": dict(messages=[message("system", "« é »\n"), ODD], add_generation_prompt=True),
    "empty_content": dict(messages=[message("user", ""), message("assistant", "")]),
    "two_users": dict(messages=[HELLO, AGAIN], add_generation_prompt=True),
    "assistant_first": dict(messages=[ANSWER, HELLO], add_generation_prompt=True),
    "unknown_role": dict(messages=[message("critic", "No.")], add_generation_prompt=True),
    "reasoning": dict(messages=[HELLO, SPECS, AGAIN], add_generation_prompt=True),
    "no_thinking": dict(messages=[HELLO], add_generation_prompt=True, enable_thinking=False),
    "tools": dict(messages=[SYSTEM, HELLO], add_generation_prompt=True, tools=[WEATHER, TIME]),
    "tools_no_system": dict(messages=[HELLO], add_generation_prompt=True, tools=[WEATHER]),
    "tool_calls": dict(
        messages=[HELLO, CALLED, RESULT], add_generation_prompt=True, tools=[WEATHER]
    ),
    "tool_calls_twice": dict(
        messages=[HELLO, CALLED_TWICE, RESULT, RESULT, ANSWER, AGAIN], tools=[WEATHER, TIME]
    ),
    "tool_result_only": dict(messages=[HELLO, message("assistant", ""), RESULT]),
    "none_content": dict(messages=[HELLO, message("assistant", None), AGAIN]),
    "image": dict(messages=[ONE_IMAGE], add_generation_prompt=True),
    "image_no_prompt": dict(messages=[ONE_IMAGE]),
    "images_turns": dict(
        messages=[
            message("system", [text("You see.")]),
            TWO_IMAGES,
            message("assistant", [text("Two cats.")]),
            message("user", [text("Sure?")]),
        ],
        add_generation_prompt=True,
    ),
    "text_parts": dict(messages=[message("user", [text("Hi")])], add_generation_prompt=True),
    "image_ids": dict(messages=[ONE_IMAGE, TWO_IMAGES], add_vision_id=True),
    "documents": dict(
        messages=[SYSTEM, HELLO],
        add_generation_prompt=True,
        documents=[{"title": "One", "text": "First."}, {"title": "Zwei", "text": "ß\n2"}],
        citation_mode="accurate",
    ),
    "date": dict(messages=[SYSTEM, HELLO], date_string="26 Jul 2024", add_generation_prompt=True),
    "features": dict(
        messages=[SYSTEM, HELLO, ANSWER],
        numbers=[3, 1, 2, -7, 0],
        floats=[1.0, 0.1, 1e100, 1e-7, 123456789.125, -0.0, 2.5, 1e16],
        words=["b", "A", "c", "a", "Straße", "ǆ"],
        flags=[True, False, None],
        nested={"b": {"x": [1, {"y": None}]}, "A": "q\"'\n\u2028\u0007", "z": [], "e": {}},
        odd="\t\u00a0 x 👍🏽 y \u3000",
        add_generation_prompt=True,
    ),
}
# special_tokens_map of a tokenizer comes with every rendering
SPECIAL = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>")


def render(source, context):
    context = copy.deepcopy(context)
    context = {"tools": None, "documents": None, "add_generation_prompt": False, **context}
    template = chat_template_utils._compile_jinja_template(source)
    return template.render(**{**SPECIAL, **context})


def case(source, name, public):
    out = {"context": name}
    try:
        rendered = render(source, CONTEXTS[name])
    except Exception as e:  # whatever Python raises, Java must refuse as well
        return {**out, "error": f"{type(e).__name__}: {e}" if public else "refused"}
    if public:
        return {**out, "expected": rendered}
    return {**out, "sha256": hashlib.sha256(rendered.encode("utf-8", "surrogatepass")).hexdigest()}


def fetched(entry):
    config = TOKENIZERS / entry["tokenizer"] / "tokenizer_config.json"
    template = json.loads(config.read_text(encoding="utf-8"))["chat_template"]
    if isinstance(template, str):
        return template
    return next(t["template"] for t in template if t["name"] == entry.get("name", "default"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extract", action="store_true", help="copy templates from .cache/assets")
    extract = parser.parse_args().extract
    chat_template_utils.datetime = FrozenClock
    golden = TEMPLATES / "golden"
    golden.mkdir(parents=True, exist_ok=True)
    shared = {**SPECIAL, "tools": None, "documents": None, "add_generation_prompt": False}
    contexts = {name: {**shared, **context} for name, context in CONTEXTS.items()}
    (TEMPLATES / "contexts.json").write_text(json.dumps(contexts, indent=1) + "\n")
    for entry in json.loads((TEMPLATES / "manifest.json").read_text()):
        file = TEMPLATES / f"{entry['template']}.jinja"
        public = entry["in_repository"]
        if public and extract and "tokenizer" in entry:
            file.write_bytes(fetched(entry).encode("utf-8"))
        source = file.read_bytes().decode("utf-8") if public else fetched(entry)
        cases = [case(source, name, public) for name in entry.get("contexts", CONTEXTS)]
        target = golden / f"{entry['template']}.json"
        target.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        errors = sum("error" in c for c in cases)
        print(f"{entry['template']}: {len(cases)} cases, {errors} of them errors")


if __name__ == "__main__":
    main()
