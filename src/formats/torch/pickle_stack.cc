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

// A call copies at most as many items as were written one by one: what is copied is linear in the
// pickle's length.
Result<void> PickleStack::CountCopied(size_t more) {
  constexpr size_t kAlwaysCopied = 4096;
  const size_t written = items_ - copied_;
  if (copied_ + more <= written + kAlwaysCopied) {
    copied_ += more;
    return {};
  }
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "pickle copies its lists again and again"};
}

Result<void> PickleStack::PushNew(PickleValue value) {
  std::optional<PickleRef> none;
  std::optional<PickleRef>& known = value.kind == PickleKind::kNone   ? none_
                                    : value.kind == PickleKind::kBool ? flags_[value.integer != 0]
                                                                      : none;
  if (known) return Push(*known);
  TG_TRY(CountItems(value.items.size()));
  if (pickle_.values.size() == kPickleMostValues) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "pickle holds more values than this program reads",
                 .expected = fmt::format("at most {}", kPickleMostValues)};
  }
  known = static_cast<PickleRef>(pickle_.values.size());
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
  if (value.kind != (pairs ? PickleKind::kDict : PickleKind::kList) &&
      value.kind != PickleKind::kOpaque) {
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
Result<void> PickleStack::CallMapping(PickleRef arguments, GlobalRole role) {
  std::vector<PickleRef> given = pickle_[arguments].items;
  if (role == GlobalRole::kDefaultMapping && !given.empty()) {
    const PickleKind factory = pickle_[given[0]].kind;
    if (factory != PickleKind::kGlobal && factory != PickleKind::kNone) {
      return Broken("pickle makes a dictionary of what are no pairs");
    }
    given.erase(given.begin());
  }
  if (given.empty()) return PushNew({.kind = PickleKind::kDict});
  const PickleValue& from = pickle_[given[0]];
  const bool list = from.kind == PickleKind::kList || from.kind == PickleKind::kTuple;
  const bool understood = from.kind == PickleKind::kDict || (list && role != GlobalRole::kCounter);
  if (given.size() > 1 || !understood) {
    return Broken("pickle makes a dictionary of what are no pairs");
  }
  std::vector<PickleRef> items;
  if (!list) items = from.items;
  for (size_t i = 0; list && i < from.items.size(); ++i) {
    const PickleValue& two = pickle_[from.items[i]];
    const bool sequence = two.kind == PickleKind::kList || two.kind == PickleKind::kTuple;
    if (!sequence || two.items.size() != 2) {
      return Broken("pickle makes a dictionary of what are no pairs");
    }
    items.insert(items.end(), two.items.begin(), two.items.end());
  }
  TG_TRY(CountCopied(items.size()));
  return PushNew({.kind = PickleKind::kDict, .items = std::move(items)});
}

Result<void> PickleStack::CallSequence(PickleRef arguments) {
  const std::vector<PickleRef>& given = pickle_[arguments].items;
  if (given.size() != 1) return Broken("pickle makes a sequence of several values");
  const PickleValue& from = pickle_[given[0]];
  if (from.kind == PickleKind::kTuple) return Push(given[0]);
  if (from.kind != PickleKind::kList) return Broken("pickle makes a sequence of what is none");
  TG_TRY(CountCopied(from.items.size()));
  return PushNew({.kind = PickleKind::kTuple, .items = from.items});
}

Result<void> PickleStack::Call(PickleRef callable, PickleRef arguments, CallKind kind) {
  if (pickle_[callable].kind != PickleKind::kGlobal) {
    return Broken("pickle calls what is no function");
  }
  if (pickle_[arguments].kind != PickleKind::kTuple) {
    return Broken("pickle calls a function without a tuple of arguments");
  }
  const PickleGlobal* global = pickle_[callable].global;
  switch (global->role) {
    case GlobalRole::kMapping:
    case GlobalRole::kDefaultMapping:
    case GlobalRole::kCounter:
      if (kind == CallKind::kFunction) return CallMapping(arguments, global->role);
      if (pickle_[arguments].items.empty()) return PushNew({.kind = PickleKind::kDict});
      return Broken("pickle makes a dictionary without initialising it");
    case GlobalRole::kSequence:
      return CallSequence(arguments);
    case GlobalRole::kOpaque:
      return PushNew({.kind = PickleKind::kOpaque, .global = global, .items = {arguments}});
    case GlobalRole::kTensorClass:
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "pickle makes a tensor in a way that is not read",
                   .found = fmt::format("{}.{}", global->module, global->name)};
    default:
      if (kind == CallKind::kNew) return Broken("pickle makes a new object of what is no class");
      return PushNew({.kind = PickleKind::kCall, .global = global, .items = {arguments}});
  }
}

// Attributes of a dictionary change nothing that is read here. A tensor's state could replace its
// numbers: Python's loaders give any value of four items to Tensor.set_.
Result<void> PickleStack::SetState(PickleRef object, PickleRef state) {
  PickleValue& value = pickle_.values[object];
  if (value.kind == PickleKind::kOpaque) {
    TG_TRY(CountItems(1));
    value.items.push_back(state);
    return {};
  }
  const PickleKind given = pickle_[state].kind;
  const bool attributes = given == PickleKind::kDict || given == PickleKind::kNone;
  if (attributes && value.kind == PickleKind::kDict) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "pickle changes a value in a way that is not read"};
}

Pickle PickleStack::TakePickle(PickleRef root) {
  pickle_.root = root;
  return std::move(pickle_);
}

}  // namespace tensorguard::internal
