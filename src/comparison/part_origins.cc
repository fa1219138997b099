#include "comparison/part_origins.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "comparison/alignment/sketch_products.h"
#include "comparison/alignment/table_rows.h"
#include "comparison/thresholds.h"
#include "comparison/weight_agreement.h"
#include "comparison/weight_pairs.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

double ParametersOf(const WeightSummary& weight) {
  return static_cast<double>(weight.rows) * static_cast<double>(weight.columns);
}

// Equal numbers of such a weight are no accident and no convention: constants, and matrices of a
// few values (an identity, a mask), are the same in strangers.
bool TellsOrigin(const WeightSummary& weight) {
  if (weight.norm == 0 || weight.quantiles.front() == weight.quantiles.back()) return false;
  return !weight.distinct_per_32 || *weight.distinct_per_32 > kFewestValues;
}

using Shape = std::pair<uint64_t, uint64_t>;

Shape ShapeOf(const WeightSummary& weight) { return {weight.rows, weight.columns}; }

// The other model's weights, to be found by numbers and by place.
struct Lookup {
  explicit Lookup(const Fingerprint& of) : model(of) {
    for (size_t i = 0; i < model.weights.size(); ++i) {
      const WeightSummary& weight = model.weights[i];
      by_digest.emplace(std::pair(weight.digest, ShapeOf(weight)), i);
      shapes.insert({weight.role.role, ShapeOf(weight)});
      if (weight.role.layer) {
        by_layer[{weight.role.stack, *weight.role.layer}].push_back(i);
      } else {
        outside.push_back(i);
      }
    }
  }

  const Fingerprint& model;
  std::map<std::pair<WeightDigest, Shape>, size_t> by_digest;
  std::set<std::pair<Role, Shape>> shapes;
  std::map<std::pair<std::string, uint32_t>, std::vector<size_t>> by_layer;
  std::vector<size_t> outside;  // of no layer
};

// What independent models have in common, by role and shape: the most of the kinds that share them.
using Nulls = std::map<std::pair<Role, Shape>, KindNull>;

Nulls NullsOf(std::span<const KindCosines> cosines) {
  Nulls nulls;
  for (const KindCosines& kind : cosines) {
    const KindNull found = NullOfUnpaired(kind);
    const auto [null, is_first] =
        nulls.emplace(std::pair(kind.kind.role, Shape(kind.kind.rows, kind.kind.columns)), found);
    if (is_first) continue;
    null->second.mean = std::max(null->second.mean, found.mean);
    null->second.deviation = std::max(null->second.deviation, found.deviation);
  }
  return nulls;
}

// One side of the comparison: a model whose parts are explained by the other.
struct Explained {
  const Fingerprint& model;
  const Lookup& other;
  const std::map<HalfPlace, HalfCounterpart>& counterparts;
  const std::map<HalfPlace, double>& functions;
  const OriginEvidence& evidence;
  const Nulls& nulls;
  std::set<HalfPlace> asked;  // halves of `model` that have a form
};

std::set<HalfPlace> HalvesWithForms(const Fingerprint& model) {
  std::set<HalfPlace> halves;
  for (const LayerForms& layer : model.frame.layers) {
    for (const FormKind kind : kFormKinds) {
      if (layer.forms[static_cast<size_t>(kind)].rows() == 0) continue;
      const bool mixer = kind == FormKind::kQueryKey || kind == FormKind::kOutputValue;
      halves.insert({layer.stack, layer.index, mixer ? Half::kMixer : Half::kFeedForward});
    }
  }
  return halves;
}

// The layer of the other model that a half is held against, and whether it stands out.
struct HeldAgainst {
  std::pair<std::string, uint32_t> layer;
  bool stands_out = false;
};

HeldAgainst LayerOf(const Explained& side, const TensorRole& role) {
  const auto place = HalfPlaceOf(role);
  if (place) {
    const auto own = side.counterparts.find(*place);
    if (own != side.counterparts.end()) {
      return {{own->second.place.stack, own->second.place.layer}, true};
    }
  }
  for (const Half half : {Half::kMixer, Half::kFeedForward}) {
    const auto of_layer = side.counterparts.find({role.stack, *role.layer, half});
    if (of_layer == side.counterparts.end()) continue;
    return {{of_layer->second.place.stack, of_layer->second.place.layer}, false};
  }
  return {{role.stack, *role.layer}, false};
}

const std::vector<size_t>& Candidates(const Explained& side, const TensorRole& role,
                                      bool* stands_out) {
  static const std::vector<size_t> kNone;
  *stands_out = false;
  if (!role.layer) return side.other.outside;
  const HeldAgainst held = LayerOf(side, role);
  *stands_out = held.stands_out;
  const auto found = side.other.by_layer.find(held.layer);
  return found == side.other.by_layer.end() ? kNone : found->second;
}

bool MayCorrespond(const WeightSummary& a, const WeightSummary& b) {
  return a.role.role == b.role.role && a.role.stack == b.role.stack && SameShape(a, b) &&
         a.role.is_bias == b.role.is_bias && a.sketch.values().size() == b.sketch.values().size() &&
         !a.sketch.values().empty();
}

// In the half's counterpart, the matrix of this role and shape (any expert) that is nearest.
struct Nearest {
  std::optional<size_t> weight;
  double cosine = 0;
  bool stands_out = false;  // the half does
};

Nearest NearestOf(const Explained& side, const WeightSummary& weight) {
  Nearest nearest;
  for (const size_t i : Candidates(side, weight.role, &nearest.stands_out)) {
    const WeightSummary& other = side.other.model.weights[i];
    const bool text = IsLearnedMatrix(weight);
    if (text ? other.role.role != weight.role.role || !SameShape(weight, other) ||
                   other.sketch.values().empty()
             : !MayCorrespond(weight, other)) {
      continue;
    }
    const double cosine = CosineOf(ProductsOf(weight.sketch.values(), other.sketch.values()));
    if (!nearest.weight || cosine > nearest.cosine) {
      nearest.weight = i;
      nearest.cosine = cosine;
    }
  }
  return nearest;
}

bool IsBeyondChance(const Explained& side, const WeightSummary& weight, const Nearest& nearest) {
  const auto null = side.nulls.find({weight.role.role, ShapeOf(weight)});
  const double mean = null == side.nulls.end() ? 0 : null->second.mean;
  const double spread =
      null == side.nulls.end() ? 1 : std::max(null->second.deviation, kUnmeasuredDeviation);
  const double deviation = IndependentDeviation(weight.rows, weight.columns) * spread;
  const double z = (nearest.cosine - mean) / deviation;
  return z >= (nearest.stands_out ? kMatrixOfHalfZ : kMatrixZ);
}

bool IsRewritten(const Explained& side, const TensorRole& role) {
  const auto place = HalfPlaceOf(role);
  return place && side.functions.contains(*place);
}

// Whether finding nothing means that there is nothing. Between models in two bases only forms can
// tell, between others a matrix of the same role and shape can.
bool IsAnswered(const Explained& side, const WeightSummary& weight) {
  if (side.functions.empty()) {
    return side.other.shapes.contains({weight.role.role, ShapeOf(weight)});
  }
  const auto place = HalfPlaceOf(weight.role);
  return place && side.asked.contains(*place);
}

// A matrix with a sketch.
PartOrigin ExplainMatrix(const Explained& side, size_t index) {
  const WeightSummary& weight = side.model.weights[index];
  PartOrigin part = {.weight = index};
  const Nearest nearest = NearestOf(side, weight);
  part.counterpart = nearest.weight;
  if (nearest.weight) part.cosine = nearest.cosine;
  if (nearest.weight && IsBeyondChance(side, weight, nearest)) {
    part.origin = Origin::kChanged;
  } else if (IsRewritten(side, weight.role)) {
    part.origin = Origin::kRewritten;
  } else if (IsAnswered(side, weight)) {
    part.origin = Origin::kNothing;
  }
  part.counts.Add(part.origin, ParametersOf(weight));
  return part;
}

// Rows that lie elsewhere are told by the tokens that both have: where those changed, so did the
// rows that were not found, as far as the other table has so many.
RowShares WithTokens(RowShares rows, const WeightSummary& table, const WeightSummary& other,
                     const VocabularyPair& tokens) {
  if (tokens.cosine < kBasisLostCosine || tokens.relative_change <= kUnchanged) return rows;
  const double both =
      std::min(1.0, static_cast<double>(other.rows) / static_cast<double>(table.rows));
  rows.changed = std::max(rows.changed, both - rows.same);
  rows.nothing = std::max(0.0, 1 - rows.same - rows.changed);
  return rows;
}

// Against the table that explains most.
std::optional<RowShares> RowsOfTable(const Explained& side, const WeightSummary& table,
                                     const std::optional<VocabularyPair>& tokens) {
  std::optional<RowShares> best;
  for (const WeightSummary& other : side.other.model.weights) {
    if (!IsVocabularyTable(other)) continue;
    auto shares = CompareRows(table, other);
    if (!shares) continue;
    if (tokens && other.role.role == table.role.role) {
      shares = WithTokens(*shares, table, other, *tokens);
    }
    if (!best || shares->nothing < best->nothing) best = shares;
  }
  return best;
}

PartOrigin ExplainTable(const Explained& side, size_t index) {
  const WeightSummary& table = side.model.weights[index];
  PartOrigin part = {.weight = index};
  const double parameters = ParametersOf(table);
  const auto& tokens =
      table.role.role == Role::kEmbedding ? side.evidence.embedding : side.evidence.head;
  if (const auto rows = RowsOfTable(side, table, tokens)) {
    part.counts.Add(Origin::kSame, parameters * rows->same);
    part.counts.Add(Origin::kChanged, parameters * rows->changed);
    part.counts.Add(side.evidence.tables_rewritten ? Origin::kRewritten : Origin::kNothing,
                    parameters * rows->nothing);
  } else if (tokens) {
    const bool alike = tokens->cosine >= kBasisLostCosine;
    part.counts.Add(alike ? Origin::kChanged : Origin::kNothing, parameters);
  } else {
    part.counts.Add(side.evidence.tables_rewritten ? Origin::kRewritten : Origin::kNotComparable,
                    parameters);
  }
  part.origin = *std::max_element(kOrigins.begin(), kOrigins.end(), [&](Origin x, Origin y) {
    return part.counts.Of(x) < part.counts.Of(y);
  });
  return part;
}

// Gains, biases, positions: what is not the same goes with the matrices of its layer.
PartOrigin ExplainRest(const Explained& side, size_t index) {
  const WeightSummary& weight = side.model.weights[index];
  PartOrigin part = {.weight = index};
  if (weight.role.layer) {
    const auto traced = [&](Half half) {
      return side.counterparts.contains({weight.role.stack, *weight.role.layer, half});
    };
    const auto rewritten = [&](Half half) {
      return side.functions.contains({weight.role.stack, *weight.role.layer, half});
    };
    if (traced(Half::kMixer) || traced(Half::kFeedForward)) {
      part.origin = Origin::kChanged;
    } else if (rewritten(Half::kMixer) || rewritten(Half::kFeedForward)) {
      part.origin = Origin::kRewritten;
    } else if (side.other.shapes.contains({weight.role.role, ShapeOf(weight)})) {
      part.origin = Origin::kNothing;
    }
  } else if (side.other.shapes.contains({weight.role.role, ShapeOf(weight)})) {
    part.origin = Origin::kNothing;
  }
  part.counts.Add(part.origin, ParametersOf(weight));
  return part;
}

PartOrigin Explain(const Explained& side, size_t index) {
  const WeightSummary& weight = side.model.weights[index];
  const auto equal = side.other.by_digest.find({weight.digest, ShapeOf(weight)});
  if (equal != side.other.by_digest.end()) {
    PartOrigin part = {.weight = index, .origin = Origin::kSame, .counterpart = equal->second};
    part.cosine = 1;
    part.counts.Add(Origin::kSame, ParametersOf(weight));
    return part;
  }
  if (IsVocabularyTable(weight)) return ExplainTable(side, index);
  const bool sketched = !weight.is_vector && !weight.sketch.values().empty() && weight.norm > 0;
  const bool has_place = IsLearnedMatrix(weight) || weight.role.role == Role::kModality;
  return sketched && has_place ? ExplainMatrix(side, index) : ExplainRest(side, index);
}

// The halves that are traced to most of their parameters, and what they write.
OriginCounts WrittenBy(const Fingerprint& model, const std::vector<PartOrigin>& parts) {
  std::map<HalfPlace, OriginCounts> halves;
  for (const PartOrigin& part : parts) {
    const WeightSummary& weight = model.weights[part.weight];
    const auto place = HalfPlaceOf(weight.role);
    if (place && IsLearnedMatrix(weight)) halves[*place].Add(part.counts);
  }
  OriginCounts written;
  for (const LayerResponse& layer : model.layers) {
    for (const auto& [half, gain] : {std::pair(Half::kMixer, layer.mixer_gain),
                                     std::pair(Half::kFeedForward, layer.feed_forward_gain)}) {
      const auto found = halves.find({layer.stack, layer.index, half});
      if (!gain || found == halves.end()) continue;
      for (const Origin origin : kOrigins) written.Add(origin, *gain * found->second.Share(origin));
    }
  }
  return written;
}

ModelOrigins ExplainModel(const Explained& side) {
  ModelOrigins origins;
  double listed = 0;
  for (size_t i = 0; i < side.model.weights.size(); ++i) {
    const WeightSummary& weight = side.model.weights[i];
    if (RepeatsEmbedding(side.model, weight)) continue;
    PartOrigin part = Explain(side, i);
    listed += ParametersOf(weight);
    origins.all.Add(part.counts);
    if (weight.role.layer && IsLearnedMatrix(weight) && TellsOrigin(weight)) {
      origins.layers.Add(part.counts);
    }
    origins.parts.push_back(std::move(part));
  }
  // A head that repeats the embedding is listed once and may be counted twice.
  const auto total = static_cast<double>(side.model.parameters);
  if (side.model.quick && total > listed) origins.all.Add(Origin::kNotRead, total - listed);
  origins.written = WrittenBy(side.model, origins.parts);
  return origins;
}

}  // namespace

std::string_view OriginName(Origin origin) {
  constexpr std::array<std::string_view, kOrigins.size()> kNames = {
      "same", "changed", "rewritten", "nothing", "not_comparable", "not_read"};
  return kNames[static_cast<size_t>(origin)];
}

double OriginCounts::Total() const {
  double total = 0;
  for (const double count : counts_) total += count;
  return total;
}

double OriginCounts::Share(Origin origin) const {
  const double total = Total();
  return total == 0 ? 0 : Of(origin) / total;
}

double OriginCounts::Traced() const {
  return Of(Origin::kSame) + Of(Origin::kChanged) + Of(Origin::kRewritten);
}

double OriginCounts::TracedShare() const {
  const double total = Total();
  return total == 0 ? 0 : Traced() / total;
}

PairOrigins FindOrigins(const Fingerprint& a, const Fingerprint& b,
                        const OriginEvidence& evidence) {
  const Lookup lookup_a(a);
  const Lookup lookup_b(b);
  const Nulls nulls = NullsOf(evidence.cosines);
  return {.a = ExplainModel({.model = a,
                             .other = lookup_b,
                             .counterparts = evidence.alignment.a_to_b,
                             .functions = evidence.functions.in_a,
                             .evidence = evidence,
                             .nulls = nulls,
                             .asked = HalvesWithForms(a)}),
          .b = ExplainModel({.model = b,
                             .other = lookup_a,
                             .counterparts = evidence.alignment.b_to_a,
                             .functions = evidence.functions.in_b,
                             .evidence = evidence,
                             .nulls = nulls,
                             .asked = HalvesWithForms(b)})};
}

}  // namespace tensorguard::internal
