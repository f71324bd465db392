"""Trains topv-demo, the small LLaVA-1.5 model that ships with this project, from scratch.

It is two stages of the same loop, on generated scenes (scenes.py), then an export:

    train_demo_model.py --size 168 --minutes 60 --lr 8e-4 --batch 16             # 144 visual tokens: quick to learn on
    train_demo_model.py --size 336 --minutes 40 --lr 6e-4 --batch 8 --resume     # 576 visual tokens, as it ships
    train_demo_model.py --export models/topv-demo                                # writes the Hugging Face checkpoint
    train_demo_model.py --evaluate models/topv-demo                              # exact answers on eval/, by transformers

What makes it learn on a CPU is dense supervision: many questions on each picture, and losses beside the answers that say
what each patch shows (--probe) and where the decoder should look (--look). Watch "look" and "held out" in the log: finding
things by colour or shape comes late and suddenly.

A stage ends after --minutes of wall clock or after --images, and the learning rate falls to zero over it. Give
--images instead of --minutes for a run that repeats exactly. The state is saved every few minutes; --resume goes on
from it, and changes the picture size where --size differs. Needs torch, tokenizers, Pillow and the DejaVu fonts;
--evaluate needs transformers. CUDA is used when present.
"""

import argparse
import os
import signal
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("KMP_BLOCKTIME", "0")

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from demo_model.data import PATCH, Batches, attention_mask, normalize
from demo_model.evaluation import evaluate, make_set
from demo_model.examples import draw_examples
from demo_model.export import export, load
from demo_model.model import Llava, Shape, resize_positions
from demo_model.tokenizer import IMAGE, train_tokenizer
from scenes import COLORS, KINDS, SHAPES, WORDS

HEADS = {"shape": len(SHAPES) + 1, "color": len(COLORS) + 1, "letter": 27, "word": len(WORDS) + 1}


class Trainer:
    def __init__(self, args):
        self.args = args
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(args.seed)
        state = torch.load(args.state, weights_only=True) if args.resume else None
        self.tokenizer = Tokenizer.from_str(state["tokenizer"]) if state else train_tokenizer(seed=args.seed)
        self.grid = args.size // PATCH
        self.model = Llava(Shape(grid=state["grid"] if state else self.grid))
        self.names = [[self.tokenizer.encode(f" {name}", add_special_tokens=False).ids[0] for name in names] for names in
                      (SHAPES, [s + ("es" if s == "cross" else "s") for s in SHAPES], COLORS, WORDS)]
        assert len({i for ids in self.names for i in ids}) == sum(map(len, self.names)), "a name is more than one token"
        # What each patch shows, read off the vision features: it teaches the tower, and does not ship.
        self.probe = torch.nn.Linear(self.model.shape.vision_width, sum(HEADS.values()))
        self.images = 0
        if state:
            self.model.load_state_dict(state["model"])
            self.probe.load_state_dict(state["probe"])
            self.images = state["images"]
            self.model.vision.position = torch.nn.Parameter(resize_positions(self.model.vision.position.data, self.grid))
        both = torch.nn.ModuleList([self.model, self.probe])
        self.master = [p.detach().clone().float().to(self.device).requires_grad_() for p in both.parameters()]
        both.to(self.device, torch.bfloat16)
        self.model.frequency = Llava(self.model.shape).frequency.to(self.device)
        self.weights = list(both.parameters())
        decay = [p for p in self.master if p.ndim > 1]
        other = [p for p in self.master if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": other, "weight_decay": 0}],
                                           lr=args.lr, betas=(0.9, 0.98), foreach=True)
        self.forward = torch.compile(self.model) if args.compile else self.model
        self.prefix = 0

    def loss(self, batch, forward=None):
        """Losses of the answers, the patches and the looking, the answer logits, and where answers are."""
        pixels = normalize(batch["pixels"]).to(torch.bfloat16)
        mask = attention_mask(batch["segments"])[:, None]
        mask = torch.zeros_like(mask, dtype=torch.bfloat16).masked_fill_(~mask, float("-inf"))
        hidden, seen, picture, looks = (forward or self.forward)(
            pixels, batch["ids"], batch["positions"], mask, self.prefix, batch["ask_rows"])
        targets = batch["targets"]
        asked = targets >= 0
        logits = self.model.logits(hidden[asked]).float()
        answers = F.cross_entropy(logits, targets[asked])
        patches = 0
        guesses = self.probe(seen).float().split(list(HEADS.values()), -1)
        for guess, label in zip(guesses, batch["patches"][:, :4].unbind(1)):
            weight = torch.where(label > 0, 1.0, 0.15)
            each = F.cross_entropy(guess.flatten(0, 1), label.flatten(), reduction="none")
            patches = patches + (each * weight.flatten()).sum() / weight.sum()
        # A patch that shows something should also look like its words to the decoder: "circle", "circles", "red".
        for ids, label in zip(self.names, batch["patches"][:, (0, 0, 1, 3)].unbind(1)):
            shown = label > 0
            guess = F.linear(picture[shown], self.model.embed.weight[ids]).float()
            patches = patches + F.cross_entropy(guess, label[shown] - 1, reduction="sum") / max(1, int(shown.sum()))
        # One head is told where to look: at layer 1 from a word to what it names, at layer 2 from the end of the
        # question to what the question is about.
        attention = 0
        text = batch["ids"][:, self.prefix + seen.shape[1]:]
        named = torch.zeros(text.shape + seen.shape[1:2], dtype=torch.bool, device=self.device)
        for ids, label in zip(self.names[:3], batch["patches"][:, (0, 0, 1)].unbind(1)):
            for value, token in enumerate(ids, 1):
                named |= (text == token)[:, :, None] & (label == value)[:, None, :]
        for look, there in zip(looks, (named, batch["look"])):
            rows = there.any(-1)
            mass = look[:, :, self.prefix:][rows].masked_fill(~there[rows], float("-inf"))
            attention = attention - mass.logsumexp(-1).mean()
        return answers, patches, attention, logits.detach(), asked

    @torch.no_grad()
    def accuracy(self, batches):
        """Exact answers by kind. Teacher-forced, which is the same as greedy decoding for an exact answer."""
        right, total = [0] * len(KINDS), [0] * len(KINDS)
        for batch in batches:
            _, _, _, logits, asked = self.loss(batch, forward=self.model)
            miss = torch.zeros_like(batch["targets"], dtype=torch.bool)
            miss[asked] = logits.argmax(-1) != batch["targets"][asked]
            for row in range(len(miss)):
                for segment in range(1, int(batch["segments"][row].max()) + 1):
                    at = (batch["segments"][row] == segment) & asked[row]
                    kind = int(batch["kinds"][row][at][0])
                    total[kind] += 1
                    right[kind] += not bool(miss[row][at].any())
        return {kind: r / max(1, t) for kind, r, t in zip(KINDS, right, total)}

    def save(self):
        both = torch.nn.ModuleList([self.model, self.probe])
        names = [n for n, _ in both.named_parameters()]
        full = dict(zip(names, (p.detach().cpu() for p in self.master)))
        state = {"model": {n[2:]: p for n, p in full.items() if n.startswith("0.")},
                 "probe": {n[2:]: p for n, p in full.items() if n.startswith("1.")},
                 "images": self.images, "grid": self.grid, "tokenizer": self.tokenizer.to_str()}
        torch.save(state, f"{self.args.state}.new")
        os.replace(f"{self.args.state}.new", self.args.state)

    def run(self):
        args = self.args
        data = Batches(self.tokenizer, args.size, args.batch, args.seed, start=self.images)
        self.prefix = data.prefix.index(IMAGE)
        held_out = [self.place(b) for b in Batches(self.tokenizer, args.size, 16, args.seed + 1_000_003, limit=3)]
        loader = iter(torch.utils.data.DataLoader(data, batch_size=None, num_workers=1, prefetch_factor=4))
        stopped = []  # kill or Ctrl-C ends the stage after this step, saved
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopped.append(True))
        began = saved = shown = time.time()
        first, step, shown_images, sums = self.images, 0, self.images, torch.zeros(4)
        while True:
            now = time.time()
            progress = ((self.images - first) / args.images) if args.images else (now - began) / (60 * args.minutes)
            if progress >= 1 or stopped:
                break
            warm = min(1.0, (step + 1) / args.warmup)
            floor = args.floor
            rate = args.lr * warm * (floor + (1 - floor) * 0.5 * (1 + torch.tensor(progress * torch.pi).cos().item()))
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            batch = self.place(next(loader))
            answers, patches, attention, logits, asked = self.loss(batch)
            (answers + args.probe * patches + args.look * attention).backward()
            for master, weight in zip(self.master, self.weights):
                master.grad, weight.grad = weight.grad.float(), None
            torch.nn.utils.clip_grad_norm_(self.master, 1.0, foreach=True)
            self.optimizer.step()
            with torch.no_grad():
                torch._foreach_copy_(self.weights, self.master)
            self.images += args.batch
            step += 1
            hit = (logits.argmax(-1) == batch["targets"][asked]).float().mean().item()
            sums += torch.tensor([answers.item(), patches.item(), attention.item(), hit])
            if step % args.every == 0:
                mean = (sums / args.every).tolist()
                sums.zero_()
                speed = (self.images - shown_images) / (time.time() - shown)
                left = (1 - progress) * (time.time() - began) / max(progress, 1e-6)
                kinds = ""
                if step % (5 * args.every) == 0:
                    kinds = "  held out: " + " ".join(f"{k} {v:.2f}" for k, v in self.accuracy(held_out).items())
                print(f"{args.size} px  {self.images:7d} images  {speed:5.1f}/s  loss {mean[0]:.3f}  patches {mean[1]:.3f}  "
                      f"look {mean[2]:.3f}  answer tokens {mean[3]:.3f}  lr {rate:.1e}  left {left / 60:.1f} min{kinds}", flush=True)
                shown, shown_images = time.time(), self.images
            if time.time() - saved > 180:
                self.save()
                saved = time.time()
        self.save()
        print(f"{args.size} px  done after {self.images - first} images, {(time.time() - began) / 60:.1f} min", flush=True)

    def place(self, batch):
        return {k: v.to(self.device) for k, v in batch.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=168, choices=(168, 336), help="picture side in pixels")
    parser.add_argument("--minutes", type=float, default=60, help="wall clock of this stage")
    parser.add_argument("--images", type=int, default=0, help="length of this stage in images, instead of --minutes")
    parser.add_argument("--lr", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--floor", type=float, default=0.0, help="final learning rate, as a share of the peak")
    parser.add_argument("--warmup", type=int, default=100, help="steps of rising learning rate")
    parser.add_argument("--batch", type=int, default=32, help="pictures per step")
    parser.add_argument("--probe", type=float, default=0.3, help="weight of the per-patch loss on the vision tower")
    parser.add_argument("--look", type=float, default=0.5, help="weight of the loss on where one attention head looks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=20, help="steps between progress lines")
    parser.add_argument("--state", default="/tmp/topv-demo.pt", help="where the training state is kept")
    parser.add_argument("--resume", action="store_true", help="go on from the state")
    parser.add_argument("--compile", action="store_true", help="torch.compile the model (needs a C++ compiler)")
    parser.add_argument("--export", metavar="DIR", help="write the state as a Hugging Face checkpoint, and stop")
    parser.add_argument("--make-eval", metavar="DIR", help="draw the held-out evaluation set, and stop")
    parser.add_argument("--make-examples", metavar="DIR", help="draw the pictures of docs/examples, and stop")
    parser.add_argument("--evaluate", metavar="DIR", help="exact answers of a checkpoint on --questions, and stop")
    parser.add_argument("--questions", default="eval/questions.jsonl", help="what --evaluate asks")
    parser.add_argument("--dtype", default="float32", help="what --evaluate computes in: float32 or bfloat16")
    args = parser.parse_args()
    if args.make_eval:
        make_set(args.make_eval)
    elif args.make_examples:
        draw_examples(args.make_examples)
    elif args.export:
        model, tokenizer, images = load(args.state)
        export(model, tokenizer, args.export)
        print(f"{args.export}: {sum(p.numel() for p in model.parameters()):,} parameters, {images} images seen")
    elif args.evaluate:
        scores, misses = evaluate(args.evaluate, args.questions, args.dtype)
        for miss in misses[:20]:
            print(miss)
        print("  ".join(f"{kind} {score:.3f}" for kind, score in scores.items()))
    else:
        Trainer(args).run()


if __name__ == "__main__":
    main()
