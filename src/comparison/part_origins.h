// Every part of a model and where it comes from, held against another model.
#ifndef TENSORGUARD_COMPARISON_PART_ORIGINS_H_
#define TENSORGUARD_COMPARISON_PART_ORIGINS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comparison/alignment/sketch_alignment.h"
#include "comparison/alignment/sketch_comparison.h"
#include "comparison/findings/finding.h"
#include "roles/half_layer.h"

namespace tensorguard::internal {

enum class Origin {
  kSame,           // the same numbers, wherever in the other model they lie
  kChanged,        // the same weights, changed: nearer than chance and than the models' null
  kRewritten,      // the same function in another basis
  kNothing,        // compared, and nothing found
  kNotComparable,  // there is nothing in the other model that it could be compared with
  kNotRead,
};
inline constexpr std::array kOrigins = {Origin::kSame,          Origin::kChanged,
                                        Origin::kRewritten,     Origin::kNothing,
                                        Origin::kNotComparable, Origin::kNotRead};

// "same", "changed", "rewritten", "nothing", "not_comparable", "not_read".
std::string_view OriginName(Origin origin);

// Parameters by origin, in the order of kOrigins.
class OriginCounts {
 public:
  void Add(Origin origin, double parameters) { counts_[static_cast<size_t>(origin)] += parameters; }
  void Add(const OriginCounts& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }
  double Of(Origin origin) const { return counts_[static_cast<size_t>(origin)]; }
  double Total() const;
  // In [0, 1]; the shares of all origins sum to one. 0 where nothing was counted.
  double Share(Origin origin) const;
  // Same, changed and rewritten together.
  double Traced() const;
  double TracedShare() const;

 private:
  std::array<double, kOrigins.size()> counts_ = {};
};

// One weight. A vocabulary table is split by its rows: `counts` then has several origins.
struct PartOrigin {
  size_t weight = 0;                       // index in Fingerprint::weights
  Origin origin = Origin::kNotComparable;  // of most of its parameters
  OriginCounts counts = {};
  std::optional<size_t> counterpart = {};  // index in the other's weights
  std::optional<double> cosine = {};       // of the sketches, with the counterpart
};

struct ModelOrigins {
  std::vector<PartOrigin> parts = {};  // every weight but a head that repeats the embedding
  OriginCounts all = {};               // every parameter of the model
  OriginCounts layers = {};            // learned matrices of the text layers alone
  // Of what the text layers write, by their halves: LayerResponse's gains. All zero without them.
  OriginCounts written = {};
};

// Halves that compute the same as one of the other model beyond doubt, with the cosine that tells
// it.
struct FunctionMatches {
  std::map<HalfPlace, double> in_a = {};
  std::map<HalfPlace, double> in_b = {};
};

// What origins are found from.
struct OriginEvidence {
  std::span<const KindCosines> cosines;  // CosinesOfLayers
  const SketchAlignment& alignment;      // as AlignBySketches has it
  // Of the tables on common tokens, wherever their rows lie.
  std::optional<VocabularyPair> embedding = {};
  std::optional<VocabularyPair> head = {};
  FunctionMatches functions = {};
  // The models are one function in two bases, tables included.
  bool tables_rewritten = false;
};

struct PairOrigins {
  ModelOrigins a;
  ModelOrigins b;
};

// A weight of a half without a counterpart of its own is held against the layer of its other half,
// then of the same index. Thread-safe.
PairOrigins FindOrigins(const Fingerprint& a, const Fingerprint& b, const OriginEvidence& evidence);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_PART_ORIGINS_H_
