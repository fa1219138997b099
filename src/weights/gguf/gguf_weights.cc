#include "weights/gguf/gguf_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "formats/gguf/gguf.h"
#include "weights/files/weight_files.h"
#include "weights/gguf/gguf_row_order.h"

namespace tensorguard::internal {
namespace {

// Far above what is in use (512), so that a header cannot ask for a table of any length.
constexpr uint64_t kMostExperts = 1 << 14;

// Where the numbers of one tensor come from.
struct Origin {
  size_t tensor = 0;           // of the stored weights
  uint64_t first_element = 0;  // in it
  float added = 0;             // by the conversion
  GgufRowOrder rows = {};      // kInOrder but for whole tensors
  uint64_t row_elements = 1;
};

struct UndoneTensor {
  TensorInfo info;
  Origin origin;
};

struct UndoneParts {
  std::vector<UndoneTensor> tensors;
  std::vector<std::string> as_stored;  // names of those that are not known
};

class UndoneWeights : public WeightSource {
 public:
  UndoneWeights(std::shared_ptr<const WeightSource> stored, std::vector<UndoneTensor> tensors)
      : stored_(std::move(stored)) {
    for (UndoneTensor& tensor : tensors) {
      tensors_.push_back(std::move(tensor.info));
      origins_.push_back(tensor.origin);
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override {
    const Origin& origin = origins_[tensor_index];
    auto read = ReadRows(origin, first_element, out, [&](uint64_t first, std::span<float> part) {
      return stored_->ReadFloat32(origin.tensor, first, part);
    });
    if (read && origin.added != 0) {
      for (float& number : out) number -= origin.added;
    }
    return read;
  }

  bool IsBFloat16(size_t tensor_index) const override {
    const Origin& origin = origins_[tensor_index];
    return origin.added == 0 && stored_->IsBFloat16(origin.tensor);
  }

  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override {
    const Origin& origin = origins_[tensor_index];
    return ReadRows(origin, first_element, out, [&](uint64_t first, std::span<BFloat16> part) {
      return stored_->ReadBFloat16(origin.tensor, first, part);
    });
  }

 private:
  template <typename Number, typename Read>
  static Result<void> ReadRows(const Origin& origin, uint64_t first_element, std::span<Number> out,
                               Read read) {
    if (origin.rows.in_order()) return read(origin.first_element + first_element, out);
    while (!out.empty()) {
      const uint64_t row = first_element / origin.row_elements;
      const uint64_t column = first_element % origin.row_elements;
      const auto part = out.first(std::min<uint64_t>(out.size(), origin.row_elements - column));
      auto done = read(origin.rows.StoredRow(row) * origin.row_elements + column, part);
      if (!done) return done;
      out = out.subspan(part.size());
      first_element += part.size();
    }
    return {};
  }

  std::shared_ptr<const WeightSource> stored_;
  std::vector<TensorInfo> tensors_;
  std::vector<Origin> origins_;  // of tensors_, in the same order
};

std::optional<uint64_t> NumberOf(const GgufMetadata& metadata, std::string_view architecture,
                                 std::string_view key) {
  return metadata.Number(fmt::format("{}.{}", architecture, key));
}

Result<void> AddExperts(const OriginalName& hub, const TensorInfo& stored, size_t index,
                        uint64_t experts, std::vector<UndoneTensor>& undone) {
  if (stored.shape.size() < 2 || stored.shape[0] != experts || experts > kMostExperts) {
    return Error{.problem = "number of experts does not fit the tensor",
                 .found = fmt::format("shape [{}]", fmt::join(stored.shape, ", ")),
                 .expected = fmt::format("{} experts first, at most {}", experts, kMostExperts)};
  }
  const uint64_t each = stored.element_count / experts;
  const size_t place = hub.name.find("{}");
  for (uint64_t expert = 0; expert < experts; ++expert) {
    TensorInfo info = stored;
    info.name = hub.name;
    info.name.replace(place, 2, fmt::format("{}", expert));
    info.shape.erase(info.shape.begin());
    info.element_count = each;
    info.stored_bytes = stored.stored_bytes / experts;
    undone.push_back({std::move(info), {.tensor = index, .first_element = expert * each}});
  }
  return {};
}

// The tensor under the name that it has in the file.
void AddAsStored(const TensorInfo& stored, size_t index, UndoneParts& undone) {
  undone.tensors.push_back({stored, {.tensor = index}});
  undone.as_stored.push_back(stored.name);
}

Result<void> AddUndone(const GgufArchitecture& architecture, const ChangedNumbers& numbers,
                       const TensorInfo& stored, size_t index, UndoneParts& undone) {
  const auto hub = HubNameOf(architecture, stored.name);
  if (!hub) {
    AddAsStored(stored, index, undone);
    return {};
  }
  if (hub->change == GgufChange::kExpertsJoined) {
    return AddExperts(*hub, stored, index, numbers.experts, undone.tensors);
  }
  UndoneTensor tensor = {stored, {.tensor = index}};
  tensor.info.name = hub->name;
  // Of LayerNorms with a bias the gain alone was changed.
  const bool is_bias = hub->name.ends_with(".bias");
  if (hub->change == GgufChange::kOneAdded && !is_bias) tensor.origin.added = 1;
  if (hub->change == GgufChange::kDimensionDropped && stored.shape.size() == 1) {
    tensor.info.shape.insert(tensor.info.shape.begin(), 1);
  }
  const uint64_t rows = stored.shape.empty() ? 0 : stored.shape[0];
  TG_ASSIGN(const auto order, GgufRowOrder::Of(hub->change, rows, numbers.heads));
  tensor.origin.rows = order;
  if (rows != 0) tensor.origin.row_elements = stored.element_count / rows;
  undone.tensors.push_back(std::move(tensor));
  return {};
}

std::string NoteOnStored(std::string_view architecture, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  constexpr size_t kMostNamed = 3;
  std::string listed;
  for (size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    listed += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMostNamed) listed += fmt::format(" and {} more", names.size() - kMostNamed);
  return fmt::format("tensors that are not known of the architecture {} are read as stored: {}",
                     architecture, listed);
}

}  // namespace

std::optional<GgufArchitecture> GgufArchitectureOf(const GgufMetadata& metadata,
                                                   const WeightSource& stored) {
  const auto name = metadata.Text("general.architecture");
  if (!name) return {};
  const bool with_experts = NumberOf(metadata, *name, "expert_count").value_or(0) > 0;
  const auto* known = FindGgufArchitecture(*name, with_experts, stored.tensors());
  return known == nullptr ? std::nullopt : std::optional(*known);
}

ChangedNumbers ChangedNumbersOf(const GgufArchitecture& architecture,
                                const GgufMetadata& metadata) {
  const auto number = [&](std::string_view key) {
    return NumberOf(metadata, architecture.name, key);
  };
  const auto heads = number("attention.head_count");
  const auto key_value = number("attention.head_count_kv");
  return {.heads = {.queries = heads, .keys = key_value ? key_value : heads},
          .experts = number("expert_count").value_or(0)};
}

Result<UndoneConversion> UndoConversion(std::shared_ptr<const WeightSource> stored,
                                        const GgufArchitecture& architecture,
                                        const ChangedNumbers& numbers) {
  UndoneParts parts;
  for (size_t i = 0; i < stored->tensors().size(); ++i) {
    const TensorInfo& tensor = stored->tensors()[i];
    auto added = AddUndone(architecture, numbers, tensor, i, parts);
    if (!added) return std::move(added).error().InFile(tensor.file).InTensor(tensor.name);
  }
  std::vector<UndoneTensor>& undone = parts.tensors;
  std::sort(undone.begin(), undone.end(),
            [](const UndoneTensor& a, const UndoneTensor& b) { return a.info.name < b.info.name; });
  const auto twice = std::adjacent_find(
      undone.begin(), undone.end(),
      [](const UndoneTensor& a, const UndoneTensor& b) { return a.info.name == b.info.name; });
  if (twice != undone.end()) {
    return Error{.problem = "two tensors are the same part of the model",
                 .file = twice->info.file,
                 .tensor = stored->tensors()[twice->origin.tensor].name,
                 .found = stored->tensors()[std::next(twice)->origin.tensor].name + " as well"};
  }
  return UndoneConversion{
      .weights = std::make_shared<UndoneWeights>(std::move(stored), std::move(undone)),
      .note = NoteOnStored(architecture.name, parts.as_stored)};
}

}  // namespace tensorguard::internal
