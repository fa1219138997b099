#include "comparison/findings/grid_forensics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "comparison/measures/role_names.h"
#include "comparison/measures/value_grid.h"
#include "comparison/thresholds.h"
#include "fingerprint/learned_matrix.h"
#include "safetensors/dtype.h"

namespace tensorguard::internal {
namespace {

// How the file of one model holds its matrices.
struct StoredForm {
  std::map<std::string, size_t> quantised;  // matrices of each scheme or block type
  size_t matrices = 0;
};

StoredForm StoredFormOf(const Fingerprint& fingerprint) {
  StoredForm form;
  for (const WeightSummary& weight : fingerprint.weights) {
    if (!IsLearnedMatrix(weight)) continue;
    ++form.matrices;
    const auto blocks = AllBlockTypes();
    if (!weight.quantisation.empty()) {
      ++form.quantised[weight.quantisation];
    } else if (std::any_of(blocks.begin(), blocks.end(),
                           [&](const DTypeInfo& type) { return type.name == weight.dtype; })) {
      ++form.quantised[weight.dtype];
    }
  }
  return form;
}

// The commonest form stands for the others.
Finding DescribeStored(const Fingerprint& fingerprint, const StoredForm& own,
                       const StoredForm& other, Side side) {
  const auto most = std::max_element(
      own.quantised.begin(), own.quantised.end(),
      [](const auto& one, const auto& another) { return one.second < another.second; });
  Finding finding{
      .kind = FindingKind::kQuantised,
      .text = fmt::format("{} is stored quantised: {} ({} of {} matrices).", fingerprint.model_name,
                          most->first, most->second, own.matrices)};
  if (other.quantised.empty()) finding.derived = side;
  return finding;
}

// The matrices of a model that lie on a grid.
struct OnGrid {
  std::vector<const WeightSummary*> matrices;
  size_t all = 0;
  GridMeasures mean;
};

OnGrid OnGridIn(const Fingerprint& fingerprint) {
  OnGrid found;
  double distinct = 0;
  double zeros = 0;
  for (const WeightSummary& weight : fingerprint.weights) {
    if (!IsLearnedMatrix(weight) || weight.norm == 0) continue;
    ++found.all;
    if (!IsOnGrid(weight)) continue;
    found.matrices.push_back(&weight);
    distinct += *weight.distinct_per_32;
    zeros += ScatteredZeros(weight);
    found.mean.columns = std::max(found.mean.columns, static_cast<double>(weight.columns));
  }
  if (found.matrices.empty()) return found;
  const auto count = static_cast<double>(found.matrices.size());
  found.mean.distinct = distinct / count;
  found.mean.zeros = zeros / count;
  return found;
}

Finding DescribeGrid(const Fingerprint& fingerprint, const OnGrid& own, bool only_here, Side side) {
  const std::string where = own.matrices.size() < own.all
                                ? fmt::format(" in {} of {} matrices ({})", own.matrices.size(),
                                              own.all, RoleNames(own.matrices))
                                : "";
  Finding finding{.kind = FindingKind::kQuantised,
                  .text = fmt::format("{} is quantised{}: 32 neighbouring weights have {:.1f} "
                                      "different values, {}.",
                                      fingerprint.model_name, where, own.mean.distinct,
                                      BitsThatAllow(own.mean))};
  if (only_here) finding.derived = side;
  return finding;
}

// Mean over matrices as wide as that, without zeros that were put there.
std::optional<double> DistinctPer256(const Fingerprint& fingerprint) {
  double sum = 0;
  double count = 0;
  for (const WeightSummary& weight : fingerprint.weights) {
    if (!IsLearnedMatrix(weight) || weight.norm == 0 || !weight.distinct_per_256) continue;
    if (weight.zero_fraction >= kPrunedZeros) return std::nullopt;
    sum += *weight.distinct_per_256;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

// Scales for few neighbours leave 32 of them almost all different.
std::optional<Finding> FindFineGrid(const Fingerprint& model, const Fingerprint& other, Side side) {
  const auto own = DistinctPer256(model);
  const auto others = DistinctPer256(other);
  if (!own || !others || *own >= kEightBitShare * *others) return std::nullopt;
  return Finding{.kind = FindingKind::kQuantised,
                 .text = fmt::format("{} is probably quantised to 8 bits: 256 neighbouring weights "
                                     "have {:.0f} different values, {:.0f} in the other model.",
                                     model.model_name, *own, *others),
                 .derived = side};
}

}  // namespace

bool IsStoredQuantised(const Fingerprint& model) { return !StoredFormOf(model).quantised.empty(); }

std::optional<Finding> FindGrid(const Fingerprint& model, const Fingerprint& other, Side side) {
  const StoredForm stored = StoredFormOf(model);
  const StoredForm stored_other = StoredFormOf(other);
  if (!stored.quantised.empty()) return DescribeStored(model, stored, stored_other, side);
  const OnGrid own = OnGridIn(model);
  const OnGrid others = OnGridIn(other);
  if (!own.matrices.empty()) return DescribeGrid(model, own, others.matrices.empty(), side);
  if (!others.matrices.empty()) return std::nullopt;
  return FindFineGrid(model, other, side);
}

}  // namespace tensorguard::internal
