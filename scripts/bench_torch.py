"""PyTorch's side of `topv bench kernel`: a case per line of standard input, a result per line of standard output, in JSON.

A case is {"routine", "dtype", "sizes", "way", "seconds"}; way is eager or compile, for attention also flash or cudnn:
FlashAttention-2 or cuDNN and nothing else. The result is checked against the same computation in float64 first; then come
times in milliseconds, warm (runs in a row) and cold (caches flushed before each run), what the device does at most (a large
product, a large copy), and on a GPU the number of kernels launched. What is not there
is {"problem"}. The first line says which device this is. Argument: CPU threads, 0 = PyTorch's choice.
"""

import contextlib
import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
KERNELS = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
FLUSH_BYTES = 128 << 20
LEAST_SAMPLES, MOST_SAMPLES, SAMPLE_MILLIS = 10, 1000, 0.2
EPS, EPSILON, LAMBDA, ITERATIONS, SIGMA, RECOVER = 1e-5, 0.1, 0.5, 20, 2.0, 4


def uniform(dtype, *shape, scale=1.0):
    return ((torch.rand(*shape, device=DEVICE) * 2 - 1) * scale).to(dtype)


def indices(count, bound):
    return torch.randint(bound, (count,), device=DEVICE)


# Each case: (function, inputs, flops, bytes). The check calls the same function on float64 copies of the inputs.


def rms_norm(dtype, rows, cols):
    def run(x, weight):
        y = x.float() if x.dtype != torch.float64 else x
        return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + EPS) * weight).to(x.dtype)

    size = dtype.itemsize
    return run, (uniform(dtype, rows, cols, scale=2), uniform(torch.float32, cols)), 4 * rows * cols, 2 * rows * cols * size


def layer_norm(dtype, rows, cols):
    def run(x, weight, bias):
        return F.layer_norm(x, (x.shape[-1],), weight, bias, EPS)

    inputs = (uniform(dtype, rows, cols, scale=2), uniform(dtype, cols), uniform(dtype, cols))
    return run, inputs, 7 * rows * cols, 2 * rows * cols * dtype.itemsize


def silu_mul(dtype, rows, cols):
    def run(x):
        gate, up = x.chunk(2, -1)
        return F.silu(gate) * up

    return run, (uniform(dtype, rows, 2 * cols, scale=4),), 5 * rows * cols, 3 * rows * cols * dtype.itemsize


def gelu(dtype, rows, cols):
    def run(x):
        return x * torch.sigmoid(1.702 * x)

    return run, (uniform(dtype, rows, cols, scale=4),), 4 * rows * cols, 2 * rows * cols * dtype.itemsize


def rope(dtype, tokens, heads, dim):
    angle = torch.arange(tokens, device=DEVICE)[:, None] * 10000 ** (-torch.arange(0, dim, 2, device=DEVICE) / dim)

    def run(x, cos, sin):
        low, high = x.chunk(2, -1)
        return torch.cat((low * cos - high * sin, high * cos + low * sin), -1).to(x.dtype)

    inputs = (uniform(dtype, tokens, heads, dim), angle.cos()[:, None].float(), angle.sin()[:, None].float())
    return run, inputs, 3 * tokens * heads * dim, 2 * tokens * heads * dim * dtype.itemsize


def embed(dtype, rows, cols):
    return F.embedding, (indices(rows, 4 * rows), uniform(dtype, 4 * rows, cols)), 0, 2 * rows * cols * dtype.itemsize


def rows_gather(dtype, rows, cols):
    def run(x, index):
        return x.index_select(0, index)

    return run, (uniform(dtype, 2 * rows, cols), indices(rows, 2 * rows)), 0, 2 * rows * cols * dtype.itemsize


def kv_append(dtype, tokens, heads, dim):
    slots = torch.arange(tokens, device=DEVICE).flip(0) * 2

    def run(k, v, k_cache, v_cache, slots):
        k_cache.index_copy_(0, slots, k)
        return v_cache.index_copy_(0, slots, v)

    new, old = (tokens, heads * dim), (2 * tokens, heads * dim)
    inputs = (uniform(dtype, *new), uniform(dtype, *new), uniform(dtype, *old), uniform(dtype, *old), slots)
    return run, inputs, 0, 4 * tokens * heads * dim * dtype.itemsize


def kv_gather(dtype, tokens, heads, dim, layers):
    source = torch.arange(tokens, 2 * tokens, device=DEVICE)

    def run(source, *caches):
        for cache in caches:
            cache[: len(source)] = cache.index_select(0, source)
        return caches[-1]

    caches = [uniform(dtype, 2 * tokens, heads * dim) for _ in range(2 * layers)]
    return run, (source, *caches), 0, 4 * layers * tokens * heads * dim * dtype.itemsize


def gemm(dtype, m, n, k):
    return F.linear, (uniform(dtype, m, k), uniform(dtype, n, k)), 2 * m * n * k, (m * k + n * k + m * n) * dtype.itemsize


def attention_prefill(dtype, batch, tokens, heads, kv_heads, dim):
    def run(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=heads != kv_heads)

    kv = (batch, kv_heads, tokens, dim)
    inputs = (uniform(dtype, batch, heads, tokens, dim), uniform(dtype, *kv), uniform(dtype, *kv))
    bytes_ = 2 * batch * tokens * dim * (heads + kv_heads) * dtype.itemsize
    return run, inputs, 4 * batch * tokens * (tokens + 1) / 2 * heads * dim, bytes_


def attention_decode(dtype, batch, tokens, heads, kv_heads, dim):
    def run(q, k, v):  # a dense cache: the pages of topv have no counterpart here
        return F.scaled_dot_product_attention(q, k, v, enable_gqa=heads != kv_heads)

    kv = (batch, kv_heads, tokens, dim)
    inputs = (uniform(dtype, batch, heads, 1, dim), uniform(dtype, *kv), uniform(dtype, *kv))
    bytes_ = 2 * batch * dim * (heads + tokens * kv_heads) * dtype.itemsize
    return run, inputs, 4 * batch * tokens * heads * dim, bytes_


def cost_of(s, t, side):
    """[I, N, cols] twice to [I, N, N], and the norms."""
    s, t = (x if x.dtype == torch.float64 else x.float() for x in (s, t))
    distance = (s * s).sum(-1)[:, :, None] + (t * t).sum(-1)[:, None] - 2 * s @ t.transpose(1, 2)
    least, most = distance.amin((1, 2), True), distance.amax((1, 2), True)
    place = torch.arange(side * side, device=s.device)
    x, y = (place % side).to(s.dtype), (place // side).to(s.dtype)
    apart = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    centre = torch.sqrt((x - (side - 1) / 2) ** 2 + (y - (side - 1) / 2) ** 2)
    cost = (distance - least) / (most - least) + 1 - torch.exp(-apart / (2 * SIGMA**2)) + 0.01 * centre[:, None]
    return cost, s.norm(dim=-1), t.norm(dim=-1)


def importance_of(cost, p, q):
    p, q = p / p.sum(-1, True), q / q.sum(-1, True)
    kernel = torch.exp(-(cost - cost.amin((1, 2), True)) / EPSILON)
    power = LAMBDA / (LAMBDA + EPSILON)
    v = torch.ones_like(q)
    for _ in range(ITERATIONS):
        u = (p / torch.bmm(kernel, v[:, :, None])[:, :, 0]) ** power
        v = (q / torch.bmm(u[:, None], kernel)[:, 0]) ** power
    return u * torch.bmm(kernel, v[:, :, None])[:, :, 0]


def kept_of(importance):
    """One row of 0 and 1 per image."""
    n = importance.shape[1]
    top = n // 3
    keep = torch.zeros_like(importance, dtype=torch.bool)
    keep.scatter_(1, importance.argsort(dim=1, descending=True, stable=True)[:, :top], True)
    rank = (~keep).cumsum(1) - 1
    return (keep | (rank % RECOVER == 0)).to(torch.float32)


def transport_cost(dtype, images, side, cols):
    n = side * side
    inputs = (uniform(dtype, images, n, cols), uniform(dtype, images, n, cols))
    bytes_ = images * (2 * n * cols * dtype.itemsize + 4 * n * n)
    return lambda s, t: cost_of(s, t, side)[0], inputs, 2 * images * n * n * cols, bytes_


def sinkhorn(dtype, images, side):
    n = side * side
    inputs = (uniform(torch.float32, images, n, n), *(uniform(torch.float32, images, n, scale=0.5) + 1 for _ in "pq"))
    return importance_of, inputs, 4 * images * ITERATIONS * n * n, images * (4 * n * n + 12 * n)


def token_select(dtype, images, side):
    n = side * side
    return kept_of, (uniform(torch.float32, images, n),), 0, images * 4 * n * 1.5


def selection(dtype, images, side, cols):
    n = side * side

    def run(s, t):
        return kept_of(importance_of(*cost_of(s, t, side)))

    inputs = (uniform(dtype, images, n, cols), uniform(dtype, images, n, cols))
    flops = images * (2 * n * n * cols + 4 * ITERATIONS * n * n)
    return run, inputs, flops, images * 2 * n * cols * dtype.itemsize


ROUTINES = (
    rms_norm, layer_norm, silu_mul, gelu, rope, embed, rows_gather, kv_append, kv_gather, gemm, attention_prefill,
    attention_decode, transport_cost, sinkhorn, token_select, selection,
)  # fmt: skip


def synchronize():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def millis(run, runs=1):
    if DEVICE == "cuda":
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(runs):
            run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)
    begin = time.perf_counter()
    for _ in range(runs):
        run()
    return (time.perf_counter() - begin) * 1e3


def sample(one, seconds):
    stop, samples = time.monotonic() + seconds, []
    while len(samples) < MOST_SAMPLES and (len(samples) < LEAST_SAMPLES or time.monotonic() < stop):
        samples.append(one())
    return samples


def warm(run, seconds):
    for _ in range(3):
        run()
    runs = max(1, min(1000, math.ceil(SAMPLE_MILLIS / max(millis(run), 1e-6))))
    return sample(lambda: millis(run, runs) / runs, seconds)


def flush(_buffers=[]):
    if not _buffers:
        _buffers += [torch.zeros(FLUSH_BYTES // 4, device=DEVICE) for _ in range(2)]
    _buffers[1].copy_(_buffers[0])


def cold(run, seconds):
    def one():
        flush()  # on a GPU it also covers the time of the launch
        return millis(run)

    return sample(one, seconds)


def median(samples):
    return sorted(samples)[len(samples) // 2]


def peaks(dtype, seconds, _known={}):
    if dtype not in _known:
        size = 8192 if DEVICE == "cuda" else 1024
        a, b = uniform(dtype, size, size), uniform(dtype, size, size)
        flops = 2 * size**3 / (median(warm(lambda: a @ b, seconds)) / 1e3)
        _known[dtype] = flops, 2 * FLUSH_BYTES / (median(warm(flush, seconds)) / 1e3)
    return _known[dtype]


def launches(run):
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as trace:
        run()
        synchronize()
    return sum(event.count for event in trace.key_averages() if event.device_type.name == "CUDA")


def error(actual, expected):
    """The largest difference, relative to the number's size plus that of its row: attention's first rows are larger."""
    actual, expected = actual.double(), expected.double()
    off = (actual - expected).abs() / (expected.abs() + expected.pow(2).mean(-1, keepdim=True).sqrt())
    return torch.where(actual == expected, 0.0, off).max().item()


def wide(inputs):
    return [x.double() if x.is_floating_point() else x.clone() for x in inputs]


@torch.inference_mode()
def measure(case):
    torch.manual_seed(1)
    dtype = DTYPES[case["dtype"]]
    routine = {one.__name__: one for one in ROUTINES}[case["routine"]]
    function, inputs, flops, bytes_ = routine(dtype, **case["sizes"])
    expected = function(*wide(inputs))
    if case["way"] == "compile":
        function = torch.compile(function)
    with sdpa_kernel(KERNELS[case["way"]]) if case["way"] in KERNELS else contextlib.nullcontext():
        return timed(lambda: function(*inputs), expected, flops, bytes_, dtype, case)


def timed(run, expected, flops, bytes_, dtype, case):
    actual, seconds = run(), case["seconds"]
    if case["routine"] in ("token_select", "selection"):
        off = ((actual != expected).double().sum() / expected.sum()).item()
    else:
        off = error(actual, expected)
    flops_per_s, bytes_per_s = peaks(dtype, seconds)
    result = {
        "error": off, "warm": warm(run, seconds), "cold": cold(run, seconds), "flops": flops, "bytes": bytes_,
        "peak_flops": flops_per_s, "peak_bytes": bytes_per_s,
    }  # fmt: skip
    if DEVICE == "cuda":
        result["launches"] = launches(run)
    return result


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    if threads > 0:
        torch.set_num_threads(threads)
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name = torch.cuda.get_device_name() if DEVICE == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"torch {torch.__version__} on {name}", file=answers, flush=True)
    for line in sys.stdin:
        try:
            result = measure(json.loads(line))
        except Exception as problem:  # the next case may work
            result = {"problem": f"{type(problem).__name__}: {str(problem).splitlines()[0] if str(problem) else ''}"}
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main()
