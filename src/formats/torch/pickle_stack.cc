#include "formats/torch/pickle_stack.h"

#include <fmt/format.h>

#include <string>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kMostStacked = 1 << 20;
constexpr size_t kMostMemorised = 1 << 21;
constexpr size_t kMostItems = 1 << 24;  // of all lists and dictionaries together

Error Broken(std::string problem) { return {.problem = std::move(problem)}; }

}  // namespace

Result<void> PickleStack::Push(PickleRef ref) {
  if (stack_.size() == kMostStacked) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "pickle stacks more values than this program reads",
                 .expected = fmt::format("at most {}", kMostStacked)};
  }
  stack_.push_back(ref);
  return {};
}

Result<void> PickleStack::CountItems(size_t more) {
  items_ += more;
  if (items_ <= kMostItems) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "pickle's lists hold more items than this program reads",
               .expected = fmt::format("at most {}", kMostItems)};
}

Result<void> PickleStack::PushNew(PickleValue value) {
  auto counted = CountItems(value.items.size());
  if (!counted) return counted;
  if (pickle_.values.size() == kPickleMostValues) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "pickle holds more values than this program reads",
                 .expected = fmt::format("at most {}", kPickleMostValues)};
  }
  pickle_.values.push_back(std::move(value));
  return Push(static_cast<PickleRef>(pickle_.values.size() - 1));
}

Result<PickleRef> PickleStack::Pop() {
  const size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) return Broken("pickle takes a value that is not there");
  const PickleRef ref = stack_.back();
  stack_.pop_back();
  return ref;
}

Result<void> PickleStack::Mark() {
  if (marks_.size() == kMostStacked) return Broken("pickle nests too deeply");
  marks_.push_back(stack_.size());
  return {};
}

Result<std::vector<PickleRef>> PickleStack::PopToMark() {
  if (marks_.empty()) return Broken("pickle goes back to a mark that is not there");
  const auto begin = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
  std::vector<PickleRef> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

Result<void> PickleStack::PushTuple(size_t count) {
  std::vector<PickleRef> items(count);
  for (size_t i = count; i-- > 0;) {
    TG_ASSIGN(const auto item, Pop());
    items[i] = item;
  }
  return PushNew({.kind = PickleKind::kTuple, .items = std::move(items)});
}

Result<void> PickleStack::AddItems(PickleRef to, const std::vector<PickleRef>& items, bool pairs) {
  PickleValue& value = pickle_.values[to];
  if (value.kind == PickleKind::kOpaque) return {};
  if (value.kind != (pairs ? PickleKind::kDict : PickleKind::kList)) {
    return Broken("pickle puts items into a value that holds none");
  }
  if (pairs && items.size() % 2 != 0) return Broken("pickle has a key without a value");
  auto counted = CountItems(items.size());
  if (counted) value.items.insert(value.items.end(), items.begin(), items.end());
  return counted;
}

Result<void> PickleStack::Memorise(uint64_t key) {
  const size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) return Broken("pickle takes a value that is not there");
  if (memo_.size() == kMostMemorised && !memo_.contains(key)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "pickle memorises more values than this program reads",
                 .expected = fmt::format("at most {}", kMostMemorised)};
  }
  memo_[key] = stack_.back();
  return {};
}

Result<void> PickleStack::Recall(uint64_t key) {
  const auto found = memo_.find(key);
  if (found == memo_.end()) return Broken("pickle recalls a value that it did not memorise");
  return Push(found->second);
}

Result<void> PickleStack::Global(const std::string& module, const std::string& name) {
  const PickleGlobal* global = FindPickleGlobal(module, name);
  if (global != nullptr) return PushNew({.kind = PickleKind::kGlobal, .global = global});
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "file asks for Python code, and only tensors are read",
               .found = fmt::format("{}.{}", module, name),
               .expected = "tensors in dictionaries, as of model.state_dict()",
               .advice = "save the model's state_dict alone, or as safetensors"};
}

// OrderedDict([(key, value), ...]), or empty and filled later.
Result<void> PickleStack::CallMapping(PickleRef arguments) {
  std::vector<PickleRef> items;
  const std::vector<PickleRef>& given = pickle_[arguments].items;
  if (given.size() > 2) return Broken("pickle makes a dictionary of what are no pairs");
  for (const PickleRef argument : given) {
    const PickleValue& list = pickle_[argument];
    if (list.kind == PickleKind::kDict) {
      items.insert(items.end(), list.items.begin(), list.items.end());
    }
    if (list.kind != PickleKind::kList) continue;
    for (const PickleRef pair : list.items) {
      const PickleValue& two = pickle_[pair];
      const bool sequence = two.kind == PickleKind::kList || two.kind == PickleKind::kTuple;
      if (!sequence || two.items.size() != 2) {
        return Broken("pickle makes a dictionary of what are no pairs");
      }
      items.insert(items.end(), two.items.begin(), two.items.end());
    }
  }
  return PushNew({.kind = PickleKind::kDict, .items = std::move(items)});
}

Result<void> PickleStack::Call(PickleRef callable, PickleRef arguments) {
  if (pickle_[callable].kind != PickleKind::kGlobal) {
    return Broken("pickle calls what is no function");
  }
  if (pickle_[arguments].kind != PickleKind::kTuple) {
    return Broken("pickle calls a function without a tuple of arguments");
  }
  const PickleGlobal* global = pickle_[callable].global;
  switch (global->role) {
    case GlobalRole::kMapping:
      return CallMapping(arguments);
    case GlobalRole::kSequence:
      if (pickle_[arguments].items.size() != 1) {
        return Broken("pickle makes a sequence of several values");
      }
      return Push(pickle_[arguments].items[0]);
    case GlobalRole::kOpaque:
      return PushNew({.kind = PickleKind::kOpaque, .global = global});
    default:
      return PushNew({.kind = PickleKind::kCall, .global = global, .items = {arguments}});
  }
}

// Attributes change nothing that is read here; anything else set on a tensor could.
Result<void> PickleStack::SetState(PickleRef object, PickleRef state) {
  const PickleKind kind = pickle_[object].kind;
  if (kind == PickleKind::kOpaque) return {};
  const PickleKind given = pickle_[state].kind;
  const bool attributes = given == PickleKind::kDict || given == PickleKind::kNone;
  if (attributes && (kind == PickleKind::kDict || kind == PickleKind::kCall)) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "pickle changes a value in a way that is not read"};
}

Pickle PickleStack::TakePickle(PickleRef root) {
  pickle_.root = root;
  return std::move(pickle_);
}

}  // namespace tensorguard::internal
