#!/usr/bin/python3
"""Chooses the anchors and writes src/anchors/anchor_list.cc.

make_anchor_list.py COMMON_TOKENS.json OUTPUT.cc

COMMON_TOKENS.json lists strings that are one token in every generative tokenizer looked at, by mean
rank: {"tokens": [{"t": " the", "mean_rank": 313.8, "in_all": true, ...}, ...]}; "in_all" says that
the encoders hold the string too.

Words: lower-case ASCII words of three letters and more, with a space in front, that all tokenizers
hold. The 256 of lowest rank, and every third of the next 768: frequent tokens have embeddings that
training has shaped most, and the others keep the list from being function words alone.
Pieces: every printable ASCII character, and then the strings of printable ASCII characters of lowest
rank that are no words of the list.
"""
import json
import re
import sys

FREQUENT_WORDS = 256
RARER_WORDS = 256
RARER_STEP = 3
PIECES = 512

HEADER = """// Written by scripts/make_anchor_list.py, which says how the strings were chosen.
#include "anchors/anchor_list.h"

#include <array>

namespace tensorguard {
namespace {

constexpr std::array<std::string_view, kWordAnchors + kPieceAnchors> kAnchors = {
"""

FOOTER = """};

}  // namespace

std::span<const std::string_view> AnchorList() { return kAnchors; }

}  // namespace tensorguard
"""


def choose_words(tokens):
    words = [t["t"] for t in tokens if t["in_all"] and re.fullmatch(" [a-z]{3,}", t["t"])]
    rarer_end = FREQUENT_WORDS + RARER_WORDS * RARER_STEP
    return words[:FREQUENT_WORDS] + words[FREQUENT_WORDS:rarer_end:RARER_STEP]


def choose_pieces(tokens, words):
    characters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    taken = set(words) | set(characters)
    others = [t["t"] for t in tokens
              if re.fullmatch("[ -~]+", t["t"]) and t["t"] not in taken]
    return characters + others[:PIECES - len(characters)]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def lines_of(strings):
    line = "   "
    for text in strings:
        entry = " " + quoted(text) + ","
        if len(line) + len(entry) > 100:
            yield line
            line = "   "
        line += entry
    yield line


def main():
    source, output = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        tokens = sorted(json.load(file)["tokens"], key=lambda t: (t["mean_rank"], t["t"]))
    words = choose_words(tokens)
    anchors = words + choose_pieces(tokens, words)
    assert len(words) == FREQUENT_WORDS + RARER_WORDS and len(set(anchors)) == len(words) + PIECES
    with open(output, "w", encoding="ascii") as file:
        file.write(HEADER + "    // clang-format off\n" + "\n".join(lines_of(anchors)) +
                   "\n    // clang-format on\n" + FOOTER)


if __name__ == "__main__":
    main()
