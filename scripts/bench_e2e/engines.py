"""The two that are compared, with the same stages: vision, prefill, decode, first token. Times are in milliseconds."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import LlavaForConditionalGeneration

ROOT = Path(__file__).resolve().parent.parent.parent


def memory(pid="self"):
    """Bytes: peak, and now anonymous and mapped from files."""
    status = Path(f"/proc/{pid}/status").read_text()
    named = dict(re.findall(r"(VmHWM|RssAnon|RssFile):\s+(\d+) kB", status))
    return {name: int(kilobytes) << 10 for name, kilobytes in named.items()}


class Topv:
    """topv bench e2e in a process of its own, asked line by line."""

    name = "topv"

    def __init__(self, directory, pixels, prompt, *options):
        topv = os.environ.get("TOPV_COMMAND", f"{ROOT}/scripts/topv").split()
        command = [*topv, "bench", "e2e", "--model", directory, "--pixels", pixels, "--prompt", prompt, *options]
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.pid = self.process.pid
        self.loaded = self._read()
        self.load_ms = self.loaded["ms"]

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: topv ended with exit code {self.process.wait()}")
        return json.loads(line)

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        return self._read()

    def batch(self, count):
        return self.ask("batch", count)

    def vision(self):
        return self.ask("vision")

    def prefill(self, keep=()):
        return self.ask("prefill", *keep)

    def decode(self, count):
        return self.ask("decode", count)

    def first(self, keep=()):
        return self.ask("first", *keep)

    def forced_logits(self, ids, scratch):
        """[1 + ids, V]: after the prompt and after each of ids."""
        rows = self.ask("force", scratch, *ids)["rows"]
        return np.fromfile(scratch, np.float32).reshape(rows, -1)

    def memory(self):
        return memory(self.pid)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Transformers:
    """The decoder is called without generate(), whose own work per token would count against it."""

    name = "transformers"

    def __init__(self, llava, pixels, prompt, dtype=torch.bfloat16):
        self.model = llava
        self.picture = torch.from_numpy(pixels)[None]
        self.dtype = dtype
        self.words = torch.tensor([prompt], device=llava.device)
        self.batch(1)

    @classmethod
    def load(cls, directory, pixels, prompt, threads, dtype=torch.bfloat16):
        transformers.utils.logging.disable_progress_bar()
        torch.set_num_threads(threads)
        start = time.perf_counter()
        llava = LlavaForConditionalGeneration.from_pretrained(directory, dtype=dtype).eval()
        loaded = cls(llava, pixels, prompt, dtype)
        loaded.load_ms = (time.perf_counter() - start) * 1e3
        return loaded

    def batch(self, count):
        """So many copies from here on."""
        self.pixels = self.picture.expand(count, -1, -1, -1).contiguous()
        self.prompt = self.words.expand(count, -1).contiguous()
        self.features = self.cache = self.token = None

    @staticmethod
    def versions():
        return f"transformers {transformers.__version__}, torch {torch.__version__}"

    def _timed(self, work):
        with torch.inference_mode():
            start = time.perf_counter()
            result = work()
            if self.model.device.type == "cuda":
                torch.cuda.synchronize()
            return {"ms": (time.perf_counter() - start) * 1e3} | (result or {})

    def _vision(self):
        pixels = self.pixels.to(self.model.device, self.dtype)  # for both the picture begins in the host's memory
        features = self.model.get_image_features(pixels, return_dict=True).pooler_output
        self.features = torch.cat(features) if isinstance(features, (list, tuple)) else features.flatten(0, -2)

    def _prefill(self, ids=None, rows=1):
        ids = self.prompt if ids is None else ids
        embeds = self.model.get_input_embeddings()(ids)
        embeds = embeds.masked_scatter((ids == self.model.config.image_token_index)[..., None].expand_as(embeds), self.features)
        out = self.model.model.language_model(inputs_embeds=embeds, use_cache=True)
        self.cache = out.past_key_values
        logits = self.model.lm_head(out.last_hidden_state[:, -rows:])
        self.token = logits[:, -1].argmax(-1).tolist()
        return logits[0]

    def _step(self, tokens):
        """One more token of each sequence."""
        ids = torch.tensor(tokens, device=self.prompt.device)[:, None]
        out = self.model.model.language_model(input_ids=ids, past_key_values=self.cache, use_cache=True)
        logits = self.model.lm_head(out.last_hidden_state)
        self.token = logits[:, -1].argmax(-1).tolist()
        return logits[0]

    def vision(self):
        return self._timed(self._vision)

    def prefill(self):
        return self._timed(lambda: self._prefill() is None or None) | {"token": self.token[0]}

    def decode(self, count):
        def work():
            tokens = []
            for _ in range(count):
                tokens.append(self.token[0])
                self._step(self.token)
            return {"tokens": tokens}

        return self._timed(work)

    def first(self):
        return self._timed(lambda: (self._vision(), self._prefill(), None)[-1]) | {"token": self.token[0]}

    def forced_logits(self, ids):
        """[1 + ids, V], step by step as in decode."""
        with torch.inference_mode():
            self._vision()
            rows = [self._prefill()] + [self._step([token]) for token in ids]
        return torch.cat(rows).float().cpu().numpy()

    def logits_in_one_pass(self, ids):
        with torch.inference_mode():
            self._vision()
            return self._prefill(torch.cat([self.prompt, torch.tensor([ids]).to(self.prompt)], 1), 1 + len(ids)).float().cpu().numpy()

    def memory(self):
        return memory()
