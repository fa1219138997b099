#include "comparison/findings/shared_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "comparison/alignment/table_rows.h"
#include "comparison/thresholds.h"
#include "comparison/weight_agreement.h"
#include "comparison/weight_pairs.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

// "12%", but never "0%" or "100%" for what is neither.
std::string Percent(double share) {
  if (share > 0 && share < 0.01) return "less than 1%";
  if (share < 1 && share > 0.99) return "more than 99%";
  return fmt::format("{:.0f}%", 100 * share);
}

std::string_view TableName(const WeightSummary& weight) {
  return weight.role.role == Role::kEmbedding ? "embedding" : "output head";
}

// Its rows differ from those of the other model's table as another stored type makes them differ.
bool IsRoundedTable(const WeightSummary& table, const Fingerprint& other_model,
                    const SketchComparison& sketches) {
  const bool embedding = table.role.role == Role::kEmbedding;
  const auto& pair = embedding ? sketches.embedding : sketches.head;
  const auto other = std::find_if(
      other_model.weights.begin(), other_model.weights.end(), [&](const WeightSummary& weight) {
        return IsVocabularyTable(weight) && weight.role.role == table.role.role;
      });
  if (!pair || other == other_model.weights.end() || !SameShape(table, *other)) return false;
  const double rounding = std::max(UnitRoundoff(table.dtype), UnitRoundoff(other->dtype));
  return table.dtype != other->dtype && pair->relative_change <= rounding;
}

// Rows of a table, by origin; of weights outside the text layers what is the other model's.
void AddTables(const Fingerprint& model, const ModelOrigins& origins,
               const Fingerprint& other_model, const SketchComparison& sketches,
               std::vector<Finding>& findings) {
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    if (!IsVocabularyTable(weight)) continue;
    const double same = part.counts.Share(Origin::kSame);
    const double other = part.counts.Share(Origin::kChanged) + part.counts.Share(Origin::kNothing);
    if (same <= 0 || other <= 0) continue;
    if (IsRoundedTable(weight, other_model, sketches)) continue;
    findings.push_back(
        {.kind = FindingKind::kVocabulary,
         .text = fmt::format("Of the {} of {}, {} of {} rows are the other model's number for "
                             "number; {} changed, {} have nothing of it.",
                             TableName(weight), model.model_name,
                             std::llround(same * static_cast<double>(weight.rows)), weight.rows,
                             Percent(part.counts.Share(Origin::kChanged)),
                             Percent(part.counts.Share(Origin::kNothing)))});
  }
}

// Matrices that are the other model's, of a model that does not come from it.
void AddCopied(const Fingerprint& model, const ModelOrigins& origins,
               std::vector<Finding>& findings) {
  size_t same = 0;
  size_t changed = 0;
  std::string first;
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    const bool matrix = IsLearnedMatrix(weight) || weight.role.role == Role::kModality;
    if (!matrix || weight.is_vector) continue;
    if (part.origin == Origin::kSame) ++same;
    if (part.origin == Origin::kChanged) ++changed;
    const bool found = part.origin == Origin::kSame || part.origin == Origin::kChanged;
    if (found && first.empty()) first = weight.tensor;
  }
  if (same + changed == 0) return;
  std::string counts = same > 0 ? fmt::format("{} number for number", same) : "";
  if (changed > 0) {
    counts += fmt::format("{}{} with changes", same > 0 ? " and " : "", changed);
  }
  findings.push_back({.kind = FindingKind::kPartsCopied,
                      .text = fmt::format("{} matrices of {} are the other model's ({}); the first "
                                          "is {}.",
                                          same + changed, model.model_name, counts, first)});
}

void AddCopiedTables(const Fingerprint& model, const ModelOrigins& origins,
                     std::vector<Finding>& findings) {
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    if (!IsVocabularyTable(weight) || part.counts.TracedShare() < 0.5) continue;
    findings.push_back({.kind = FindingKind::kPartsCopied,
                        .text = fmt::format("The {} of {} is the other model's ({} of its rows).",
                                            TableName(weight), model.model_name,
                                            Percent(part.counts.TracedShare()))});
  }
}

// Stacks beside the main one, such as a vision tower or a second model in the same file.
void AddStacks(const Fingerprint& model, const ModelOrigins& origins,
               std::vector<Finding>& findings) {
  std::map<std::string, OriginCounts> stacks;
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    if (weight.role.role == Role::kModality || weight.role.layer) {
      stacks[weight.role.stack].Add(part.counts);
    }
  }
  if (stacks.size() < 2) return;
  for (const auto& [stack, counts] : stacks) {
    findings.push_back(
        {.kind = FindingKind::kPartsCopied,
         .text = fmt::format("Of {}'s {}, {} is the other model's number for number, {} with "
                             "changes, {} in another basis.",
                             model.model_name, stack.empty() ? "main layers" : stack,
                             Percent(counts.Share(Origin::kSame)),
                             Percent(counts.Share(Origin::kChanged)),
                             Percent(counts.Share(Origin::kRewritten)))});
  }
}

// What an answer cannot speak of.
void AddNotCompared(const Fingerprint& model, const ModelOrigins& origins,
                    std::vector<Finding>& findings) {
  const double share = origins.layers.Share(Origin::kNotComparable);
  if (share < kInPart) return;
  findings.push_back({.kind = FindingKind::kCannotCompare,
                      .text = fmt::format("{} of the layers of {} could not be compared: they have "
                                          "no counterpart of their shape, and no form was read.",
                                          Percent(share), model.model_name)});
}

}  // namespace

bool IsOrigin(Verdict verdict) {
  return verdict == Verdict::kDerived || verdict == Verdict::kReparameterised;
}

std::string DescribeShares(const Fingerprint& a, const Fingerprint& b, const PairOrigins& origins) {
  return fmt::format(
      "{0} of the layers of {2} have their origin in {3}, {1} of those of {3} in {2}.",
      Percent(origins.a.layers.TracedShare()), Percent(origins.b.layers.TracedShare()),
      a.model_name, b.model_name);
}

std::vector<Finding> FindSharedParts(const Fingerprint& a, const Fingerprint& b,
                                     const Comparison& comparison) {
  std::vector<Finding> findings;
  if (comparison.verdict == Verdict::kIdentical) return findings;
  const PairOrigins& origins = comparison.origins;
  if (IsOrigin(comparison.verdict)) {
    AddTables(b, origins.b, a, comparison.sketches, findings);
  } else {
    AddCopied(b, origins.b, findings);
    AddCopiedTables(b, origins.b, findings);
  }
  AddStacks(a, origins.a, findings);
  AddStacks(b, origins.b, findings);
  if (comparison.verdict == Verdict::kSharedInitialisation) {
    // A shared start leaves its trace in every matrix; that is said by the verdict.
    std::erase_if(findings,
                  [](const Finding& finding) { return finding.kind == FindingKind::kPartsCopied; });
  }
  AddNotCompared(a, origins.a, findings);
  AddNotCompared(b, origins.b, findings);
  return findings;
}

}  // namespace tensorguard::internal
