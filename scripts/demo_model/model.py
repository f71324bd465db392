"""LLaVA-1.5 in plain PyTorch: a CLIP vision tower, a two-layer projector and a LLaMA decoder, all small."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Shape:
    vision_width: int = 192
    vision_layers: int = 4
    vision_heads: int = 3
    vision_mlp: int = 768
    width: int = 192
    layers: int = 6
    heads: int = 3
    mlp: int = 512
    vocabulary: int = 576
    patch: int = 14
    grid: int = 24
    theta: float = 10000.0


def attend(q, k, v, mask=None):
    """Attention written out: on a CPU its backward pass is faster than the fused one at these sizes."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return (scores if mask is None else scores + mask).softmax(-1) @ v


def split_heads(x, heads):
    return (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in x.chunk(3, -1))


class VisionLayer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.heads = s.vision_heads
        self.norm1, self.norm2 = nn.LayerNorm(s.vision_width), nn.LayerNorm(s.vision_width)
        self.qkv, self.out = nn.Linear(s.vision_width, 3 * s.vision_width), nn.Linear(s.vision_width, s.vision_width)
        self.up, self.down = nn.Linear(s.vision_width, s.vision_mlp), nn.Linear(s.vision_mlp, s.vision_width)

    def forward(self, x):
        q, k, v = split_heads(self.qkv(self.norm1(x)), self.heads)
        x = x + self.out(attend(q, k, v).transpose(1, 2).flatten(2))
        h = self.up(self.norm2(x))
        return x + self.down(h * torch.sigmoid(1.702 * h))


class Vision(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.patch = s.patch
        self.embed = nn.Linear(3 * s.patch ** 2, s.vision_width, bias=False)
        self.cls = nn.Parameter(torch.zeros(s.vision_width))
        self.position = nn.Parameter(torch.randn(s.grid ** 2 + 1, s.vision_width) * 0.02)
        self.norm = nn.LayerNorm(s.vision_width)
        self.layers = nn.ModuleList(VisionLayer(s) for _ in range(s.vision_layers))

    def forward(self, pixels):
        """pixels [B, H, W, 3] -> [B, patches, width], the class token dropped."""
        b, h, _, _ = pixels.shape
        g = h // self.patch
        x = pixels.view(b, g, self.patch, g, self.patch, 3).permute(0, 1, 3, 5, 2, 4).reshape(b, g * g, -1)
        x = torch.cat([self.cls.expand(b, 1, -1), self.embed(x)], 1) + self.position
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x)
        return x[:, 1:]


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class DecoderLayer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.heads = s.heads
        self.norm1, self.norm2 = nn.RMSNorm(s.width, eps=1e-5), nn.RMSNorm(s.width, eps=1e-5)
        self.qkv, self.out = nn.Linear(s.width, 3 * s.width, bias=False), nn.Linear(s.width, s.width, bias=False)
        self.gate_up, self.down = nn.Linear(s.width, 2 * s.mlp, bias=False), nn.Linear(s.mlp, s.width, bias=False)

    def forward(self, x, cos, sin, mask, prefix):
        """The first `prefix` rows look at each other only, so the questions' columns are left out for them."""
        q, k, v = split_heads(self.qkv(self.norm1(x)), self.heads)
        q, k, p = rotate(q, cos, sin), rotate(k, cos, sin), prefix
        h = torch.cat([attend(q[:, :, :p], k[:, :, :p], v[:, :, :p], mask[:, :, :p, :p]),
                       attend(q[:, :, p:], k, v, mask[:, :, p:])], 2)
        x = x + self.out(h.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


    def look(self, x, cos, sin, rows, prefix):
        """Log attention of the first head from some rows to the prefix: [B, rows, prefix]."""
        q, k, _ = split_heads(self.qkv(self.norm1(x)), self.heads)
        q, k = rotate(q, cos, sin)[:, 0], rotate(k, cos, sin)[:, 0, :prefix]
        q = q.gather(1, rows[..., None].expand(-1, -1, q.shape[-1]))
        return (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).float().log_softmax(-1)


class Llava(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.shape = s
        self.vision = Vision(s)
        self.project1, self.project2 = nn.Linear(s.vision_width, s.width), nn.Linear(s.width, s.width)
        self.embed = nn.Embedding(s.vocabulary, s.width)
        self.layers = nn.ModuleList(DecoderLayer(s) for _ in range(s.layers))
        self.norm = nn.RMSNorm(s.width, eps=1e-5)
        d = s.width // s.heads
        self.register_buffer("frequency", s.theta ** (-torch.arange(0, d, 2).float() / d), persistent=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features ** -0.5 * 0.8)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.embed.weight, std=0.05)
        for layer in self.layers:
            nn.init.normal_(layer.out.weight, std=0.02), nn.init.normal_(layer.down.weight, std=0.02)
        for layer in self.vision.layers:
            nn.init.normal_(layer.out.weight, std=0.02), nn.init.normal_(layer.down.weight, std=0.02)

    def forward(self, pixels, ids, positions, mask, image_start, look_rows=None):
        """Final hidden states [B, T, width], the vision features, what the projector makes of them, and, if look_rows
        are given, where the text looks in layer 1 and where those rows look in layer 2."""
        seen = self.vision(pixels)
        x = self.embed(ids)
        n = seen.shape[1]
        picture = self.project2(F.gelu(self.project1(seen)))
        x = torch.cat([x[:, :image_start], picture, x[:, image_start + n:]], 1)
        angle = positions[:, None, :, None].float() * self.frequency.float()
        angle = torch.cat([angle, angle], -1)
        cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        prefix, looks = image_start + n, None
        for number, layer in enumerate(self.layers):
            if number == 1 and look_rows is not None:
                text_rows = torch.arange(prefix, x.shape[1], device=x.device).expand(len(x), -1)
                looks = [layer.look(x, cos, sin, text_rows, prefix)]
            if number == 2 and look_rows is not None:
                looks.append(layer.look(x, cos, sin, look_rows, prefix))
            x = layer(x, cos, sin, mask, prefix)
        return self.norm(x), seen, picture, looks

    def logits(self, hidden):
        return F.linear(hidden, self.embed.weight)


def resize_positions(position, grid):
    """Position embeddings [1 + g*g, C] of another grid, interpolated."""
    cls, rest = position[:1], position[1:]
    old = int(rest.shape[0] ** 0.5)
    rest = rest.float().T.reshape(1, -1, old, old)
    rest = F.interpolate(rest, size=(grid, grid), mode="bicubic", align_corners=False)
    return torch.cat([cls.float(), rest.reshape(rest.shape[1], -1).T]).to(position.dtype)
