#include "weights/adapters/name_regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace tensorguard::internal {
namespace {

constexpr size_t kLongestPattern = 1024;
constexpr size_t kLongestProgram = 4096;
constexpr unsigned kDeepestGroup = 64;
constexpr unsigned kHighestCount = 1000;

using Bytes = std::bitset<256>;
using Instruction = NameRegex::Instruction;
using Kind = Instruction::Kind;
using Program = std::vector<Instruction>;

int Length(const Program& program) { return static_cast<int>(program.size()); }

Program OneOf(const Bytes& bytes) { return {Instruction{Kind::kByte, bytes}}; }

Instruction Split(int first, int second) { return {Kind::kSplit, {}, first, second}; }
Instruction Jump(int target) { return {Kind::kJump, {}, target, 0}; }

void Append(Program& program, const Program& more) {
  program.insert(program.end(), more.begin(), more.end());
}

Program Optional(const Program& body) {
  Program program = {Split(1, Length(body) + 1)};
  Append(program, body);
  return program;
}

Program Star(const Program& body) {
  Program program = {Split(1, Length(body) + 2)};
  Append(program, body);
  program.push_back(Jump(-(Length(body) + 1)));
  return program;
}

Program Either(const Program& left, const Program& right) {
  Program program = {Split(1, Length(left) + 2)};
  Append(program, left);
  program.push_back(Jump(Length(right) + 1));
  Append(program, right);
  return program;
}

Bytes Range(unsigned char first, unsigned char last) {
  Bytes bytes;
  for (unsigned byte = first; byte <= last; ++byte) bytes.set(byte);
  return bytes;
}

Bytes Single(char c) { return Range(static_cast<unsigned char>(c), static_cast<unsigned char>(c)); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The class that \d, \w, \s or their negations name.
std::optional<Bytes> NamedClass(char letter) {
  const Bytes digits = Range('0', '9');
  const Bytes spaces = Range('\t', '\r') | Single(' ');
  const Bytes word = digits | Range('a', 'z') | Range('A', 'Z') | Single('_');
  switch (letter) {
    case 'd':
      return digits;
    case 'D':
      return ~digits;
    case 'w':
      return word;
    case 'W':
      return ~word;
    case 's':
      return spaces;
    case 'S':
      return ~spaces;
    default:
      return {};
  }
}

// Recursive descent; after a failure `error` is set and what is returned means nothing.
class Parser {
 public:
  explicit Parser(std::string_view pattern) : pattern_(pattern) {}

  Program ParseAll() {
    Program program = ParseAlternatives(0);
    if (!error && !AtEnd()) Fail("unbalanced parenthesis");
    program.push_back(Instruction{Kind::kMatch});
    return program;
  }

  std::optional<Error> error;

 private:
  struct Counts {
    unsigned least = 0;
    std::optional<unsigned> most;  // empty: no limit
  };

  bool AtEnd() const { return at_ == pattern_.size(); }
  bool NextIs(char c) const { return !AtEnd() && pattern_[at_] == c; }
  bool Take(char c) {
    if (!NextIs(c)) return false;
    ++at_;
    return true;
  }

  void Fail(std::string_view what, ErrorKind kind = ErrorKind::kBadFile) {
    if (error) return;
    error = {.kind = kind,
             .problem = fmt::format("{}: {}",
                                    kind == ErrorKind::kBadFile
                                        ? "pattern is not a valid regular expression"
                                        : "regular expression is not supported",
                                    what),
             .found = fmt::format("{} (at character {})", pattern_, at_)};
  }

  void CheckLength(size_t instructions) {
    if (instructions > kLongestProgram) Fail("too complex", ErrorKind::kUnsupported);
  }

  Program ParseAlternatives(unsigned depth) {
    if (depth > kDeepestGroup) Fail("groups nested too deeply", ErrorKind::kUnsupported);
    if (error) return {};
    std::vector<Program> branches;
    do {
      branches.push_back(ParseSequence(depth));
    } while (!error && Take('|'));
    Program program = std::move(branches.back());
    for (size_t i = branches.size() - 1; i-- > 0 && !error;) {
      program = Either(branches[i], program);
      CheckLength(program.size());
    }
    return program;
  }

  Program ParseSequence(unsigned depth) {
    Program program;
    while (!error && !AtEnd() && !NextIs('|') && !NextIs(')')) {
      Append(program, ParseRepeated(depth));
      CheckLength(program.size());
    }
    return program;
  }

  Program ParseRepeated(unsigned depth) {
    const Program body = ParseAtom(depth);
    if (error || AtEnd()) return body;
    Counts counts;
    if (Take('*')) {
      counts = {0, {}};
    } else if (Take('+')) {
      counts = {1, {}};
    } else if (Take('?')) {
      counts = {0, 1};
    } else if (NextIs('{')) {
      counts = ParseCounts();
    } else {
      return body;
    }
    Take('?');  // "as few as possible" changes what is captured, not whether there is a match
    if (NextIs('*') || NextIs('+') || NextIs('?') || NextIs('{')) Fail("multiple repeat");
    return Repeat(body, counts);
  }

  Program Repeat(const Program& body, const Counts& counts) {
    CheckLength((body.size() + 2) * (counts.most.value_or(counts.least + 1)));
    if (error) return {};
    Program program;
    for (unsigned i = 0; i < counts.least; ++i) Append(program, body);
    if (!counts.most) Append(program, Star(body));
    for (unsigned i = counts.least; i < counts.most.value_or(0); ++i) {
      Append(program, Optional(body));
    }
    return program;
  }

  Counts ParseCounts() {
    Take('{');
    Counts counts;
    const auto least = ParseNumber();
    counts.least = least.value_or(0);
    const bool has_comma = Take(',');
    counts.most = has_comma ? ParseNumber() : least;
    if (!Take('}') || (!least && !counts.most))
      Fail("braces without counts", ErrorKind::kUnsupported);
    if (counts.most && *counts.most < counts.least) Fail("minimum above maximum");
    return counts;
  }

  std::optional<unsigned> ParseNumber() {
    if (AtEnd() || !IsDigit(pattern_[at_])) return {};
    unsigned number = 0;
    while (!AtEnd() && IsDigit(pattern_[at_])) {
      number =
          std::min(number * 10 + static_cast<unsigned>(pattern_[at_++] - '0'), kHighestCount + 1);
    }
    if (number > kHighestCount) Fail("count too high", ErrorKind::kUnsupported);
    return number;
  }

  Program ParseAtom(unsigned depth) {
    const char c = pattern_[at_++];
    switch (c) {
      case '(':
        return ParseGroup(depth);
      case '[':
        return OneOf(ParseClass());
      case '.':
        return OneOf(~Single('\n'));
      case '^':
        return Program{Instruction{Kind::kAtBegin}};
      case '$':
        return Program{Instruction{Kind::kAtEnd}};
      case '\\':
        return OneOf(ParseEscape());
      case '*':
      case '+':
      case '?':
        Fail("nothing to repeat");
        return {};
      default:
        return OneOf(Single(c));
    }
  }

  Program ParseGroup(unsigned depth) {
    if (Take('?') && !Take(':')) Fail("look-around, names and flags", ErrorKind::kUnsupported);
    Program body = ParseAlternatives(depth + 1);
    if (!Take(')')) Fail("missing ), unterminated group");
    return body;
  }

  Bytes ParseEscape() {
    if (AtEnd()) {
      Fail("backslash at the end");
      return {};
    }
    const char c = pattern_[at_++];
    if (const auto named = NamedClass(c)) return *named;
    if (IsDigit(c) || IsLetter(c)) Fail("escape of a letter or digit", ErrorKind::kUnsupported);
    return Single(c);
  }

  // After the opening bracket.
  Bytes ParseClass() {
    const bool negated = Take('^');
    Bytes bytes;
    bool first = true;
    while (!error && !AtEnd() && (first || !NextIs(']'))) {
      first = false;
      const char low = pattern_[at_++];
      if (low == '\\') {
        bytes |= ParseEscape();
      } else if (NextIs('-') && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        const char high = pattern_[at_ + 1];
        at_ += 2;
        if (high == '\\') Fail("range to an escape", ErrorKind::kUnsupported);
        if (static_cast<unsigned char>(high) < static_cast<unsigned char>(low)) Fail("bad range");
        bytes |= Range(static_cast<unsigned char>(low), static_cast<unsigned char>(high));
      } else {
        bytes |= Single(low);
      }
    }
    if (!Take(']')) Fail("unterminated character set");
    return negated ? ~bytes : bytes;
  }

  std::string_view pattern_;
  size_t at_ = 0;
};

// The instructions that a match may stand at, without those that consume nothing.
class Threads {
 public:
  explicit Threads(const Program& program) : program_(program), seen_(program.size()) {}

  // Adds `start` and what is reached from it without consuming a byte.
  void Add(size_t start, bool at_begin, bool at_end) {
    std::vector<size_t> open = {start};
    while (!open.empty()) {
      const size_t at = open.back();
      open.pop_back();
      if (seen_[at]) continue;
      seen_[at] = true;
      const Instruction& instruction = program_[at];
      switch (instruction.kind) {
        case Kind::kByte:
          waiting.push_back(at);
          break;
        case Kind::kMatch:
          matched = true;
          break;
        case Kind::kSplit:
          open.push_back(at + static_cast<size_t>(instruction.second));
          [[fallthrough]];
        case Kind::kJump:
          open.push_back(at + static_cast<size_t>(instruction.first));
          break;
        case Kind::kAtBegin:
          if (at_begin) open.push_back(at + 1);
          break;
        case Kind::kAtEnd:
          if (at_end) open.push_back(at + 1);
          break;
      }
    }
  }

  std::vector<size_t> waiting;  // at a kByte
  bool matched = false;

 private:
  const Program& program_;
  std::vector<bool> seen_;
};

}  // namespace

Result<NameRegex> NameRegex::Compile(std::string_view pattern) {
  if (pattern.size() > kLongestPattern) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "regular expression is too long",
                 .found = fmt::format("{} bytes", pattern.size()),
                 .expected = fmt::format("at most {}", kLongestPattern)};
  }
  Parser parser(pattern);
  NameRegex regex;
  regex.program_ = parser.ParseAll();
  if (parser.error) return *std::move(parser.error);
  return regex;
}

bool NameRegex::Matches(std::string_view name) const {
  Threads threads(program_);
  threads.Add(0, true, name.empty());
  for (size_t i = 0; i < name.size(); ++i) {
    Threads next(program_);
    for (const size_t at : threads.waiting) {
      if (!program_[at].bytes[static_cast<unsigned char>(name[i])]) continue;
      next.Add(at + 1, false, i + 1 == name.size());
    }
    if (next.waiting.empty() && !next.matched) return false;
    threads.waiting = std::move(next.waiting);
    threads.matched = next.matched;
  }
  return threads.matched;
}

}  // namespace tensorguard::internal
