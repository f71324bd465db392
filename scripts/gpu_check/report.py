"""The report of scripts/gpu-check run: one Markdown file, one JSON file."""

import datetime
import json
from pathlib import Path

import targets
from places import REHEARSAL, UNPACKED

MET = {True: "yes", False: "**no**", None: "-"}


def write(results, directory):
    """Returns the file that is for people."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    commit = (UNPACKED / "commit").read_text().strip()
    where = next((one["lines"][0] for one in results if one["name"] == "device" and one.get("lines")), "unknown")
    if REHEARSAL:
        where = "no GPU: a rehearsal with the emulated device and small shapes; its times mean nothing"
    verdicts = targets.verdicts(results)
    stem = directory / f"{now.date()}-gpu-{'rehearsal' if REHEARSAL else 'check'}"
    about = {"date": now.isoformat(timespec="seconds"), "commit": commit, "device": where}
    stem.with_suffix(".json").write_text(json.dumps(about | {"targets": verdicts, "sections": results}, indent=1) + "\n")
    text = [f"# GPU {'rehearsal' if REHEARSAL else 'check'}", "", f"{about['date']}, commit {commit}. {where}.", ""]
    text += ["| section | result | seconds |", "| --- | --- | ---: |"]
    text += [f"| {one['name']} | {one['status']} | {one['seconds']} |" for one in results]
    text += ["", "## Targets", "", "| target | measured | met |", "| --- | --- | --- |"]
    text += [f"| {one['target']} | {one['measured']} | {MET[one['met']]} |" for one in verdicts]
    for one in results:
        if one.get("lines"):
            text += ["", f"## {one['name']}", "", "```", *one["lines"], "```"]
    stem.with_suffix(".md").write_text("\n".join(text) + "\n")
    return stem.with_suffix(".md")
