"""The targets on an H200 beside what the sections measured."""

SELECTION = "side=24 cols=4096"
PREFILL = "batch=1 tokens={} heads=32 kv_heads=32 dim=128"
PEERS = ("torch_flash", "flash_torch", "torch_cudnn", "flash_cudnn")


def row(target, measured, met):
    return {"target": target, "measured": measured, "met": met}


def missing(target):
    return row(target, "not measured", None)


def of_kernels(rows):
    """kernels: warm is a run after another; cold has the caches flushed and the launch's own time hidden behind that."""
    figures = {(one["routine"], one["shape"], one["provider"]): one for one in rows if "problem" not in one}

    def figure(routine, shape, provider, name):
        return figures.get((routine, shape, provider), {}).get(name)

    for images, most in ((1, 60), (32, 15)):
        target = f"selection of {images} image(s) of 576 tokens, 20 iterations: at most {most} us per image"
        time = figure("selection", f"images={images} {SELECTION}", "cuda", "warm_us")
        yield row(target, f"{time / images:.1f} us", time / images <= most) if time else missing(target)
    for images in (1, 32):
        target = f"the same, {images} image(s): at least 20 x eager PyTorch"
        times = [figure("selection", f"images={images} {SELECTION}", provider, "warm_us") for provider in ("torch", "cuda")]
        yield row(target, f"{times[0] / times[1]:.1f} x", times[0] >= 20 * times[1]) if all(times) else missing(target)
    for tokens in (512, 1024, 2048, 4096):
        target = f"attention prefill, {tokens} tokens, causal, head size 128: at least 80 % of the better of FlashAttention-2 and cuDNN"
        ours = figure("attention_prefill", PREFILL.format(tokens), "cuda", "cold_us")
        peers = {name: time for name in PEERS if (time := figure("attention_prefill", PREFILL.format(tokens), name, "cold_us"))}
        if not ours or not peers:
            yield missing(target)
            continue
        best = min(peers, key=peers.get)
        share = peers[best] / ours
        yield row(target, f"{100 * share:.0f} % of {best} ({ours:.1f} and {peers[best]:.1f} us); of {', '.join(peers)}", share >= 0.8)
    for routine in ("attention_decode", "kv_gather", "rows_gather"):
        shapes = [shape for name, shape, provider in figures if name == routine and provider == "cuda"]
        for shape in shapes or ["any shape"]:
            target = f"{routine}, {shape}: at least 80 % of copy bandwidth"
            share = figure(routine, shape, "cuda", "percent_of_peak")
            yield row(target, f"{share:.0f} %", share >= 80) if share else missing(target)


def of_model(data):
    stages = data.get("batches", {}).get("1", {})
    for stage, title in (("first", "time to first token"), ("decode", "decode")):
        for pruned, words in (("topv", ""), ("pruned", ", pruned")):
            target = f"{title}{words}, batch 1: at least 1.5 x transformers"
            if pruned in stages and "transformers" in stages:
                gain = stages["transformers"][stage]["median"] / stages[pruned][stage]["median"]
                yield row(target, f"{gain:.2f} x", gain >= 1.5)
            else:
                yield missing(target)


def verdicts(results):
    data = {one["name"]: one.get("data", {}) for one in results}
    return [*of_kernels(data.get("bench", {}).get("kernels", [])), *of_model(data.get("e2e", {}))]
