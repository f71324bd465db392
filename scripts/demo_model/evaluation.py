"""The held-out evaluation set (eval/), and exact answers on it through transformers."""

import json
from collections import Counter
from pathlib import Path

import numpy as np

from scenes import ask, sample_scene

SEED = 20_260_000  # no training picture is drawn from it


def make_set(folder, scenes=220, questions=1000):
    """eval/scenes/*.png, questions.jsonl (six kinds, short answers) and descriptions.jsonl (one long answer a scene)."""
    folder = Path(folder)
    (folder / "scenes").mkdir(parents=True, exist_ok=True)
    short, long = [], []
    one_each = [(kind, 1) for kind in ("color", "shape", "count", "position", "existence", "reading", "description")]
    for number in range(1, scenes + 1):
        rng = np.random.default_rng([SEED, number])
        scene, name = sample_scene(rng, 336), f"scenes/{number:04d}.png"
        scene.render().quantize(32, dither=0).save(folder / name, optimize=True)
        for kind, question, answer, _ in ask(rng, scene, one_each):
            (long if kind == "description" else short).append(
                {"image": name, "question": question, "answer": answer, "type": kind})
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(short))[:questions])
    for name, rows in (("questions", [short[i] for i in chosen]), ("descriptions", long)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def evaluate(model_folder, file, dtype="float32", batch=25):
    """Share of exact answers by type, greedy, through LlavaForConditionalGeneration.generate."""
    import torch
    from PIL import Image
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    file = Path(file)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    processor = AutoProcessor.from_pretrained(model_folder)
    model = LlavaForConditionalGeneration.from_pretrained(model_folder, dtype=getattr(torch, dtype)).eval()
    right, total, misses = Counter(), Counter(), []
    for start in range(0, len(rows), batch):
        part = rows[start:start + batch]
        inputs = processor(
            images=[Image.open(file.parent / row["image"]) for row in part], padding=True, return_tensors="pt",
            text=[f"USER: <image>\n{row['question']} ASSISTANT:" for row in part]).to(model.dtype)
        tokens = model.generate(**inputs, max_new_tokens=64, do_sample=False)[:, inputs["input_ids"].shape[1]:]
        for row, answer in zip(part, processor.batch_decode(tokens, skip_special_tokens=True)):
            total[row["type"]] += 1
            right[row["type"]] += answer.strip() == row["answer"]
            if answer.strip() != row["answer"]:
                misses.append({**row, "got": answer.strip()})
    scores = {kind: right[kind] / total[kind] for kind in sorted(total)}
    return {**scores, "all": sum(right.values()) / sum(total.values())}, misses
