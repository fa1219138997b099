#!/usr/bin/env python3
"""What the Python package costs beside the program: bench/python_overhead.py PROGRAM MODEL [ROUNDS]

Fingerprints MODEL by the program and by the package in turns, and prints the medians of the seconds and of
their ratio. The package is asked in a process that has it loaded: what is compared is the work, not the start
of Python, which is printed beside it. PYTHONPATH names the package.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

began = time.perf_counter()
import tensorguard as tg  # noqa: E402

start = time.perf_counter() - began
program, model = sys.argv[1:3]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 7
seconds = {"program": [], "package": []}
with tempfile.TemporaryDirectory() as folder:
    output = os.path.join(folder, "x.fingerprint.safetensors")
    for i in range(-1, rounds):  # the first, uncounted, fills the page cache
        before = time.perf_counter()
        command = [program, "fingerprint", model, "-o", output, "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        between = time.perf_counter()
        tg.fingerprint(model).save(output)
        after = time.perf_counter()
        if i >= 0:
            seconds["program"].append(between - before)
            seconds["package"].append(after - between)
for name, taken in seconds.items():
    print(f"{name}: {statistics.median(taken):.3f} s (of {rounds}: {min(taken):.3f} to {max(taken):.3f})")
ratios = [b / a for a, b in zip(seconds["program"], seconds["package"])]
print(f"package / program: {statistics.median(ratios):.3f}")
print(f"import tensorguard: {start:.3f} s")
