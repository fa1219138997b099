"""What the tests share: the sample models, and the program to hold the package against."""

import json
import os
import pathlib
import subprocess
import sys

MODELS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "models"
ALDER = MODELS / "alder"
BIRCH = MODELS / "birch"
LORA = MODELS / "alder--lora"


def need(module: str) -> None:
    """Ends the test as skipped where a module is not installed."""
    try:
        __import__(module)
    except ImportError as problem:
        print(f"skipped: {problem}")
        sys.exit(77)


def program(*arguments: object) -> dict[str, object]:
    """What the program answers with --json."""
    command = [os.environ["TENSORGUARD_PROGRAM"], *map(str, arguments), "--json"]
    environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    return json.loads(done.stdout)


need("numpy")
