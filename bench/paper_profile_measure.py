#!/usr/bin/python3
"""The measuring part of paper_profile_bench.sh. Every time is of a whole process, start to exit."""

import argparse
import errno
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
BIN = BENCH.parent / "build/release/bin"
TOLERANCE = 1e-4  # of a feature's value, or of the spread for means, which cancel


class Run:
    """One finished process: seconds, processor seconds of all threads, peak resident memory, what it printed."""

    def __init__(self, command):
        # Through GNU time: a process started from here would count this interpreter's memory as its own.
        with tempfile.NamedTemporaryFile("r") as usage:
            timed = ["/usr/bin/time", "--format=%U %S %M", "-o", usage.name, *map(str, command)]
            begin = time.perf_counter()
            process = subprocess.run(timed, stdout=subprocess.PIPE, text=True)
            self.seconds = time.perf_counter() - begin
            if process.returncode:
                sys.exit(f"status {process.returncode}: {' '.join(timed)}")
            self.output = process.stdout
            user, system, peak_kib = map(float, usage.read().split())
            self.cpu_seconds = user + system
            self.peak_mib = peak_kib / 1024


def evict(model):
    """Drops the model's files from the page cache, and makes sure of it."""
    for path in model.glob("*.safetensors"):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)  # pages not yet on the disk would stay
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.fstat(descriptor).st_size
        if any(is_cached(descriptor, size * place // 64) for place in range(64)):
            sys.exit(f"{path}: stays in the page cache; is another process reading it?")
        os.close(descriptor)


def is_cached(descriptor, offset):
    try:
        os.preadv(descriptor, [bytearray(1)], offset, os.RWF_NOWAIT)
        return True
    except OSError as error:
        if error.errno != errno.EAGAIN:
            raise
        return False


def alternate(commands, runs, before):
    """`runs` rounds over all commands, so that a slow minute of the machine hits all of them."""
    results = [[] for _ in commands]
    for _ in range(runs):
        for command, done in zip(commands, results):
            before()
            done.append(Run(command))
    return results


def disagreements(ours, theirs):
    found = []
    for key in sorted(set(ours) | set(theirs)):
        a, b = ours.get(key), theirs.get(key)
        if isinstance(a, float) and isinstance(b, float):
            scale = max(abs(a), abs(b))
            if key.endswith("_mean"):
                scale = max(scale, abs(theirs[key.replace("_mean", "_std")]))
            same = abs(a - b) <= TOLERANCE * scale
        else:
            same = a == b
        if not same:
            found.append(f"{key}: {a} and {b}")
    return found


def describe_machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
               platform.machine())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {os.cpu_count()} cores, {memory_gib:.0f} GiB memory, Linux {platform.release()}; load {os.getloadavg()[0]:.1f}"


def row(name, runs, floor=None):
    seconds = [run.seconds for run in runs]
    spread = f"{min(seconds):.2f} - {max(seconds):.2f}" if len(runs) > 1 else ""
    ratio = f"{statistics.median(seconds) / statistics.median(run.seconds for run in floor):.2f}" if floor else ""
    cpu = statistics.median(run.cpu_seconds for run in runs)
    peak = max(run.peak_mib for run in runs)
    print(f"| {name} | {statistics.median(seconds):.2f} | {spread} | {ratio} | {cpu:.2f} | {peak:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--skip-autograd", action="store_true")
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    model = arguments.model

    with tempfile.TemporaryDirectory() as scratch:
        profile = [BIN / "tensorguard", "fingerprint", model, "--profile", "paper", "--json",
                   "--threads", arguments.threads, "-o", f"{scratch}/features.json"]
        Run(profile)
        ours = json.loads(Path(f"{scratch}/features.json").read_text())
        read = [BIN / "read_bytes", arguments.threads, model, *ours["selected_layers"]]

        print(f"{describe_machine()}; {arguments.threads} threads, {arguments.runs} runs.")
        print(f"Model: {ours['total_params']:,} parameters in layers 0 to 15. "
              f"Read: {Run(read).output.rsplit(',', 1)[0]}.\n")
        print("| whole process | median s | range s | to reading | CPU s | peak MiB |")
        print("| --- | --- | --- | --- | --- | --- |")
        for state, before in (("cold", lambda: evict(model)), ("warm", lambda: None)):
            read_runs, profile_runs = alternate([read, profile], arguments.runs, before)
            row(f"read once, {state}", read_runs)
            row(f"paper profile, {state}", profile_runs, read_runs)

    if not arguments.skip_autograd:
        run = Run(["/usr/bin/python3", BENCH / "autograd_reference.py", "--threads", arguments.threads, model])
        row("autograd in PyTorch, warm", [run])
        seconds = run.seconds / statistics.median(done.seconds for done in profile_runs)
        cpu = run.cpu_seconds / statistics.median(done.cpu_seconds for done in profile_runs)
        print(f"\nAutograd takes {seconds:.0f} times as long and {cpu:.0f} times the processor time.")
        found = disagreements(ours, json.loads(run.output)["models"][0]["features"])
        if found:
            sys.exit("The features disagree:\n" + "\n".join(found))
        print(f"All features agree within {TOLERANCE:g}.")


if __name__ == "__main__":
    main()
