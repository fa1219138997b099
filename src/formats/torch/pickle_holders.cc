#include "formats/torch/pickle_holders.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/try.h"
#include "formats/torch/torch_tensors.h"

namespace tensorguard::internal {
namespace {

// For each value the values that it is an item of, one list after the other.
struct Owners {
  std::vector<size_t> begin;  // of a value's list; one more at the end
  std::vector<PickleRef> refs;
};

Owners OwnersOf(const Pickle& pickle) {
  Owners owners;
  owners.begin.assign(pickle.values.size() + 1, 0);
  for (const PickleValue& value : pickle.values) {
    for (const PickleRef item : value.items) ++owners.begin[item + 1];
  }
  for (size_t i = 1; i < owners.begin.size(); ++i) owners.begin[i] += owners.begin[i - 1];
  owners.refs.resize(owners.begin.back());
  std::vector<size_t> next(owners.begin.begin(), owners.begin.end() - 1);
  for (PickleRef owner = 0; owner < pickle.values.size(); ++owner) {
    for (const PickleRef item : pickle[owner].items) owners.refs[next[item]++] = owner;
  }
  return owners;
}

bool IsArray(const PickleValue& value) {
  return value.kind == PickleKind::kOpaque && value.global != nullptr &&
         (value.global->name == "_reconstruct" || value.global->name == "ndarray");
}

}  // namespace

PickleHolders::PickleHolders(const Pickle& pickle) : found_(pickle.values.size(), 0) {
  const Owners owners = OwnersOf(pickle);
  items_ = owners.refs.size();
  for (const uint8_t kind : {kTensor, kArray}) {
    std::vector<PickleRef> reached;
    const auto reach = [&](PickleRef ref) {
      if ((found_[ref] & kind) != 0) return;
      found_[ref] |= kind;
      reached.push_back(ref);
    };
    for (PickleRef ref = 0; ref < pickle.values.size(); ++ref) {
      const bool is_kind = kind == kArray ? IsArray(pickle[ref])
                                          : pickle[ref].kind == PickleKind::kPersistent ||
                                                IsTorchTensor(pickle, ref);
      if (is_kind) reach(ref);
    }
    while (!reached.empty()) {
      const PickleRef ref = reached.back();
      reached.pop_back();
      for (size_t i = owners.begin[ref]; i < owners.begin[ref + 1]; ++i) reach(owners.refs[i]);
    }
  }
}

Result<void> CheckPickleKeys(const Pickle& pickle, const PickleHolders& holders) {
  std::vector<const PickleValue*> keys;
  for (PickleRef ref = 0; ref < pickle.values.size(); ++ref) {
    const PickleValue& value = pickle[ref];
    if (value.kind != PickleKind::kDict || !holders.HoldsNumbers(ref)) continue;
    keys.clear();
    bool integers = false;
    bool other_numbers = false;
    for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
      const PickleValue& key = pickle[value.items[i]];
      integers |= key.kind == PickleKind::kInteger;
      other_numbers |= key.kind == PickleKind::kBool || key.kind == PickleKind::kOtherNumber;
      if (key.kind == PickleKind::kInteger || key.kind == PickleKind::kText) keys.push_back(&key);
      if (key.text.size() <= kTorchLongestKeyBytes) continue;
      return Error{.problem = "key is too long",
                   .found = fmt::format("{} bytes", key.text.size()),
                   .expected = fmt::format("at most {}", kTorchLongestKeyBytes)};
    }
    const auto less = [](const PickleValue* a, const PickleValue* b) {
      return a->kind != b->kind         ? a->kind < b->kind
             : a->integer != b->integer ? a->integer < b->integer
                                        : a->text < b->text;
    };
    std::sort(keys.begin(), keys.end(), less);
    const auto twin = std::adjacent_find(keys.begin(), keys.end(),
                                         [&](const auto* a, const auto* b) { return !less(a, b); });
    if (twin != keys.end() || (integers && other_numbers)) {
      return Error{.problem = "key occurs twice in one dictionary",
                   .found = twin == keys.end() ? std::string("whole numbers beside others")
                            : (*twin)->kind == PickleKind::kText
                                ? EscapeControl((*twin)->text, 100)
                                : fmt::format("{}", (*twin)->integer)};
    }
  }
  return {};
}

}  // namespace tensorguard::internal
