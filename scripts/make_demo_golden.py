"""Writes what transformers (float32, greedy) answers to the held-out questions with the model that ships.

    make_demo_golden.py       # -> java/engine/src/test/resources/golden/demo-answers.json

Needs torch and transformers. Run it again after the model or the questions have changed.
"""

import hashlib
import json
from pathlib import Path

from demo_model.evaluation import evaluate

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models/topv-demo"
QUESTIONS = ROOT / "eval/questions.jsonl"


def main():
    scores, misses = evaluate(MODEL, QUESTIONS)
    wrong = {(miss["image"], miss["question"]): miss["got"] for miss in misses}
    rows = [json.loads(line) for line in QUESTIONS.read_text().splitlines()]
    golden = {
        "weights_sha256": hashlib.sha256((MODEL / "model.safetensors").read_bytes()).hexdigest(),
        "accuracy": scores["all"],
        "answers": [wrong.get((row["image"], row["question"]), row["answer"]) for row in rows],
    }
    file = ROOT / "java/engine/src/test/resources/golden/demo-answers.json"
    file.write_text(json.dumps(golden, indent=0) + "\n")
    print(f"{file}: {len(rows)} answers, {scores['all']:.1%} right")


if __name__ == "__main__":
    main()
