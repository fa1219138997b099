#!/usr/bin/python3
"""Times the full profile of MODEL as a whole process beside its floor (profile_floor): reading every byte once, and its
multiply-adds at the machine's rate. Floor and profile take turns; ratios are within a round. Prints a markdown table."""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from paper_profile_measure import BIN, Run, describe_machine, evict


class Round:
    """The floor on all threads, then the profile on all of them and on one."""

    def __init__(self, model, threads, folder):
        self.floor = json.loads(Run([BIN / "profile_floor", model, "--threads", threads]).output)
        self.parallel = fingerprint(model, threads, folder)
        self.serial = fingerprint(model, 1, folder)

    def ratio(self):
        return self.parallel.seconds / max(self.floor["read_seconds"], self.floor["multiply_seconds"])

    def speedup(self):
        return self.serial.seconds / self.parallel.seconds


def fingerprint(model, threads, folder):
    """Every run must give the same bytes."""
    path = Path(folder) / "new.fingerprint.safetensors"
    run = Run([BIN / "tensorguard", "fingerprint", model, "--threads", threads, "-o", path, "--quiet"])
    first = Path(folder) / "first.fingerprint.safetensors"
    if not first.exists():
        path.rename(first)
    elif first.read_bytes() != path.read_bytes():
        sys.exit(f"{threads} threads gave another fingerprint")
    return run


def row(name, seconds, runs=None):
    spread = f"{min(seconds):.2f} - {max(seconds):.2f}"
    cpu = f"{statistics.median(run.cpu_seconds for run in runs):.2f}" if runs else ""
    peak = f"{max(run.peak_mib for run in runs):.0f}" if runs else ""
    print(f"| {name} | {statistics.median(seconds):.2f} | {spread} | {cpu} | {peak} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fingerprint(arguments.model, arguments.threads, folder)  # into the page cache
        rounds = [Round(arguments.model, arguments.threads, folder) for _ in range(arguments.runs)]
        cold = []
        for _ in range(3):
            evict(arguments.model)
            cold.append(fingerprint(arguments.model, arguments.threads, folder))
        size = (Path(folder) / "first.fingerprint.safetensors").stat().st_size

    floor = rounds[0].floor
    multiply_adds = floor["kernel_multiply_adds"] + floor["sketch_multiply_adds"]
    rate = statistics.median(r.floor["bfloat16_multiply_adds_per_second"] for r in rounds)
    print(f"{describe_machine()}; {arguments.threads} threads, {arguments.runs} rounds.")
    print(f"{floor['bytes']:,} bytes; {multiply_adds / 1e9:.1f} G multiply-adds, the machine's rate in bfloat16 "
          f"{rate / 1e9:.0f} G/s; fingerprint of {size:,} bytes, the same in every run.\n")
    print("| | median s | range s | CPU s | peak MiB |")
    print("| --- | --- | --- | --- | --- |")
    row("(a) read every byte once, warm", [r.floor["read_seconds"] for r in rounds])
    row("(b) multiply-adds at the machine's rate", [r.floor["multiply_seconds"] for r in rounds])
    row("full profile, warm", [r.parallel.seconds for r in rounds], [r.parallel for r in rounds])
    row("full profile, warm, 1 thread", [r.serial.seconds for r in rounds], [r.serial for r in rounds])
    row("full profile, cold", [run.seconds for run in cold], cold)
    print(f"\nTo the larger of (a) and (b): {statistics.median(r.ratio() for r in rounds):.2f} times. "
          f"{arguments.threads} threads instead of 1: {statistics.median(r.speedup() for r in rounds):.2f} times as fast.")


if __name__ == "__main__":
    main()
