"""Generated scenes of coloured shapes and short printed words, and questions about them.

A scene is a 3x3 board. Each cell holds at most one shape, moved and turned a little; a printed word takes two
neighbouring cells of a row. Everything follows from a numpy random generator, so a seed gives the same scene and
the same questions every time.

    rng = numpy.random.default_rng(7)
    scene = sample_scene(rng, size=336)
    scene.render().save("scene.png")
    for kind, question, answer, cells in ask(rng, scene): print(kind, question, answer)
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Each colour is a box in RGB: (low, high) of every channel.
COLORS = {
    "red": ((190, 255), (0, 60), (0, 60)),
    "orange": ((240, 255), (120, 155), (0, 40)),
    "yellow": ((235, 255), (205, 245), (0, 60)),
    "green": ((0, 70), (130, 220), (0, 80)),
    "blue": ((0, 60), (40, 120), (190, 255)),
    "purple": ((105, 150), (20, 70), (140, 190)),
    "pink": ((240, 255), (125, 175), (165, 210)),
}
SHAPES = ("circle", "square", "triangle", "star", "cross", "heart")
WORDS = tuple(
    "JAVA CUDA TOPV OPEN STOP EXIT HELLO CAFE TAXI BOOK FISH BIRD TREE MOON SUN CAT DOG BUS CAR TEA "
    "MILK BREAD APPLE LEMON MUSIC GAME PARK HOTEL BANK SHOP SALE HOME NORTH SOUTH EAST WEST RIVER OCEAN ROAD WIND".split())
WORD_CELL = 9
PLACES = ("top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right")
KINDS = ("color", "shape", "count", "position", "existence", "reading", "listing", "description")
FONTS = ("DejaVuSans-Bold", "DejaVuSans-Bold", "DejaVuSansCondensed-Bold", "DejaVuSerif-Bold")
FONT_FOLDER = "/usr/share/fonts/truetype/dejavu/"  # Debian: apt install fonts-dejavu


@lru_cache(maxsize=256)
def load_font(name, size):
    return ImageFont.truetype(f"{FONT_FOLDER}{name}.ttf", size)


@dataclass
class Thing:
    shape: str
    color: str
    cell: int
    x: float  # centre and radius in pixels
    y: float
    radius: float
    angle: float
    rgb: tuple

    @property
    def place(self):
        return PLACES[self.cell]


@dataclass
class Word:
    text: str
    x: float  # left and top of the letters in pixels
    y: float
    font: str
    points: int
    rgb: tuple


@dataclass
class Scene:
    size: int
    background: tuple
    things: list = field(default_factory=list)  # in reading order
    word: Word | None = None
    target: tuple | None = None  # what the scene was laid out to count: ("shape" or "color", value)

    def render(self):
        """The picture, drawn at twice the size and halved for smooth edges."""
        image = Image.new("RGB", (2 * self.size, 2 * self.size), self.background)
        draw = ImageDraw.Draw(image)
        for thing in self.things:
            outline = [(2 * (thing.x + thing.radius * x), 2 * (thing.y + thing.radius * y))
                       for x, y in _outline(thing.shape, thing.angle)]
            draw.polygon(outline, fill=thing.rgb)
        if self.word:
            font = load_font(self.word.font, 2 * self.word.points)
            draw.text((2 * self.word.x, 2 * self.word.y), self.word.text, font=font, fill=self.word.rgb, anchor="lt")
        return image.reduce(2)

    def patch_labels(self, patch=14):
        """What each patch shows, 0 for nothing: an int64 array [5, patches] of shape, colour, letter, word, 1 + cell."""
        grid = self.size // patch
        labels = np.zeros((5, grid, grid), np.int64)
        centre = (np.arange(grid) + 0.5) * patch
        for thing in self.things:
            near = ((centre[None, :] - thing.x) ** 2 + (centre[:, None] - thing.y) ** 2) <= (0.85 * thing.radius) ** 2
            labels[0][near] = 1 + SHAPES.index(thing.shape)
            labels[1][near] = 1 + list(COLORS).index(thing.color)
            labels[4][near] = 1 + thing.cell
        if self.word:
            font = load_font(self.word.font, 2 * self.word.points)
            height = (font.getbbox(self.word.text, anchor="lt")[3]) / 2
            rows = np.abs(centre - self.word.y - height / 2) <= max(height / 2, patch / 2)
            edges = [self.word.x + font.getlength(self.word.text[:i]) / 2 for i in range(len(self.word.text) + 1)]
            for letter, left, right in zip(self.word.text, edges, edges[1:]):
                box = np.ix_(rows, (centre >= left) & (centre < right))
                labels[2][box] = 1 + ord(letter) - ord("A")
                labels[3][box] = 1 + WORDS.index(self.word.text)
                labels[4][box] = 1 + WORD_CELL
        return labels.reshape(5, -1)


@lru_cache(maxsize=None)
def _unit(shape):
    """The outline of a shape inside the unit circle."""
    if shape == "circle":
        return [(0.92 * cos(a), 0.92 * sin(a)) for a in np.linspace(0, 2 * pi, 48, endpoint=False)]
    if shape == "square":
        return [(-.76, -.76), (.76, -.76), (.76, .76), (-.76, .76)]
    if shape == "triangle":
        return [(0, -.95), (.92, .72), (-.92, .72)]
    if shape == "star":
        return [((1, .42)[i % 2] * sin(i * pi / 5), -(1, .42)[i % 2] * cos(i * pi / 5)) for i in range(10)]
    if shape == "cross":
        a, b = .3, .92
        return [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]
    return [(.057 * 16 * sin(t) ** 3, -.057 * (13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t)) - .1)
            for t in np.linspace(0, 2 * pi, 48, endpoint=False)]


def _outline(shape, angle):
    c, s = cos(angle), sin(angle)
    return [(c * x - s * y, s * x + c * y) for x, y in _unit(shape)]


def _pick(rng, options):
    return options[rng.integers(len(options))]


def sample_scene(rng, size=336):
    """A random scene. Two in three are laid out to count one shape or colour, its count uniform in 0..5."""
    background = (255, 255, 255) if rng.random() < 0.4 else tuple(int(v) for v in rng.integers(222, 256, 3))
    scene = Scene(size, background)
    cells = list(range(9))
    if rng.random() < 0.55:
        row, column = int(rng.integers(3)), int(rng.integers(2))
        cells = [c for c in cells if c not in (3 * row + column, 3 * row + column + 1)]
        scene.word = _sample_word(rng, size, row, column)
    names = list(COLORS)
    mode = rng.integers(3)
    pairs = []
    if mode < 2:
        kind = ("shape", "color")[mode]
        value = _pick(rng, SHAPES if mode == 0 else names)
        scene.target = (kind, value)
        count = int(rng.integers(6))
        others = int(rng.integers(1 if count == 0 else 0, min(3, len(cells) - count) + 1))
        for i in range(count + others):
            shape, color = _pick(rng, SHAPES), _pick(rng, names)
            if i < count:
                shape, color = (value, color) if mode == 0 else (shape, value)
            elif mode == 0:
                shape = _pick(rng, [s for s in SHAPES if s != value])
            else:
                color = _pick(rng, [c for c in names if c != value])
            pairs.append((shape, color))
    else:
        pairs = [(_pick(rng, SHAPES), _pick(rng, names)) for _ in range(int(rng.integers(1, 7)))]
    chosen = rng.permutation(cells)[:len(pairs)]
    for (shape, color), cell in sorted(zip(pairs, chosen), key=lambda item: item[1]):
        scene.things.append(sample_thing(rng, size, shape, color, int(cell)))
    return scene


def sample_thing(rng, size, shape, color, cell):
    side = size / 3
    smallest = 28 if size < 300 else 32
    radius = rng.uniform(smallest, (0.88 if size < 300 else 0.66) * side) / 2
    slack = side / 2 - radius - 0.03 * side
    x = (cell % 3 + .5) * side + rng.uniform(-slack, slack)
    y = (cell // 3 + .5) * side + rng.uniform(-slack, slack)
    rgb = tuple(int(rng.integers(low, high + 1)) for low, high in COLORS[color])
    return Thing(shape, color, cell, x, y, radius, rng.uniform(-.22, .22), rgb)


def _sample_word(rng, size, row, column):
    text, name = _pick(rng, WORDS), _pick(rng, FONTS)
    side = size / 3
    points = int(rng.integers(22, 27) if size < 300 else rng.integers(22, 35))
    font = load_font(name, 2 * points)
    _, _, right, bottom = (v / 2 for v in font.getbbox(text, anchor="lt"))
    if right > 2 * side - 4:
        points = int(points * (2 * side - 4) / right)
        font = load_font(name, 2 * points)
        _, _, right, bottom = (v / 2 for v in font.getbbox(text, anchor="lt"))
    x = column * side + 2 + rng.uniform(0, 1) * max(0, 2 * side - 4 - right)
    y = row * side + 2 + rng.uniform(0, 1) * max(0, side - 4 - bottom)
    return Word(text, x, y, name, points, tuple(int(v) for v in rng.integers(0, 50, 3)))


def ask(rng, scene, counts=(("color", 2), ("shape", 2), ("count", 3), ("position", 3), ("existence", 3), ("reading", 1),
                            ("listing", 3), ("description", .25))):
    """Questions about a scene as (kind, question, answer, cells). A kind the scene cannot support is left out.

    cells: where to look for the answer, cells of the board or WORD_CELL; empty where nothing is asked for or found."""
    found = []
    for kind, wanted in counts:
        seen = set()
        for i in range(wanted if wanted >= 1 else int(rng.random() < wanted)):
            item = _ASK[kind](rng, scene, i)
            if item and item[0] not in seen:
                seen.add(item[0])
                found.append((kind, *item))
    return found


def _article(word):
    return ("an " if word[0] in "aeiou" else "a ") + word


def _plural(rng, kind, value):
    if kind == "color":
        return value + _pick(rng, (" objects", " shapes"))
    return value + ("es" if value == "cross" else "s")


def _unique(things, key):
    values = [key(t) for t in things]
    return [t for t in things if values.count(key(t)) == 1]


def _color(rng, scene, _):
    hue = _pick(rng, ("color", "color", "colour"))
    unique = _unique(scene.things, lambda t: t.shape)
    if unique and rng.random() < .7:
        thing = _pick(rng, unique)
        return _pick(rng, (f"What {hue} is the {thing.shape}?", f"Which {hue} is the {thing.shape}?",
                           f"What is the {hue} of the {thing.shape}?")), thing.color, [thing.cell]
    if not scene.things:
        return None
    thing = _pick(rng, scene.things)
    what = _pick(rng, ("object", "shape"))
    return _pick(rng, (f"What {hue} is the {what} at the {thing.place}?", f"Which {hue} is the {what} at the {thing.place}?")), \
        thing.color, [thing.cell]


def _shape(rng, scene, _):
    unique = _unique(scene.things, lambda t: t.color)
    if unique and rng.random() < .7:
        thing = _pick(rng, unique)
        return _pick(rng, (f"What shape is the {thing.color} object?", f"What shape is {thing.color}?",
                           f"What is the shape of the {thing.color} object?")), thing.shape, [thing.cell]
    if not scene.things:
        return None
    thing = _pick(rng, scene.things)
    return _pick(rng, (f"What shape is at the {thing.place}?", f"Which shape is at the {thing.place}?",
                       f"What is at the {thing.place}?")), thing.shape, [thing.cell]


def _count(rng, scene, turn):
    tally = {("shape", s): 0 for s in SHAPES} | {("color", c): 0 for c in COLORS}
    for thing in scene.things:
        tally["shape", thing.shape] += 1
        tally["color", thing.color] += 1
    if turn == 0 and scene.target:
        key = scene.target
    elif rng.random() < .2:
        what = _pick(rng, ("objects", "shapes"))
        return _pick(rng, (f"How many {what} are there?", f"How many {what} can you see?")), \
            str(len(scene.things)), [t.cell for t in scene.things]
    else:
        value = _pick(rng, sorted(set(tally.values())))
        key = _pick(rng, [k for k, v in tally.items() if v == value])
    name = _plural(rng, *key)
    return _pick(rng, (f"How many {name} are there?", f"How many {name} are there?", f"How many {name} can you see?",
                       f"How many {name} are in the image?", f"Count the {name}.")), str(tally[key]), \
        [t.cell for t in scene.things if getattr(t, key[0]) == key[1]]


def _position(rng, scene, _):
    ways = ((lambda t: (t.shape, t.color), "{0.color} {0.shape}"), (lambda t: t.shape, "{0.shape}"),
            (lambda t: t.color, "{0.color} object"))
    key, name = ways[rng.choice(3, p=(.5, .25, .25))]
    unique = _unique(scene.things, key)
    if not unique:
        return None
    thing = _pick(rng, unique)
    name = name.format(thing)
    return _pick(rng, (f"Where is the {name}?", f"Where is the {name}?", f"In which place is the {name}?")), thing.place, [thing.cell]


def _existence(rng, scene, _):
    answer = bool(rng.integers(2))
    pairs = {(t.shape, t.color) for t in scene.things}
    shapes, colors = {s for s, _ in pairs}, {c for _, c in pairs}
    form = rng.random()
    if form < .6:
        if answer:
            options = sorted(pairs)
        else:
            near = [(s, c) for s in SHAPES for c in COLORS if (s, c) not in pairs and (s in shapes or c in colors)]
            both = [(s, c) for s, c in near if s in shapes and c in colors]
            options = both if both and rng.random() < .5 else near
        names = [f"{c} {s}" for s, c in options]
    elif form < .8:
        names = [s for s in SHAPES if (s in shapes) == answer]
    else:
        names = [f"{c} object" for c in COLORS if (c in colors) == answer]
    if not names:
        return None
    name = _pick(rng, names)
    return _pick(rng, (f"Is there {_article(name)}?", f"Is there {_article(name)}?", f"Can you see {_article(name)}?",
                       f"Is there {_article(name)} in the image?")), "yes" if answer else "no", \
        [t.cell for t in scene.things if {*name.split()} <= {t.shape, t.color, "object"}]


def _reading(rng, scene, _):
    if not scene.word and rng.random() < .7:
        return None
    question = _pick(rng, ("What word is written?", "What word is written?", "What does the text say?", "Read the word.",
                           "Which word is in the image?", "What is written in the image?"))
    return (question, scene.word.text, [WORD_CELL]) if scene.word else (question, "none", [])


def _listing(rng, scene, _):
    """All places of a shape or a colour: what counting and finding are made of."""
    by_shape = bool(rng.integers(2))
    values = [t.shape if by_shape else t.color for t in scene.things]
    value = _pick(rng, values) if rng.random() < .85 else _pick(rng, SHAPES if by_shape else list(COLORS))
    return f"Where are the {_plural(rng, 'shape' if by_shape else 'color', value)}?", \
        ", ".join(t.place for t, v in zip(scene.things, values) if v == value) or "none", \
        [t.cell for t, v in zip(scene.things, values) if v == value]


def _description(rng, scene, _):
    parts = [f"{t.color} {t.shape} {t.place}" for t in scene.things] + ([f"word {scene.word.text}"] if scene.word else [])
    return _pick(rng, ("Describe the image.", "Describe the image.", "What is in the image?", "List the objects.")), ", ".join(parts), []


_ASK = {"color": _color, "shape": _shape, "count": _count, "position": _position, "existence": _existence,
        "reading": _reading, "listing": _listing, "description": _description}
