#!/usr/bin/python3
"""Asks the program about models of known ancestry and counts its right, undecided and wrong answers, in Markdown.

    TG=build/release/bin/tensorguard /usr/bin/python3 bench/battery.py FOLDER
        [--every-pair] [--deep [K]] [--answers FILE] [--prints FOLDER] [--only TEXT]

FOLDER holds models and truth.json (bench/train_families.py; the form of src/evaluation/truth.h does, too). Each model's
fingerprint is taken once, and kept in --prints; each base is compared with every model, with --every-pair every model with every
other, all of them by one run of `tensorguard evaluate`. --deep adds the test on the weights: for pairs of one family, and for
every K-th of the rest (20). --answers keeps what was said, a JSON object a line, and does not ask again what it holds. One
process at a time.

What counts. Two models that share an origin are copies if both still work (those that do not are left out): identical,
derived and reparameterised are right, inconclusive is undecided, independent and shared-initialisation are wrong. Two of the
same random start, trained apart: shared-initialisation is right, independent and inconclusive are undecided. All others, students
and forged ones among them: independent is right, inconclusive undecided, everything else wrong.
"""

import argparse
import collections
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

COPY = ("identical", "derived", "reparameterised")
ENDING = ".fingerprint.safetensors"


class Truth:
    def __init__(self, folder):
        self.folder = folder
        self.models = {entry["name"]: entry for entry in json.loads((folder / "truth.json").read_text())}

    def origins(self, name):
        entry = self.models[name]
        own = [name] if entry["relation"] == "independent" else [entry["root"]]
        return set(entry.get("origins", own))

    def starts(self, name):
        return {self.models[origin].get("start", origin) for origin in self.origins(name)}

    def works(self, name):
        return self.models[name].get("working", True)

    def relation(self, some, other):
        if self.origins(some) & self.origins(other):
            return "copy" if self.works(some) and self.works(other) else "damaged"
        return "shared start" if self.starts(some) & self.starts(other) else "independent"

    def row(self, some, other):
        """Under which heading a pair is counted."""
        a, b = self.models[some], self.models[other]
        if a["root"] != b["root"]:
            return "of different families"
        for one, two in ((a, b), (b, a)):
            if one["relation"] == "base":
                return two["kind"]
        return "of one family: " + self.relation(some, other)

    def pairs(self, every, only):
        for some, other in itertools.combinations(self.models, 2):
            bases = any(self.models[name]["relation"] == "base" for name in (some, other))
            if (bases or every) and (only in some or only in other):
                yield some, other


class Program:
    """What the program says of pairs, remembered in a file."""

    def __init__(self, path, folder, work, answers):
        self.path, self.folder, self.work, self.answers, self.known = path, folder, Path(work), answers, {}
        if answers and answers.exists():
            for line in answers.read_text().splitlines():
                said = json.loads(line)
                self.known[said["a"], said["b"], said["deep"]] = said

    def fingerprint(self, name):
        file = self.work / f"{name}{ENDING}"
        if not file.exists():
            done = self.run("fingerprint", self.folder / name, "-o", file)
            if done.returncode:
                print(f"{name}: {done.stderr.strip()}", file=sys.stderr)
        return file

    def keep(self, said):
        self.known[said["a"], said["b"], said["deep"]] = said
        if self.answers:
            with self.answers.open("a") as file:
                file.write(json.dumps(said) + "\n")

    def evaluate(self, pairs, bases):
        """Asks about all pairs of fingerprints at once; which part is another model's, one by one. `evaluate` compares every
        model with every one that is named a base: these are `bases`, or all."""
        missing = {pair for pair in pairs if (*pair, False) not in self.known}
        names = sorted({name for pair in missing for name in pair})
        readable = [name for name in names if self.fingerprint(name).exists()]
        first = next((name for name in readable if not bases or name in bases), None)
        if first is None:
            return
        entries = []
        for name in readable:
            base = not bases or name in bases
            entries.append({"name": name + ENDING, "root": (name if base else first) + ENDING, "parents": [], "kind": "any",
                            "relation": "base" if base else "independent"})
        truth = self.work / "battery_truth.json"
        truth.write_text(json.dumps(entries))
        done = self.run("evaluate", truth, "--json")
        truth.unlink()
        try:
            answers = json.loads(done.stdout)["pairs"]
        except (json.JSONDecodeError, KeyError):
            sys.exit(f"evaluate: {done.stderr.strip()}")
        for answer in answers:
            pair = tuple(answer[side].removesuffix(ENDING) for side in ("model", "base"))
            pair = pair if pair in missing else pair[::-1]
            if pair in missing and answer["verdict"] not in COPY:
                said = dict(zip("ab", pair), deep=False, score=answer["score"], verdict=answer["verdict"], in_part=False)
                self.keep({**said, "verdict": "refused"} if said["verdict"] == "error" else said)

    def run(self, *arguments):
        return subprocess.run([self.path, *map(str, arguments), "--threads", "1", "--quiet"], capture_output=True, text=True)

    def compare(self, some, other, deep):
        if (some, other, deep) not in self.known:
            files = [self.folder / name if deep else self.fingerprint(name) for name in (some, other)]
            done = self.run("compare", *files, "--json", *(["--deep"] if deep else []))
            said = {"a": some, "b": other, "deep": deep, "verdict": "refused", "score": None}
            try:
                answer = json.loads(done.stdout)
                said.update({key: answer[key] for key in ("verdict", "score", "in_part") if key in answer})
                said["evidence"] = answer.get("evidence")
            except json.JSONDecodeError:
                said["error"] = done.stderr.strip()[:500]
            self.keep(said)
        return self.known[some, other, deep]


def judged(relation, verdict):
    if verdict == "refused":
        return "refused"
    if relation == "shared start":
        return {"shared-initialisation": "right", "independent": "undecided", "inconclusive": "undecided"}.get(verdict, "wrong")
    if verdict == "inconclusive":
        return "undecided"
    return "right" if (verdict in COPY if relation == "copy" else verdict == "independent") else "wrong"


class Count:
    """A row of the table."""

    def __init__(self):
        self.judgements, self.verdicts, self.scores = collections.Counter(), collections.Counter(), []

    def add(self, judgement, said):
        self.judgements[judgement] += 1
        self.verdicts[said["verdict"] + (" in part" if said.get("in_part") else "")] += 1
        if said["score"] is not None:
            self.scores.append(said["score"])

    def cells(self):
        total = sum(self.judgements.values())
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in self.verdicts.most_common())
        scores = f"{min(self.scores):.3f} to {max(self.scores):.3f}" if self.scores else ""
        counts = " | ".join(str(self.judgements[name]) for name in ("right", "undecided", "wrong", "refused"))
        return f"{total} | {counts} | {scores} | {verdicts}"


def report(title, truth, answers):
    rows, totals, wrong = collections.defaultdict(Count), collections.defaultdict(Count), []
    for said in answers:
        relation = truth.relation(said["a"], said["b"])
        if relation == "damaged":
            continue
        judgement = judged(relation, said["verdict"])
        rows[relation, truth.row(said["a"], said["b"])].add(judgement, said)
        totals[relation].add(judgement, said)
        if judgement in ("wrong", "refused"):
            wrong.append((relation, said))
    heading = "pairs | right | undecided | wrong | refused | scores | verdicts |\n"
    print(f"### {title}\n\n| truth | {heading}| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |")
    for relation, count in sorted(totals.items()):
        print(f"| {relation} | {count.cells()} |")
    print(f"\n| truth | second model | {heading}| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |")
    for (relation, row), count in sorted(rows.items()):
        print(f"| {relation} | {row} | {count.cells()} |")
    print("\nShares: " + "; ".join(f"{relation}: {shares(count)}" for relation, count in sorted(totals.items())) + ".")
    print(f"\nWrong and refused: {len(wrong)}\n")
    for relation, said in wrong:
        score = "-" if said["score"] is None else f"{said['score']:.3f}"
        print(f"- {said['a']}, {said['b']}: {relation}, called {said['verdict']} ({score}){said.get('error', '')[:120]}")
    print()


def shares(count):
    total = sum(count.judgements.values())
    return ", ".join(f"{name} {count.judgements[name] / total:.1%}" for name in ("right", "undecided", "wrong"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every-pair", action="store_true")
    parser.add_argument("--deep", type=int, nargs="?", const=20, metavar="K")
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--prints", type=Path, metavar="FOLDER", help="where fingerprints are kept, and looked for")
    parser.add_argument("--only", default="", metavar="TEXT", help="pairs with TEXT in a name")
    arguments = parser.parse_args()
    program = os.environ.get("TG", "build/release/bin/tensorguard")
    truth = Truth(arguments.folder)
    left_out = sorted(name for name in truth.models if truth.models[name]["relation"] == "derived" and not truth.works(name))
    print(f"{len(truth.models)} models; derived but damaged, left out: {', '.join(left_out) or 'none'}\n")
    with tempfile.TemporaryDirectory() as work:
        if arguments.prints:
            arguments.prints.mkdir(parents=True, exist_ok=True)
        asked = Program(program, arguments.folder, arguments.prints or work, arguments.answers)
        pairs = list(truth.pairs(arguments.every_pair, arguments.only))
        bases = {name for name, model in truth.models.items() if model["relation"] == "base"}
        asked.evaluate(pairs, set() if arguments.every_pair else bases)
        report("By fingerprints", truth, [asked.compare(*pair, False) for pair in pairs])
        if arguments.deep:
            one_family = lambda pair: truth.models[pair[0]]["root"] == truth.models[pair[1]]["root"]
            chosen = [pair for pair in pairs if one_family(pair)] + [pair for pair in pairs if not one_family(pair)][::arguments.deep]
            report("With the test on the weights", truth, [asked.compare(*pair, True) for pair in chosen])


if __name__ == "__main__":
    main()
