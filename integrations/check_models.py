#!/usr/bin/env python3
"""Fails when a model of a repository comes from one on a deny list.

    check_models.py --known DENIED [--known ...] [--fail-on VERDICT,...] [--summary FILE] PATH...

PATHs are weight files and folders; weight files beside a config.json stand for their folder, and all
other files are passed over. Each model is looked for among the known ones by `tensorguard classify`.
Exit status: 0 none of the models' verdicts is one of --fail-on; 1 one is; 2 for some model it could
not be found out, whatever was found of the others. A summary in Markdown is printed, and appended to
--summary. Needs Python 3.8 and nothing else.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

WEIGHTS = {".safetensors", ".gguf", ".bin", ".pt", ".pth", ".onnx", ".npz"}


def models_of(paths):
    """The models that the paths name, each once, in their order."""
    models = {}
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            models.setdefault(path.resolve(), path)
        elif path.suffix.lower() in WEIGHTS:
            whole = path.parent if (path.parent / "config.json").is_file() else path
            models.setdefault(whole.resolve(), whole)
        elif not path.exists():
            models.setdefault(path, path)  # the program says that it is not there
    return list(models.values())


def cell(text):
    """Text of a file in a table: no markup, one line."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(text))
    for mark in "\\`*_[]<>|#&":
        shown = shown.replace(mark, "\\" + mark if mark != "<" else "&lt;")
    return shown


def ask(arguments, model):
    """The program's status and its answer."""
    command = [arguments.program, "classify", str(model), "--json", "--quiet"]
    for known in arguments.known:
        command += ["--known", known]
    command += ["--fail-on", arguments.fail_on, *arguments.option]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        answer = json.loads(done.stdout) if done.stdout.strip() else {}
    except (OSError, ValueError) as problem:
        return 2, {"error": {"problem": str(problem)}}
    status = done.returncode if done.returncode in (0, 1) else 2
    return status, answer


def row(status, model, answer):
    best = answer.get("best") or {}
    if status == 2:
        error = answer.get("error", {})
        said = error.get("problem", "the program ended without an answer")
        return f"| {cell(model)} | **not found out** | {cell(said)} | | |"
    mark = "**denied**" if status == 1 else "ok"
    known = best.get("name", "") if answer.get("known") or status == 1 else "unknown"
    score = best.get("score")
    shown = "-" if score is None else f"{score:.3f}"
    return f"| {cell(model)} | {mark} | {cell(known)} | {cell(best.get('verdict', ''))} | {shown} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", metavar="PATH")
    parser.add_argument("--known", action="append", required=True, metavar="DENIED")
    parser.add_argument("--fail-on", default="identical,derived,reparameterised")
    parser.add_argument("--summary", metavar="FILE")
    parser.add_argument("--program", default="tensorguard")
    parser.add_argument(
        "--option", action="append", default=[], help="of tensorguard classify: --option=--quick"
    )
    arguments = parser.parse_args()

    lines = ["### Where the models come from", ""]
    statuses = {0}
    models = models_of(arguments.paths)
    if models:
        lines += ["| model | answer | nearest known | verdict | score |", "|---|---|---|---|---|"]
    else:
        lines.append("No model among the files.")
    for model in models:
        status, answer = ask(arguments, model)
        statuses.add(status)
        lines.append(row(status, model, answer))
    lines += ["", f"Denied: {cell(arguments.fail_on)}. A model that is not found is not proven clean."]
    summary = "\n".join(lines) + "\n"
    print(summary, end="")
    if arguments.summary:
        with open(arguments.summary, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(summary + "\n")
    return max(statuses)


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
