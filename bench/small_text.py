"""Text that a Debian system holds, and tokenizers trained on it, for bench/train_families.py.

Three domains: "prose" (manual pages), "code" (Python sources) and "notes" (what packages say of themselves). Which
files there are depends on the packages installed; from those the choice is by path and seed alone.
"""

import collections
import glob
import gzip
import json
import random
import re
from pathlib import Path

import numpy as np

PATTERNS = {
    "prose": ["/usr/share/man/man[1-8]/*.gz"],
    "code": ["/usr/lib/python3*/*.py", "/usr/lib/python3*/*/*.py", "/usr/lib/python3/dist-packages/*/*.py"],
    "notes": ["/usr/share/doc/*/README*", "/usr/share/doc/*/NEWS*", "/usr/share/doc/*/changelog*.gz",
              "/usr/share/common-licenses/*"],
}
WORDS = re.compile(r" ?[A-Za-z]+| ?[0-9]| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


def read(path):
    raw = gzip.open(path).read() if path.endswith(".gz") else Path(path).read_bytes()
    return raw.decode("utf-8", "ignore")


def plain(roff):
    """A manual page without its commands."""
    lines = (re.sub(r"\\f.|\\&", "", line).replace("\\-", "-") for line in roff.splitlines())
    return "\n".join(line for line in lines if not line.startswith((".", "'")))


def text_of(domain, size, each=12_000):
    """About `size` characters, at most `each` from one file."""
    paths = sorted(path for pattern in PATTERNS[domain] for path in glob.glob(pattern) if Path(path).is_file())
    random.Random(domain).shuffle(paths)
    parts, length, met = [], 0, collections.Counter()
    for path in paths:
        group = re.split(r"[-_.]", Path(path).name)[0] if domain == "prose" else Path(path).parent
        met[group] += 1
        if met[group] > 8:  # so that no large package speaks alone
            continue
        try:
            whole = read(path)
        except OSError:
            continue
        part = (plain(whole) if domain == "prose" else whole)[:each]
        parts.append(part)
        length += len(part)
        if length >= size:
            break
    return "\n".join(parts)


def byte_letters():
    """GPT-2's letter for each byte."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, extra = {byte: chr(byte) for byte in kept}, 256
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(extra)
            extra += 1
    return letters


def piece_letters():
    """SentencePiece's spelling: letters as they are, a bar for a space, other bytes by number."""
    return {byte: "\u2581" if byte == 32 else chr(byte) if 32 < byte < 127 else f"<0x{byte:02X}>" for byte in range(256)}


class Tokenizer:
    """Byte-pair encoding, spelled "bytes" as GPT-2 does or "pieces" as SentencePiece does."""

    def __init__(self, text, size, spelling):
        self.letters = byte_letters() if spelling == "bytes" else piece_letters()
        self.spelling, self.merges, self.known = spelling, {}, {}
        self.tokens = [bytes([byte]) for byte in range(256)]
        self.train(text, size)

    def mergeable(self, pair):
        if self.spelling == "bytes":
            return True
        return all(32 <= byte < 127 for byte in self.tokens[pair[0]] + self.tokens[pair[1]])

    def train(self, text, size):
        counts = collections.Counter(WORDS.findall(text)).most_common(20_000)
        words = [[list(word.encode()), count] for word, count in counts]
        pairs, holders = collections.Counter(), collections.defaultdict(set)

        def add(index, sign):
            ids, count = words[index]
            for pair in zip(ids, ids[1:]):
                pairs[pair] += sign * count
                holders[pair].add(index)

        for index in range(len(words)):
            add(index, 1)
        while len(self.tokens) < size:
            best = max((pair for pair in pairs if self.mergeable(pair)), key=lambda pair: (pairs[pair], pair))
            self.merges[best] = len(self.tokens)
            self.tokens.append(self.tokens[best[0]] + self.tokens[best[1]])
            for index in sorted(holders.pop(best)):
                add(index, -1)
                words[index][0] = self.merged(words[index][0], best)
                add(index, 1)
            pairs = +pairs

    def merged(self, ids, pair):
        result, at = [], 0
        while at < len(ids):
            if tuple(ids[at:at + 2]) == pair:
                result.append(self.merges[pair])
                at += 2
            else:
                result.append(ids[at])
                at += 1
        return result

    def word(self, word):
        if word not in self.known:
            ids = list(word.encode())
            while True:
                known = [pair for pair in zip(ids, ids[1:]) if pair in self.merges]
                if not known:
                    break
                ids = self.merged(ids, min(known, key=self.merges.get))
            self.known[word] = ids
        return self.known[word]

    def encode(self, text):
        return np.array([token for word in WORDS.findall(text) for token in self.word(word)], dtype=np.int64)

    def spell(self, token):
        return "".join(self.letters[byte] for byte in self.tokens[token])

    def json(self, renamed=()):
        """tokenizer.json; `renamed`: pairs of a token and its new text, which may use ids above the vocabulary."""
        vocabulary = {self.spell(token): token for token in range(len(self.tokens))}
        for token, name in renamed:
            vocabulary = {text: number for text, number in vocabulary.items() if number != token}
            vocabulary[name] = token
        merges = [f"{self.spell(left)} {self.spell(right)}" for left, right in self.merges]
        file = {"version": "1.0", "model": {"type": "BPE", "vocab": vocabulary, "merges": merges}}
        if self.spelling == "pieces":
            file["model"]["byte_fallback"] = True
            file["decoder"] = {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}
        return json.dumps(file, ensure_ascii=False)


def anchor_texts():
    """The strings that fingerprints ask for: words, then pieces (src/anchors/anchor_list.cc)."""
    source = (Path(__file__).parent.parent / "src/anchors/anchor_list.cc").read_text()
    listed = source[source.index("kAnchors = {"):source.index("};", source.index("kAnchors = {"))]
    return [json.loads(f'"{text}"') for text in re.findall(r'"((?:[^"\\]|\\.)*)"', listed)]


def anchor_tokens(tokenizer, most=128):
    """Those of them that a fingerprint of such a model uses: the first 96 words, then pieces."""
    texts, ids = anchor_texts(), {}
    for token, text in enumerate(tokenizer.tokens):
        ids.setdefault(text, token)
    words, pieces = ([ids[text.encode()] for text in part if text.encode() in ids] for part in (texts[:512], texts[512:]))
    words = words[:96]
    return words + pieces[:most - len(words)]
