#include "formats/torch/torch_tensors.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/checked.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

// A parameter around a tensor of a type around a tensor ...
constexpr int kDeepestWrapping = 8;

Error Broken(std::string problem) { return {.problem = std::move(problem)}; }

std::optional<uint64_t> CountAt(const Pickle& pickle, PickleRef ref) {
  const PickleValue& value = pickle[ref];
  if (value.kind != PickleKind::kInteger || value.integer < 0) return {};
  return static_cast<uint64_t>(value.integer);
}

Result<std::vector<uint64_t>> Counts(const Pickle& pickle, PickleRef ref) {
  const PickleValue& value = pickle[ref];
  // A list could be changed after the tensor was made of it.
  if (value.kind != PickleKind::kTuple) return Broken("tensor's shape or strides are no tuple");
  if (value.items.size() > kMostDimensions) return Broken("tensor has too many dimensions");
  std::vector<uint64_t> counts;
  for (const PickleRef item : value.items) {
    const auto count = CountAt(pickle, item);
    if (!count) return Broken("tensor's shape or strides are no whole numbers");
    counts.push_back(*count);
  }
  return counts;
}

// What the wrappers around a tensor hold: the function that makes it, and its arguments.
struct Rebuild {
  GlobalRole role = GlobalRole::kTensor;
  PickleRef arguments = 0;
  std::vector<PickleRef> states = {};  // attributes that wrappers set on the tensor
};

std::optional<Rebuild> Unwrap(const Pickle& pickle, PickleRef ref) {
  Rebuild rebuild;
  if (pickle[ref].kind != PickleKind::kCall) return {};
  rebuild.role = pickle[ref].global->role;
  rebuild.arguments = pickle[ref].items[0];
  for (int depth = 0; depth < kDeepestWrapping; ++depth) {
    const std::vector<PickleRef>& arguments = pickle[rebuild.arguments].items;
    if (rebuild.role == GlobalRole::kTensor || rebuild.role == GlobalRole::kTensorV3) {
      return rebuild;
    }
    if (rebuild.role == GlobalRole::kParameter && !arguments.empty()) {
      const PickleValue& inner = pickle[arguments[0]];
      if (inner.kind != PickleKind::kCall) return {};
      if (arguments.size() > 3) rebuild.states.push_back(arguments[3]);
      rebuild.role = inner.global->role;
      rebuild.arguments = inner.items[0];
    } else if (rebuild.role == GlobalRole::kFromType && arguments.size() >= 3) {
      const PickleValue& function = pickle[arguments[0]];
      if (function.kind != PickleKind::kGlobal) return {};
      if (pickle[arguments[2]].kind != PickleKind::kTuple) return {};
      if (arguments.size() > 3) rebuild.states.push_back(arguments[3]);
      rebuild.role = function.global->role;
      rebuild.arguments = arguments[2];
    } else {
      return {};
    }
  }
  return {};
}

// Attributes that hold other numbers than the tensor, or make it another class.
bool ReplacesNumbers(const PickleValue& key) {
  return key.kind != PickleKind::kText || key.text == "data" || key.text == "real" ||
         key.text == "imag" || key.text.starts_with("__");
}

// A dictionary of attributes, or a pair of two. Python's loader sets each.
Result<void> CheckState(const Pickle& pickle, PickleRef ref) {
  const bool pair = pickle[ref].kind == PickleKind::kTuple && pickle[ref].items.size() == 2;
  for (const PickleRef part : pair ? pickle[ref].items : std::vector{ref}) {
    const PickleValue& attributes = pickle[part];
    if (attributes.kind == PickleKind::kNone) continue;
    bool harmless = attributes.kind == PickleKind::kDict;
    for (size_t i = 0; harmless && i < attributes.items.size(); i += 2) {
      harmless = !ReplacesNumbers(pickle[attributes.items[i]]);
    }
    if (harmless) continue;
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "tensor has attributes that could replace its numbers"};
  }
  return {};
}

// Conjugated or negated views are stored without the change.
Result<void> CheckMetadata(const Pickle& pickle, const std::vector<PickleRef>& arguments,
                           size_t index) {
  if (arguments.size() <= index) return {};
  const PickleValue& metadata = pickle[arguments[index]];
  if (metadata.kind == PickleKind::kNone) return {};
  if (metadata.kind == PickleKind::kDict && metadata.items.empty()) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "tensor has metadata that change its numbers, which is not read"};
}

Result<DType> TensorType(const Pickle& pickle, const Rebuild& rebuild,
                         const TorchStorage& storage) {
  const std::vector<PickleRef>& arguments = pickle[rebuild.arguments].items;
  if (rebuild.role == GlobalRole::kTensor) {
    if (storage.untyped) return Broken("tensor has no type");
    return storage.dtype;
  }
  if (arguments.size() < 7 || pickle[arguments[6]].kind != PickleKind::kGlobal ||
      pickle[arguments[6]].global->role != GlobalRole::kDtype) {
    return Broken("tensor has no type");
  }
  return pickle[arguments[6]].global->dtype;
}

// The bytes of `range` that the storage's part takes.
Result<StorageRange> PartOf(const StorageRange& range, const TorchStorage& storage) {
  const uint64_t bytes = InfoOf(storage.dtype).bits / 8;
  const auto end = CheckedAdd(storage.first_element, storage.part_elements);
  if (!end || *end > storage.elements || storage.bytes() > range.end_bytes - range.begin_bytes) {
    return Broken("storage's part reaches past its end");
  }
  return StorageRange{range.begin_bytes + storage.first_element * bytes,
                      range.begin_bytes + *end * bytes};
}

// Writers number storages, or call them by an address.
std::optional<std::string> KeyOf(const PickleValue& key) {
  constexpr size_t kLongestBytes = 128;
  if (key.kind == PickleKind::kInteger) return fmt::format("{}", key.integer);
  if (key.kind != PickleKind::kText || key.text.empty() || key.text.size() > kLongestBytes) {
    return {};
  }
  return key.text;
}

Result<void> ReadPart(const Pickle& pickle, PickleRef ref, TorchStorage& storage) {
  const PickleValue& part = pickle[ref];
  if (part.kind == PickleKind::kNone) return {};
  const bool tuple = part.kind == PickleKind::kTuple && part.items.size() == 3;
  const auto first = tuple ? CountAt(pickle, part.items[1]) : std::nullopt;
  const auto elements = tuple ? CountAt(pickle, part.items[2]) : std::nullopt;
  const auto key = tuple ? KeyOf(pickle[part.items[0]]) : std::nullopt;
  if (!first || !elements || !key) return Broken("storage's part is not understood");
  storage.part_key = *key;
  storage.first_element = *first;
  storage.part_elements = *elements;
  return {};
}

}  // namespace

Result<TorchStorage> ReadTorchStorage(const Pickle& pickle, PickleRef ref) {
  const PickleValue& id = pickle[pickle[ref].items[0]];
  if (id.kind != PickleKind::kTuple || id.items.empty() || id.items.size() > 6 ||
      pickle[id.items[0]].kind != PickleKind::kText) {
    return Broken("persistent id is not understood");
  }
  if (pickle[id.items[0]].text != "storage" || id.items.size() < 5) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "file holds something other than storages beside its pickle",
                 .found = pickle[id.items[0]].text,
                 .advice = "save the model's state_dict alone, or as safetensors"};
  }
  const PickleValue& type = pickle[id.items[1]];
  const auto key = KeyOf(pickle[id.items[2]]);
  const auto elements = CountAt(pickle, id.items[4]);
  const bool typed = type.kind == PickleKind::kGlobal && type.global->role == GlobalRole::kStorage;
  const bool untyped =
      type.kind == PickleKind::kGlobal && type.global->role == GlobalRole::kUntypedStorage;
  if ((!typed && !untyped) || !elements) return Broken("storage's type or length is wrong");
  if (!key) return Broken("storage has no key, or a long one");
  TorchStorage storage = {.key = *key,
                          .dtype = type.global->dtype,
                          .untyped = untyped,
                          .elements = *elements,
                          .part_elements = *elements};
  if (!CheckedMultiply(*elements, InfoOf(storage.dtype).bits)) {
    return Broken("storage is too large to address");
  }
  if (id.items.size() == 6) {
    TG_TRY(ReadPart(pickle, id.items[5], storage));
  }
  return storage;
}

bool IsTorchTensor(const Pickle& pickle, PickleRef ref) {
  return pickle[ref].kind == PickleKind::kCall;
}

bool IsTorchScalar(const Pickle& pickle, PickleRef ref) {
  const auto rebuild = Unwrap(pickle, ref);
  if (!rebuild) return false;
  const std::vector<PickleRef>& arguments = pickle[rebuild->arguments].items;
  if (arguments.size() < 3) return false;
  const PickleValue& shape = pickle[arguments[2]];
  return shape.kind == PickleKind::kTuple && shape.items.empty();
}

Result<TensorEntry> ReadTorchTensor(const Pickle& pickle, PickleRef ref,
                                    const FindTorchStorage& find) {
  const auto rebuild = Unwrap(pickle, ref);
  if (!rebuild) return Broken("call that makes a tensor is not understood");
  const std::vector<PickleRef>& arguments = pickle[rebuild->arguments].items;
  if (arguments.size() < 4 || pickle[arguments[0]].kind != PickleKind::kPersistent) {
    return Broken("tensor has no storage");
  }
  for (const PickleRef state : rebuild->states) TG_TRY(CheckState(pickle, state));
  TG_TRY(CheckMetadata(pickle, arguments, rebuild->role == GlobalRole::kTensor ? 6 : 7));
  const auto storage = ReadTorchStorage(pickle, arguments[0]);
  if (!storage) return storage.error();
  TG_ASSIGN(const auto dtype, TensorType(pickle, *rebuild, *storage));
  const auto first = CountAt(pickle, arguments[1]);
  if (!first) return Broken("tensor's place in its storage is no whole number");
  auto shape = Counts(pickle, arguments[2]);
  if (!shape) return std::move(shape).error();
  auto strides = Counts(pickle, arguments[3]);
  if (!strides) return std::move(strides).error();
  if (strides->size() != shape->size()) return Broken("shape and strides have different lengths");
  TG_ASSIGN(const auto range, find(*storage));
  TG_ASSIGN(const auto part, PartOf(range, *storage));
  TensorEntry entry = {
      .name = {}, .dtype = dtype, .shape = *std::move(shape), .strides = *std::move(strides)};
  TG_TRY(PlaceTensor(entry, part, *first));
  return entry;
}

}  // namespace tensorguard::internal
