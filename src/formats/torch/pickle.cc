#include "formats/torch/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "base/text.h"
#include "base/try.h"
#include "formats/torch/pickle_stack.h"

namespace tensorguard::internal {
namespace {

constexpr uint8_t kHighestProtocol = 5;

// The stack machine that a pickle is a program for (Python's Lib/pickle.py and pickletools.py).
class Machine {
 public:
  explicit Machine(ByteCursor& cursor) : cursor_(cursor) {}

  Result<Pickle> Run();

 private:
  Result<void> Step(uint8_t opcode);
  // Each knows some opcodes; `known` is set to false for others.
  Result<void> Constant(uint8_t opcode, bool& known);
  Result<void> Text(uint8_t opcode, bool& known);
  Result<void> Container(uint8_t opcode, bool& known);
  Result<void> Memory(uint8_t opcode, bool& known);
  Result<void> Object(uint8_t opcode, bool& known);

  Result<uint64_t> Unsigned(unsigned bytes);
  Result<uint64_t> NumberLine();
  Result<void> PushInteger(int64_t integer) {
    return stack_.PushNew({.kind = PickleKind::kInteger, .integer = integer});
  }
  Result<void> PushLong(uint64_t bytes);
  Result<void> PushLine(uint8_t opcode);
  Result<void> PushText(uint64_t length);
  Result<void> PushBytes(uint64_t length);
  Result<void> Collect(uint8_t opcode);
  Result<void> Append(uint8_t opcode);
  Result<void> GlobalOfLines();
  Result<void> GlobalOfStack();
  Result<void> Call(uint8_t opcode);

  ByteCursor& cursor_;
  PickleStack stack_;
};

Error Broken(std::string problem) { return {.problem = std::move(problem)}; }

// Lowest byte first.
Result<uint64_t> Machine::Unsigned(unsigned bytes) {
  TG_ASSIGN(const auto taken, cursor_.Take(bytes));
  uint64_t number = 0;
  for (unsigned i = bytes; i-- > 0;) {
    number = number << 8 | static_cast<uint8_t>(taken[i]);
  }
  return number;
}

// Two's complement, lowest byte first.
Result<void> Machine::PushLong(uint64_t bytes) {
  TG_ASSIGN(auto digits, cursor_.Take(bytes));
  if (bytes > sizeof(int64_t)) return stack_.PushNew({.kind = PickleKind::kOtherNumber});
  uint64_t number = !digits.empty() && digits.back() < 0 ? ~uint64_t{0} : 0;
  for (size_t i = digits.size(); i-- > 0;) {
    number = number << 8 | static_cast<uint8_t>(digits[i]);
  }
  return PushInteger(static_cast<int64_t>(number));
}

// Protocol 0: numbers and texts as lines.
Result<void> Machine::PushLine(uint8_t opcode) {
  TG_ASSIGN(auto line, cursor_.Line());
  if (opcode == 'F') return stack_.PushNew({.kind = PickleKind::kOtherNumber});
  if (opcode == 'I' && (line == "00" || line == "01")) {
    return stack_.PushNew({.kind = PickleKind::kBool, .integer = line == "01"});
  }
  if (opcode == 'I' || opcode == 'L') {
    if (opcode == 'L' && line.ends_with('L')) line.pop_back();
    int64_t number = 0;
    const auto [end, failed] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (failed == std::errc::result_out_of_range) {
      return stack_.PushNew({.kind = PickleKind::kOtherNumber});
    }
    if (failed != std::errc() || end != line.data() + line.size()) {
      return Broken("pickle holds a number that is none");
    }
    return PushInteger(number);
  }
  if (opcode == 'S') {  // quoted
    if (line.size() < 2 || line.front() != line.back() ||
        (line.front() != '\'' && line.front() != '"')) {
      return Broken("pickle holds a text without quotes");
    }
    line = line.substr(1, line.size() - 2);
  }
  // What is beyond ASCII, Python reads in one of two ways.
  const auto plain = [](char c) { return c != '\\' && static_cast<unsigned char>(c) < 0x80; };
  if (!std::all_of(line.begin(), line.end(), plain)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "pickle holds a text with escapes, which is not read"};
  }
  return stack_.PushNew({.kind = PickleKind::kText, .text = std::move(line)});
}

// A text of Python 2 may be bytes.
Result<void> Machine::PushText(uint64_t length) {
  TG_ASSIGN(auto text, cursor_.Take(length));
  if (!IsUtf8(text)) return stack_.PushNew({.kind = PickleKind::kBytes});
  return stack_.PushNew({.kind = PickleKind::kText, .text = std::string(text)});
}

Result<void> Machine::PushBytes(uint64_t length) {
  TG_TRY(cursor_.Take(length));
  return stack_.PushNew({.kind = PickleKind::kBytes});
}

Result<uint64_t> Machine::NumberLine() {
  TG_ASSIGN(const auto line, cursor_.Line());
  uint64_t number = 0;
  const auto [end, failed] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (failed == std::errc() && end == line.data() + line.size()) return number;
  return Broken("pickle holds a number that is none");
}

Result<void> Machine::Constant(uint8_t opcode, bool& known) {
  switch (opcode) {
    case 'N':
      return stack_.PushNew({.kind = PickleKind::kNone});
    case 0x88:
    case 0x89:
      return stack_.PushNew({.kind = PickleKind::kBool, .integer = opcode == 0x88});
    case 'J':
    case 'K':
    case 'M': {
      TG_ASSIGN(const auto number, Unsigned(opcode == 'J' ? 4 : opcode == 'M' ? 2 : 1));
      return PushInteger(opcode == 'J' ? static_cast<int32_t>(number)
                                       : static_cast<int64_t>(number));
    }
    case 0x8A:
    case 0x8B: {
      const auto length = Unsigned(opcode == 0x8A ? 1 : 4);
      return length ? PushLong(*length) : length.error();
    }
    case 'G': {
      TG_TRY(Unsigned(8));
      return stack_.PushNew({.kind = PickleKind::kOtherNumber});
    }
    case 'F':
    case 'I':
    case 'L':
    case 'S':
    case 'V':
      return PushLine(opcode);
    default:
      known = false;
      return {};
  }
}

Result<void> Machine::Text(uint8_t opcode, bool& known) {
  unsigned length_bytes = 0;
  switch (opcode) {
    case 'U':
    case 'C':
    case 0x8C:
      length_bytes = 1;
      break;
    case 'T':
    case 'X':
    case 'B':
      length_bytes = 4;
      break;
    case 0x8D:
    case 0x8E:
    case 0x96:
      length_bytes = 8;
      break;
    default:
      known = false;
      return {};
  }
  TG_ASSIGN(const auto length, Unsigned(length_bytes));
  const bool bytes = opcode == 'C' || opcode == 'B' || opcode == 0x8E || opcode == 0x96;
  return bytes ? PushBytes(length) : PushText(length);
}

// A container of what lies above the mark.
Result<void> Machine::Collect(uint8_t opcode) {
  TG_ASSIGN(auto items, stack_.PopToMark());
  switch (opcode) {
    case 't':
      return stack_.PushNew({.kind = PickleKind::kTuple, .items = std::move(items)});
    case 'l':
      return stack_.PushNew({.kind = PickleKind::kList, .items = std::move(items)});
    case 'd':
      if (items.size() % 2 != 0) return Broken("pickle has a key without a value");
      return stack_.PushNew({.kind = PickleKind::kDict, .items = std::move(items)});
    default:
      return stack_.PushNew({.kind = PickleKind::kOpaque, .items = std::move(items)});
  }
}

// One item (two for a dictionary), or all above the mark, to the container below.
Result<void> Machine::Append(uint8_t opcode) {
  std::vector<PickleRef> items;
  if (opcode == 'a' || opcode == 's') {
    items.resize(opcode == 's' ? 2 : 1);
    for (size_t i = items.size(); i-- > 0;) {
      TG_ASSIGN(const auto item, stack_.Pop());
      items[i] = item;
    }
  } else {
    TG_ASSIGN(auto marked, stack_.PopToMark());
    items = std::move(marked);
  }
  TG_ASSIGN(const auto to, stack_.Pop());
  auto added = stack_.AddItems(to, items, opcode == 's' || opcode == 'u');
  return added ? stack_.Push(to) : added;
}

Result<void> Machine::Container(uint8_t opcode, bool& known) {
  switch (opcode) {
    case '(':
      return stack_.Mark();
    case ')':
      return stack_.PushTuple(0);
    case 0x85:
    case 0x86:
    case 0x87:
      return stack_.PushTuple(opcode - 0x84u);
    case ']':
      return stack_.PushNew({.kind = PickleKind::kList});
    case '}':
      return stack_.PushNew({.kind = PickleKind::kDict});
    case 0x8F:
      return stack_.PushNew({.kind = PickleKind::kOpaque});
    case 't':
    case 'l':
    case 'd':
    case 0x91:
      return Collect(opcode);
    case 'a':
    case 's':
    case 'e':
    case 'u':
    case 0x90:
      return Append(opcode);
    default:
      known = false;
      return {};
  }
}

Result<void> Machine::Memory(uint8_t opcode, bool& known) {
  switch (opcode) {
    case '0':
      if (!stack_.MarkIsOnTop()) {
        const auto dropped = stack_.Pop();
        return dropped ? Result<void>() : dropped.error();
      }
      [[fallthrough]];
    case '1': {
      const auto dropped = stack_.PopToMark();
      return dropped ? Result<void>() : dropped.error();
    }
    case '2': {
      TG_ASSIGN(const auto top, stack_.Pop());
      auto pushed = stack_.Push(top);
      return pushed ? stack_.Push(top) : pushed;
    }
    case 'g':
    case 'h':
    case 'j': {
      const auto key = opcode == 'g' ? NumberLine() : Unsigned(opcode == 'h' ? 1 : 4);
      return key ? stack_.Recall(*key) : key.error();
    }
    case 'p':
    case 'q':
    case 'r': {
      const auto key = opcode == 'p' ? NumberLine() : Unsigned(opcode == 'q' ? 1 : 4);
      return key ? stack_.Memorise(*key) : key.error();
    }
    case 0x94:
      return stack_.MemoriseNext();
    case 0x95: {  // a frame's length, which says nothing
      const auto length = Unsigned(8);
      return length ? Result<void>() : length.error();
    }
    default:
      known = false;
      return {};
  }
}

Result<void> Machine::GlobalOfLines() {
  TG_ASSIGN(const auto module, cursor_.Line());
  TG_ASSIGN(const auto name, cursor_.Line());
  return stack_.Global(module, name);
}

Result<void> Machine::GlobalOfStack() {
  TG_ASSIGN(const auto name, stack_.Pop());
  TG_ASSIGN(const auto module, stack_.Pop());
  if (stack_[name].kind != PickleKind::kText || stack_[module].kind != PickleKind::kText) {
    return Broken("pickle names a function by what is no text");
  }
  return stack_.Global(stack_[module].text, stack_[name].text);
}

Result<void> Machine::Call(uint8_t opcode) {
  if (opcode == 0x92) {  // named arguments: nothing on the list takes any
    const auto named = stack_.Pop();
    if (!named) return named.error();
    if (stack_[*named].kind != PickleKind::kDict || !stack_[*named].items.empty()) {
      return Broken("pickle calls a function with named arguments");
    }
  }
  TG_ASSIGN(const auto arguments, stack_.Pop());
  TG_ASSIGN(const auto callable, stack_.Pop());
  return stack_.Call(
      callable, arguments,
      opcode == 'R' ? PickleStack::CallKind::kFunction : PickleStack::CallKind::kNew);
}

Result<void> Machine::Object(uint8_t opcode, bool& known) {
  switch (opcode) {
    case 'c':
      return GlobalOfLines();
    case 0x93:
      return GlobalOfStack();
    case 'R':
    case 0x81:
    case 0x92:
      return Call(opcode);
    case 'b': {
      TG_ASSIGN(const auto state, stack_.Pop());
      TG_ASSIGN(const auto object, stack_.Pop());
      auto set = stack_.SetState(object, state);
      return set ? stack_.Push(object) : set;
    }
    case 'Q': {
      TG_ASSIGN(const auto id, stack_.Pop());
      return stack_.PushNew({.kind = PickleKind::kPersistent, .items = {id}});
    }
    default:
      known = false;
      return {};
  }
}

Result<void> Machine::Step(uint8_t opcode) {
  using Handler = Result<void> (Machine::*)(uint8_t, bool&);
  for (const Handler handler : {&Machine::Constant, &Machine::Text, &Machine::Container,
                                &Machine::Memory, &Machine::Object}) {
    bool known = true;
    auto done = (this->*handler)(opcode, known);
    if (known) return done;
  }
  if (opcode == 0x80) {
    const auto protocol = Unsigned(1);
    if (!protocol) return protocol.error();
    if (*protocol <= kHighestProtocol) return {};
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "pickle is of a protocol that is not read",
                 .found = fmt::format("{}", *protocol),
                 .expected = fmt::format("at most {}", kHighestProtocol)};
  }
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "pickle has an opcode that no tensor needs",
               .found = fmt::format("{:#04x}", opcode)};
}

Result<Pickle> Machine::Run() {
  const uint64_t first = cursor_.position_bytes();
  while (true) {
    const uint64_t begin = cursor_.position_bytes();
    TG_ASSIGN(const auto opcode, cursor_.Number<uint8_t>());
    auto done = opcode == '.' ? Result<void>() : Step(opcode);
    if (!done) {
      Error error = std::move(done).error();
      if (!error.byte_offset) error.byte_offset = begin;
      return error;
    }
    if (opcode != '.') continue;
    const auto root = stack_.Pop();
    if (root && stack_.height() == 0) {
      Pickle pickle = stack_.TakePickle(*root);
      pickle.bytes = cursor_.position_bytes() - first;
      return pickle;
    }
    return Error{.problem = "pickle does not end with one value", .byte_offset = begin};
  }
}

}  // namespace

Result<Pickle> ReadPickle(ByteCursor& cursor) { return Machine(cursor).Run(); }

}  // namespace tensorguard::internal
