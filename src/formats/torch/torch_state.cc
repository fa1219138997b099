#include "formats/torch/torch_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "formats/torch/pickle_holders.h"
#include "formats/torch/torch_tensors.h"

namespace tensorguard::internal {
namespace {

constexpr int kDeepest = 64;
// How often the walk may come by an item: wrappers are asked for their parts, then named.
constexpr size_t kMostVisits = 12;
constexpr size_t kAlwaysVisited = 4096;
constexpr size_t kMostTensors = 1 << 18;
// Of all names together, and what goes beyond for each byte of the pickle: names of nested
// dictionaries repeat the outer keys.
constexpr size_t kAlwaysNameBytes = 1 << 20;
constexpr size_t kMostNameTimes = 32;
constexpr int kMostWrappers = 4;

// Keys under which training scripts and libraries keep the model.
constexpr std::array kWrappers = std::to_array<std::string_view>(
    {"state_dict", "model", "module", "model_state_dict", "model_state", "model_states", "net",
     "network", "weights", "params"});

// What lies beside a model while it is trained: a key is one of these, or goes on with "_" or "s".
constexpr std::array kTraining = std::to_array<std::string_view>(
    {"scaler", "grad_scaler", "loss_scaler", "amp", "native_amp", "random", "callback", "loop",
     "hyper_parameter", "extra_state", "train_state", "trainer"});

// The same wherever they stand in a key: "last_optimizer_state", "np_rng_state".
constexpr std::array kTrainingWords =
    std::to_array<std::string_view>({"optimizer", "optimiser", "optim", "scheduler", "rng"});

// Whether `known`, or its plural, is the start of the key, and its last word there a whole one.
bool StartsWithWord(std::string_view key, std::string_view known) {
  if (!key.starts_with(known)) return false;
  key.remove_prefix(known.size());
  if (key.starts_with('s')) key.remove_prefix(1);
  return key.empty() || key.starts_with('_');
}

bool IsTrainingKey(std::string_view key) {
  const auto begins = [&](std::string_view known) { return StartsWithWord(key, known); };
  if (std::any_of(kTraining.begin(), kTraining.end(), begins)) return true;
  while (true) {
    if (std::any_of(kTrainingWords.begin(), kTrainingWords.end(), begins)) return true;
    const size_t next = key.find('_');
    if (next == key.npos) return false;
    key.remove_prefix(next + 1);
  }
}

struct Child {
  std::string key;
  PickleRef value = 0;
};

class StateFinder {
 public:
  explicit StateFinder(const Pickle& pickle) : pickle_(pickle), holders_(pickle) {}

  Result<TorchState> Find();

 private:
  // What lies in a dictionary or list: tensors, what holds some deeper down, and of the latter
  // what is named as state of the training.
  struct Parts {
    std::vector<Child> tensors;
    std::vector<Child> holders;
    std::vector<Child> training;
  };

  Result<void> CountVisited(size_t items);
  Result<std::vector<Child>> ChildrenWithNumbers(PickleRef ref);
  Result<Parts> PartsOf(PickleRef ref);
  bool IsOfTraining(const Child& tensor) const;
  Result<PickleRef> TakeOffWrapper(PickleRef ref);
  Result<bool> HasDottedKeys(PickleRef ref);
  Result<void> Collect(PickleRef ref, const std::string& name, int depth);
  Result<void> CollectModel(PickleRef model);
  Result<void> AddTensor(PickleRef ref, std::string name);
  Result<void> SortByName();

  const Pickle& pickle_;
  PickleHolders holders_;
  TorchState state_;
  size_t visited_ = 0;
  size_t name_bytes_ = 0;
};

Error RepeatedTooOften() {
  return {
      .kind = ErrorKind::kUnsupported,
      .problem = "values are nested deeper, or repeated more often, than is read",
      .expected = fmt::format("{} levels, and few values that stand in several places", kDeepest)};
}

// Each item is visited a few times where no value stands in several places; shared values make few
// bytes look like many.
Result<void> StateFinder::CountVisited(size_t items) {
  visited_ += items;
  if (visited_ <= kMostVisits * holders_.items() + kAlwaysVisited) return {};
  return RepeatedTooOften();
}

// Of a dictionary, list or tuple those that may lead to numbers. Keys that are no texts or whole
// numbers cannot name a tensor.
Result<std::vector<Child>> StateFinder::ChildrenWithNumbers(PickleRef ref) {
  const PickleValue& value = pickle_[ref];
  const bool dict = value.kind == PickleKind::kDict;
  std::vector<Child> children;
  if (!dict && value.kind != PickleKind::kList && value.kind != PickleKind::kTuple) return children;
  TG_TRY(CountVisited(value.items.size()));
  const auto leads_to_numbers = [&](size_t i) {
    return holders_.HoldsNumbers(value.items[i]) ||
           (dict && holders_.HoldsNumbers(value.items[i - 1]));
  };
  const size_t begin = dict ? 1 : 0;
  const size_t step = dict ? 2 : 1;
  size_t count = 0;
  for (size_t i = begin; i < value.items.size(); i += step) count += leads_to_numbers(i) ? 1 : 0;
  children.reserve(count);
  for (size_t i = begin; i < value.items.size(); i += step) {
    if (!leads_to_numbers(i)) continue;
    const PickleRef item = value.items[i];
    if (!dict) {
      children.push_back({fmt::format("{}", i), item});
      continue;
    }
    const PickleValue& key = pickle_[value.items[i - 1]];
    const bool number = key.kind == PickleKind::kInteger;
    if (!number && key.kind != PickleKind::kText) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "tensors lie under a key that is neither text nor a whole number"};
    }
    children.push_back({number ? fmt::format("{}", key.integer) : key.text, item});
  }
  return children;
}

// As those of a state dict: "layer.0.weight".
Result<bool> StateFinder::HasDottedKeys(PickleRef ref) {
  const PickleValue& value = pickle_[ref];
  if (value.kind != PickleKind::kDict) return false;
  TG_TRY(CountVisited(value.items.size()));
  for (size_t i = 0; i + 1 < value.items.size(); i += 2) {
    const PickleValue& key = pickle_[value.items[i]];
    if (key.kind == PickleKind::kText && key.text.find('.') != key.text.npos &&
        IsTorchTensor(pickle_, value.items[i + 1])) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> KeysOf(const std::vector<Child>& children) {
  std::vector<std::string> keys;
  for (const Child& child : children) keys.push_back(child.key);
  return keys;
}

bool IsWrapper(const Child& child) {
  return std::find(kWrappers.begin(), kWrappers.end(), child.key) != kWrappers.end();
}

Result<StateFinder::Parts> StateFinder::PartsOf(PickleRef ref) {
  TG_ASSIGN(const auto children, ChildrenWithNumbers(ref));
  Parts parts;
  for (const Child& child : children) {
    if (IsTorchTensor(pickle_, child.value)) {
      parts.tensors.push_back(child);
    } else if (holders_.HoldsTensor(child.value)) {
      (IsTrainingKey(child.key) ? parts.training : parts.holders).push_back(child);
    }
  }
  return parts;
}

// Beside a wrapper: a loss, a counter, or the state of a random generator.
bool StateFinder::IsOfTraining(const Child& tensor) const {
  return IsTrainingKey(tensor.key) || IsTorchScalar(pickle_, tensor.value);
}

// The dictionary in `ref` that is the model, or `ref` itself.
Result<PickleRef> StateFinder::TakeOffWrapper(PickleRef ref) {
  TG_ASSIGN(const auto parts, PartsOf(ref));
  const auto& [tensors, holders, training] = parts;
  const bool wrapped = std::any_of(holders.begin(), holders.end(), IsWrapper);
  const auto of_training = [&](const Child& tensor) { return IsOfTraining(tensor); };
  if (!tensors.empty() && !(wrapped && std::all_of(tensors.begin(), tensors.end(), of_training))) {
    return ref;
  }
  size_t states = 0;
  for (const Child& child : holders) {
    TG_ASSIGN(const bool dotted, HasDottedKeys(child.value));
    states += dotted ? 1 : 0;
  }
  if (holders.size() > 1 && (wrapped || states > 1)) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "file holds several dictionaries of tensors that could be the model",
                 .found = fmt::format("{}", fmt::join(KeysOf(holders), ", ")),
                 .advice = "save the one that is meant in a file of its own"};
  }
  if (holders.size() != 1 || !(wrapped || states == 1 || !training.empty())) return ref;
  for (const auto& beside : {tensors, training}) {
    for (const Child& child : beside) state_.left_out.push_back(child.key);
  }
  return holders[0].value;
}

Result<void> StateFinder::AddTensor(PickleRef ref, std::string name) {
  name_bytes_ += name.size();
  if (state_.tensors.size() < kMostTensors && name.size() <= kTorchLongestKeyBytes &&
      name_bytes_ <= kAlwaysNameBytes + kMostNameTimes * pickle_.bytes) {
    state_.tensors.push_back({std::move(name), ref});
    return {};
  }
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "file has more tensors, or longer names, than this program reads",
               .found = fmt::format("{} tensors", state_.tensors.size()),
               .expected = fmt::format("at most {} with names of {} bytes", kMostTensors,
                                       kTorchLongestKeyBytes)};
}

// A storage without a tensor, a NumPy array, or what only Python's code can look into.
Error NoTensor(const PickleValue& value, const std::string& name) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "value lies among the model's tensors, but is none",
          .tensor = name,
          .found = value.kind == PickleKind::kPersistent ? std::string("a storage")
                   : value.global == nullptr
                       ? std::string("a set")
                       : fmt::format("{}.{}", value.global->module, value.global->name),
          .advice = "save the model's state_dict alone, or as safetensors"};
}

Result<void> StateFinder::Collect(PickleRef ref, const std::string& name, int depth) {
  if (depth > kDeepest) return RepeatedTooOften();
  const PickleValue& value = pickle_[ref];
  if (IsTorchTensor(pickle_, ref)) return AddTensor(ref, name.empty() ? "tensor" : name);
  const bool container = value.kind == PickleKind::kDict || value.kind == PickleKind::kList ||
                         value.kind == PickleKind::kTuple;
  if (!container && holders_.HoldsNumbers(ref)) return NoTensor(value, name);
  TG_ASSIGN(const auto children, ChildrenWithNumbers(ref));
  for (const Child& child : children) {
    TG_TRY(Collect(child.value, name.empty() ? child.key : name + "." + child.key, depth + 1));
  }
  return {};
}

// All of it but for state of the training.
Result<void> StateFinder::CollectModel(PickleRef model) {
  if (pickle_[model].kind != PickleKind::kDict) return Collect(model, "", 0);
  TG_ASSIGN(const auto children, ChildrenWithNumbers(model));
  for (const Child& child : children) {
    if (IsTorchTensor(pickle_, child.value) || !IsTrainingKey(child.key)) {
      TG_TRY(Collect(child.value, child.key, 1));
    } else if (holders_.HoldsTensor(child.value)) {
      state_.left_out.push_back(child.key);
    }
  }
  return {};
}

Result<void> StateFinder::SortByName() {
  std::sort(state_.tensors.begin(), state_.tensors.end(),
            [](const TorchNamedTensor& a, const TorchNamedTensor& b) { return a.name < b.name; });
  const auto twin = std::adjacent_find(
      state_.tensors.begin(), state_.tensors.end(),
      [](const TorchNamedTensor& a, const TorchNamedTensor& b) { return a.name == b.name; });
  if (twin == state_.tensors.end()) return {};
  return Error{.problem = "two tensors have the same name", .tensor = twin->name};
}

Result<TorchState> StateFinder::Find() {
  TG_TRY(CheckPickleKeys(pickle_, holders_));
  PickleRef model = pickle_.root;
  for (int i = 0; i < kMostWrappers; ++i) {
    TG_ASSIGN(const auto inner, TakeOffWrapper(model));
    if (inner == model) break;
    model = inner;
  }
  TG_TRY(CollectModel(model));
  TG_TRY(SortByName());
  return std::move(state_);
}

}  // namespace

Result<TorchState> FindTorchState(const Pickle& pickle) { return StateFinder(pickle).Find(); }

}  // namespace tensorguard::internal
