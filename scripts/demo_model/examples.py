"""The pictures of docs/examples, laid out by hand and drawn like the training scenes."""

from pathlib import Path

import numpy as np

from scenes import Scene, Word, sample_thing

# name -> things as (shape, colour, cell of the 3x3 board), word as (text, left, top, points)
EXAMPLES = {
    "shapes": ([("circle", "red", 0), ("square", "blue", 1), ("circle", "green", 2), ("star", "yellow", 4),
                ("circle", "purple", 6), ("triangle", "orange", 8)], None),
    "sign": ([("heart", "red", 0), ("star", "orange", 2), ("cross", "green", 7)], ("HELLO", 60, 152, 34)),
    "colors": ([("square", "red", 0), ("triangle", "red", 2), ("cross", "blue", 3), ("heart", "pink", 4), ("star", "red", 5),
                ("circle", "yellow", 7)], None),
    "java": ([("circle", "blue", 1), ("triangle", "green", 6), ("square", "purple", 8)], ("JAVA", 70, 152, 34)),
}


def draw_examples(folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(12)
    for name, (things, word) in EXAMPLES.items():
        scene = Scene(336, (250, 248, 244), [sample_thing(rng, 336, *thing) for thing in things])
        if word:
            text, left, top, points = word
            scene.word = Word(text, left, top, "DejaVuSans-Bold", points, (24, 24, 32))
        scene.render().quantize(64, dither=0).save(Path(folder) / f"{name}.png", optimize=True)
