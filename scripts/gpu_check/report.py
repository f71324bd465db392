"""The report of scripts/gpu-check run: one Markdown file, one JSON file."""

import datetime
import json
from pathlib import Path

from places import UNPACKED


def write(results, directory):
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    commit = (UNPACKED / "commit").read_text().strip()
    name = f"{today}-gpu-check"
    (directory / f"{name}.json").write_text(json.dumps({"date": str(today), "commit": commit, "sections": results}, indent=1) + "\n")
    text = [f"# GPU check of {commit}, {today}", "", "| section | result | seconds |", "| --- | --- | ---: |"]
    text += [f"| {one['name']} | {one['status']} | {one['seconds']} |" for one in results]
    for one in results:
        if one.get("lines"):
            text += ["", f"## {one['name']}", "", "```", *one["lines"], "```"]
    (directory / f"{name}.md").write_text("\n".join(text) + "\n")
    print(f"gpu-check: report in {directory}/{name}.md", flush=True)
