"""The measured figures as a table with the targets beside them."""

import json

LINE = "| {} | {} | {} | {} | {} |"


def write(result, directory):
    directory.mkdir(parents=True, exist_ok=True)
    stem = directory / f"{result['date'][:10]}-cpu-e2e"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    text = markdown(result)
    stem.with_suffix(".md").write_text(text)
    print(text)


def figures(result):
    """name -> (topv, transformers or None, ratio or share, target or None, whether more is better)"""
    series = result["series"]
    tokens, decoded = result["prompt_tokens"], result["decoded"]
    median = {name: one["median"] for name, one in series.items()}
    rate = {engine: median[f"{engine}.decode.ms"] / decoded for engine in ("topv", "transformers")}
    bandwidth = max(median["read.small_pages"], median["read.huge_pages"])
    usual = max(median["read.small_pages_median"], median["read.huge_pages_median"])
    reading = result["decoder_bytes_per_token"] / rate["topv"] / 1e6
    return {
        "tokens": tokens,
        "vision": ratio(median, "vision"),
        "prefill": ratio(median, "prefill"),
        "decode": ratio(median, "decode"),
        "first": ratio(median, "first"),
        "decode_gb_s": reading,
        "read_gb_s": bandwidth,
        "bandwidth_share": reading / bandwidth,
        "usual_read_gb_s": usual,
        "usual_bandwidth_share": reading / usual,
        "selection_share": median["topv.pruned.selection_ms"] / median["topv.pruned.ms"],
        "selection_share_of_full": median["topv.pruned.selection_ms"] / median["topv.prefill.ms"],
        "prefill_gain": median["topv.prefill.ms"] / median["topv.pruned.ms"],
    }


def ratio(median, stage):
    return median[f"transformers.{stage}.ms"] / median[f"topv.{stage}.ms"]


def stage_row(result, title, stage, per_second, target):
    def cell(engine):
        one = result["series"][f"{engine}.{stage}.ms"]
        text = f"{one['median']:.0f} ms ({one['min']:.0f} .. {one['max']:.0f})"
        return text if per_second is None else f"**{per_second / one['median'] * 1e3:.1f} tokens/s**, {text}"

    return LINE.format(title, cell("topv"), cell("transformers"), f"**{figures(result)[stage]:.2f} x**", target)


def markdown(result):
    f, series = figures(result), result["series"]
    agreement, cold, memory = result["agreement"], result["cold_ms"], result["memory"]
    cpu = json.loads(result["cpu"])
    pruned, kept = series["topv.pruned.ms"], result["kept"]
    upper = result["prompt_tokens"] - result["visual_tokens"] + kept
    n = agreement["tokens"] + 1

    def gib(name, engine):
        return f"{memory[engine][name] / 2**30:.1f} GiB"

    def counted(name):
        one = series[name]
        return f"{one['samples']} of {one['taken']}"

    worst = max(one["foreign_cpu_worst_used"] for one in series.values())
    rows = [
        LINE.format("", "topv", "transformers", "topv is faster by", "target"),
        LINE.format(*["---"] * 5),
        stage_row(result, "vision encode (tower, projector)", "vision", None, "1.3 x"),
        stage_row(result, f"prefill, decoder only, {f['tokens']} tokens", "prefill", f["tokens"], "1.3 x"),
        stage_row(result, f"decode, {result['decoded']} tokens", "decode", result["decoded"], "1.5 x"),
        stage_row(result, "time to first token (vision and prefill)", "first", None, ""),
    ]
    return f"""# The whole model on the CPU, against transformers

{result['date']}, `scripts/bench e2e`. {cpu['device']}, {result['threads']} threads, {cpu['isa']}; oneDNN \
{cpu['libraries']['oneDNN']}; {result['versions']}. A LLaVA-1.5 graph with TinyLlama-1.1B's decoder (22 layers, C 2048, \
F 5632, 32 heads, 4 KV heads) and CLIP ViT-L/14-336's tower, 1.41 B parameters, random weights, bf16; one picture \
({result['visual_tokens']} visual tokens) and {f['tokens'] - result['visual_tokens']} tokens of text.

{chr(10).join(rows)}

| | measured | target |
| --- | --- | --- |
| decode reads weights at | {f['decode_gb_s']:.1f} GB/s, **{100 * f['bandwidth_share']:.0f} %** of {f['read_gb_s']:.1f} \
GB/s, the best pass of plain reading (4 KiB pages {series['read.small_pages']['median']:.1f}, huge pages \
{series['read.huge_pages']['median']:.1f}), {100 * f['usual_bandwidth_share']:.0f} % of {f['usual_read_gb_s']:.1f}, its \
median pass | 80 % |
| prefill with {kept} of {result['visual_tokens']} kept (TopV) | {pruned['median']:.0f} ms ({pruned['min']:.0f} .. \
{pruned['max']:.0f}), **{f['prefill_gain']:.2f} x** as fast as without; {upper} of {f['tokens']} tokens after layer 2 | \
1.7 x |
| selection (cost, Sinkhorn, choice, gather) | {series['topv.pruned.selection_ms']['median']:.1f} ms, \
**{100 * f['selection_share_of_full']:.1f} %** of the prefill without pruning, {100 * f['selection_share']:.1f} % of \
the one with | 2 % |
| decode after pruning | {result['decoded'] / series['topv.pruned_decode.ms']['median'] * 1e3:.1f} tokens/s | |

Medians (least .. most). The two take turns, {series['topv.vision.ms']['taken']} rounds. A window counts where others \
used at most 3 % of the cores, unless fewer than 3 do; of the prefills {counted('topv.prefill.ms')} (topv) and \
{counted('transformers.prefill.ms')} (transformers) count, of the decodes {counted('topv.decode.ms')} and \
{counted('transformers.decode.ms')}; most foreign CPU in a window that counts: {100 * worst:.0f} %.

Threads: both have OpenMP teams of {result['threads']} with libgomp's default policy, except that topv's idle threads \
spin for 5,000 rounds (its own default), PyTorch's for libgomp's 300,000, which favours PyTorch on a quiet machine. \
transformers runs its decoder layer stack directly, without `generate()`, attention by SDPA. It computes all 24 layers \
of the tower and discards the last (4 %); topv stops at the feature layer.

Correctness, checked before any time was taken: cosine of the logits after the prompt, topv to transformers \
{agreement['cosine_topv_transformers']:.6f}; to float32: topv {agreement['cosine_topv_float32']:.6f}, transformers \
{agreement['cosine_transformers_float32']:.6f}. Of {n} greedy choices along transformers' answer float32 makes the same as \
topv {agreement['greedy_topv_as_float32']}, as transformers {agreement['greedy_transformers_as_float32']}; topv and \
transformers agree on {agreement['greedy_topv_as_transformers']}, and differ only where float32 sees a near tie. Left to \
itself topv gives the same {agreement['free_running_equal_prefix']} first tokens of {agreement['tokens']}.

Loading (files in the page cache): topv {cold['topv']['load'] / 1e3:.1f} s, transformers \
{cold['transformers']['load'] / 1e3:.1f} s. The first run of a shape also packs weights and compiles: vision \
{cold['topv']['vision']:.0f} ms, prefill {cold['topv']['prefill']:.0f} ms (transformers \
{cold['transformers']['vision']:.0f} and {cold['transformers']['prefill']:.0f}). Peak memory: topv \
{gib('VmHWM', 'topv')}, at the end {gib('RssAnon', 'topv')} of its own and {gib('RssFile', 'topv')} mapped from files; \
transformers with this program {gib('VmHWM', 'transformers')}.
"""
