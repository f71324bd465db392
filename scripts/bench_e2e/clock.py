"""Timed windows that know how much of the machine others used meanwhile."""

import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
FOREIGN_LIMIT = 0.03  # of all cores


def cpu_seconds_of_all():
    fields = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq) / TICK, steal / TICK


def cpu_seconds_of(pid):
    """Its own and those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICK


@dataclass
class Series:
    """Samples of one figure; those taken while others used the machine are told apart."""

    samples: list = field(default_factory=list)  # (value, foreign share)

    def add(self, value, foreign):
        self.samples.append((value, foreign))

    def clean(self):
        return [value for value, foreign in self.samples if foreign <= FOREIGN_LIMIT]

    def used(self):
        clean = self.clean()
        return clean if len(clean) >= 3 else [value for value, _ in self.samples]

    def summary(self):
        values = self.used()
        return {
            "median": statistics.median(values), "min": min(values), "max": max(values), "samples": len(values),
            "taken": len(self.samples), "clean": len(self.clean()),
            "foreign_cpu_worst_used": max(foreign for value, foreign in self.samples if value in values),
        }


def window(work, pids):
    """(result of work, share of all cores that neither these processes nor idling used, steal included)"""
    time.sleep(0.15)  # until the other's threads have stopped spinning
    start, (busy, steal), own = time.perf_counter(), cpu_seconds_of_all(), sum(map(cpu_seconds_of, pids))
    result = work()
    wall = time.perf_counter() - start
    busy_after, steal_after = cpu_seconds_of_all()
    foreign = busy_after - busy - (sum(map(cpu_seconds_of, pids)) - own) + steal_after - steal
    # two ticks of 10 ms per process are rounding
    return result, max(0.0, foreign - 2 * (1 + len(pids)) / TICK) / (wall * os.cpu_count())
