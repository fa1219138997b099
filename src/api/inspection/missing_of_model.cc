#include "api/inspection/missing_of_model.h"

#include <algorithm>
#include <array>

#include "base/try.h"
#include "network/missing_embedding.h"
#include "network/network.h"
#include "network/placeholder_parts.h"
#include "profile/zero_parts.h"

namespace tensorguard::internal {
namespace {

// Numbers of a matrix that are looked at: so many runs, evenly over the tensor.
constexpr uint64_t kRuns = 64;
constexpr uint64_t kRunElements = 64;

bool AllZero(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return value == 0; });
}

// Whether all numbers of the tensor that are looked at are zero. Ends at the first that is not.
Result<bool> LooksZero(const WeightSource& source, size_t tensor) {
  const uint64_t elements = source.tensors()[tensor].element_count;
  const uint64_t length = std::min(elements, kRunElements);
  const uint64_t runs = std::min(kRuns, elements / std::max<uint64_t>(1, length));
  std::array<float, kRunElements> values;
  for (uint64_t run = 0; run < runs; ++run) {
    const uint64_t first = runs == 1 ? 0 : (elements - length) / (runs - 1) * run;
    const std::span<float> read(values.data(), length);
    TG_TRY(source.ReadFloat32(tensor, first, read));
    if (!AllZero(read)) return false;
  }
  return elements > 0;
}

// What FindZeroParts asks of a weight. Parts of one tensor are zero together.
Result<std::vector<WeightSummary>> ZerosOf(const Network& network) {
  std::vector<WeightSummary> summaries;
  size_t last_tensor = network.source().tensors().size();
  bool zero = false;
  for (const Weight& weight : network.weights()) {
    if (weight.tensor_index != last_tensor) {
      last_tensor = weight.tensor_index;
      TG_ASSIGN(const auto looked,
                weight.is_vector ? Result<bool>(false) : LooksZero(network.source(), last_tensor));
      zero = looked;
    }
    summaries.push_back({.role = weight.role,
                         .is_vector = weight.is_vector,
                         .rows = weight.rows,
                         .columns = weight.columns,
                         .zero_fraction = zero ? 1.0 : 0.0});
  }
  return summaries;
}

}  // namespace

Result<std::vector<MissingPart>> WhatIsMissing(const Model& model) {
  TG_ASSIGN(const auto network, Network::Build(model));
  std::vector<MissingPart> missing = FindMissingParts(model.config, *network);
  for (MissingPart& part : FindMissingEmbedding(model, *network)) {
    missing.push_back(std::move(part));
  }
  for (MissingPart& part : FindPlaceholders(model)) missing.push_back(std::move(part));
  const std::string place = model.path.string();
  if (place.find("://") != place.npos) return missing;
  const auto zeros = ZerosOf(*network);
  if (!zeros) return zeros.error();
  for (MissingPart& part : FindZeroParts(*zeros)) {
    part.found = "zeros wherever it was looked at";
    missing.push_back(std::move(part));
  }
  return missing;
}

}  // namespace tensorguard::internal
