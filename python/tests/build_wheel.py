"""Builds a wheel without network, installs it into an empty folder, and asks it something.

build_wheel.py BUILD_DIR WORK_DIR
"""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

from samples import ALDER, LORA, need

need("setuptools")
need("wheel")

build, work = sys.argv[1], pathlib.Path(sys.argv[2])
package = pathlib.Path(__file__).resolve().parents[1]
shutil.rmtree(work, ignore_errors=True)
# A copy, so that nothing is left beside the sources.
shutil.copytree(package, work / "source" / "python", ignore=shutil.ignore_patterns("__pycache__"))
shutil.copy(package.parent / "CMakeLists.txt", work / "source")

environment = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "PYTHONPATH")}
subprocess.run(
    [
        sys.executable,
        "-c",
        "import setuptools.build_meta as b; print(b.build_wheel('..'))",
    ],
    cwd=work / "source" / "python",
    env=environment | {"TENSORGUARD_BUILD_DIR": build},
    stdout=subprocess.DEVNULL,
    check=True,
)
(wheel,) = (work / "source").glob("*.whl")
assert "linux" in wheel.name and "none-any" not in wheel.name, wheel.name
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(work / "installed")
    names = archive.namelist()
for wanted in ("tensorguard/py.typed", "tensorguard/_core.pyi", "tensorguard/libtensorguard.so.0"):
    assert wanted in names, f"{wanted} is not in {names}"

ask = (
    "import sys, tensorguard as tg; assert tg.__file__.startswith(sys.argv[3]), tg.__file__; "
    "print(tg.compare(sys.argv[1], sys.argv[2]).verdict)"
)
answer = subprocess.run(
    [sys.executable, "-c", ask, str(ALDER), str(LORA), str(work / "installed")],
    cwd=work,
    env=dict(os.environ) | {"PYTHONPATH": str(work / "installed")},
    capture_output=True,
    text=True,
    check=False,
)
assert answer.stdout == "derived\n", answer
print(f"{wheel.name}: {answer.stdout.strip()}")
