#include "search/shared_parts.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/try.h"
#include "roles/layer_place.h"
#include "safetensors/dtype.h"

namespace tensorguard::internal {
namespace {

// Of a matrix that more fingerprints hold (a frozen table, say) the others are not told.
constexpr int64_t kMostHolders = 1000;
// Models whose fingerprints are read, those with most hits.
constexpr size_t kMostConfirmed = 64;

struct Hits {
  // By fingerprint: its weights for each of the model's.
  std::map<int64_t, std::vector<std::pair<size_t, size_t>>> by_fingerprint;
  size_t matrices = 0;
  size_t too_common = 0;
};

Result<Hits> LookUp(Registry& registry, const Fingerprint& model) {
  Hits hits;
  std::set<int64_t> weights;
  for (const DigestEntry& entry : DigestEntriesOf(model)) {
    weights.insert(entry.weight);
    int64_t holders = 0;
    TG_TRY(registry.database().Query(
        "SELECT fingerprint, weight FROM weight_digest WHERE digest = $1 LIMIT $2",
        {entry.digest, kMostHolders + 1}, [&](const Row& row) -> Result<void> {
          if (++holders > kMostHolders) return {};
          hits.by_fingerprint[row.Integer(0)].emplace_back(static_cast<size_t>(entry.weight),
                                                           static_cast<size_t>(row.Integer(1)));
          return {};
        }));
    hits.too_common += holders > kMostHolders ? 1 : 0;
  }
  hits.matrices = weights.size();
  return hits;
}

// Whether the two hold the same numbers, if one is stored in a narrower type after rounding.
bool Same(const WeightSummary& a, const WeightSummary& b) {
  const auto digests = [](const WeightSummary& weight) {
    std::vector<WeightDigest> all = {weight.digest};
    if (weight.digest_as_bfloat16) all.push_back(*weight.digest_as_bfloat16);
    if (weight.digest_as_float16) all.push_back(*weight.digest_as_float16);
    return all;
  };
  if (a.rows != b.rows || a.columns != b.columns) return false;
  const auto of_b = digests(b);
  return std::ranges::any_of(digests(a), [&](const WeightDigest& each) {
    return std::ranges::find(of_b, each) != of_b.end();
  });
}

// Empty for codes of a quantiser, whose scales lie elsewhere.
uint64_t StoredBytesOf(const WeightSummary& weight) {
  const auto dtype = DTypeFromName(weight.dtype);
  if (!weight.quantisation.empty() || !dtype) return 0;
  return weight.rows * weight.columns * InfoOf(*dtype).bits / 8;
}

double ElementsOf(const WeightSummary& weight) {
  return static_cast<double>(weight.rows) * static_cast<double>(weight.columns);
}

std::string RoleOf(const WeightSummary& weight) { return std::string(RoleName(weight.role.role)); }

// How many of a layer's matrices are those of which layer.
using LayerCounts = std::map<LayerPlace, std::map<LayerPlace, size_t>>;

std::map<LayerPlace, size_t> MatricesByLayer(const Fingerprint& model) {
  std::map<LayerPlace, std::set<int64_t>> weights;
  for (const DigestEntry& entry : DigestEntriesOf(model)) {
    const TensorRole& role = model.weights[static_cast<size_t>(entry.weight)].role;
    if (role.layer) weights[{role.stack, *role.layer}].insert(entry.weight);
  }
  std::map<LayerPlace, size_t> counts;
  for (const auto& [place, all] : weights) counts[place] = all.size();
  return counts;
}

// Joins layers that follow one another in both models.
void AddLayerRuns(const LayerCounts& layers, const std::map<LayerPlace, size_t>& all,
                  std::vector<SharedRun>& runs) {
  std::optional<SharedRun> run;
  for (const auto& [place, others] : layers) {
    const auto best = std::ranges::max_element(
        others, [](const auto& a, const auto& b) { return a.second < b.second; });
    const LayerPlace& other = best->first;
    const auto total = all.find(place);
    const size_t matrices = total == all.end() ? best->second : total->second;
    const auto& [stack, index] = place;
    const bool goes_on = run && run->stack == stack && run->end == index &&
                         run->other_stack == other.first &&
                         run->other_begin + (run->end - run->begin) == other.second;
    if (!goes_on) {
      if (run) runs.push_back(*std::move(run));
      run = SharedRun{.stack = stack,
                      .other_stack = other.first,
                      .begin = index,
                      .end = index,
                      .other_begin = other.second};
    }
    ++run->end;
    run->equal += best->second;
    run->all += matrices;
  }
  if (run) runs.push_back(*std::move(run));
}

SharedModel Describe(const Fingerprint& model, const Fingerprint& other,
                     const std::vector<std::pair<size_t, size_t>>& pairs) {
  SharedModel shared;
  LayerCounts layers;
  std::map<std::string, size_t> outside;
  std::set<size_t> equal;
  std::set<std::pair<size_t, size_t>> seen;
  for (const auto& [own, others] : pairs) {
    if (own >= model.weights.size() || others >= other.weights.size()) continue;
    if (!seen.emplace(own, others).second) continue;
    const WeightSummary& a = model.weights[own];
    const WeightSummary& b = other.weights[others];
    if (!Same(a, b)) continue;
    const bool first = equal.insert(own).second;
    if (a.role.layer && b.role.layer) {
      ++layers[{a.role.stack, *a.role.layer}][{b.role.stack, *b.role.layer}];
    } else if (first) {
      ++outside[RoleOf(a)];
    }
  }
  AddLayerRuns(layers, MatricesByLayer(model), shared.runs);
  for (const auto& [role, count] : outside) {
    shared.runs.push_back({.part = role, .equal = count, .all = count});
  }
  shared.equal = equal.size();
  double found = 0;
  double all = 0;
  for (size_t i = 0; i < model.weights.size(); ++i) {
    if (model.weights[i].is_vector) continue;
    all += ElementsOf(model.weights[i]);
    if (equal.contains(i)) found += ElementsOf(model.weights[i]);
  }
  shared.share = all == 0 ? 0 : found / all;
  return shared;
}

std::vector<PartHit> HitsByCount(const Hits& hits, const Fingerprint& model) {
  std::vector<PartHit> counted;
  for (const auto& [fingerprint, pairs] : hits.by_fingerprint) {
    std::set<size_t> weights;
    std::set<LayerPlace> layers;
    for (const auto& [own, other] : pairs) {
      weights.insert(own);
      const TensorRole& role = model.weights[own].role;
      if (role.layer) layers.insert({role.stack, *role.layer});
    }
    counted.push_back(
        {.fingerprint = fingerprint, .layers = layers.size(), .matrices = weights.size()});
  }
  std::ranges::stable_sort(
      counted, [](const PartHit& a, const PartHit& b) { return a.matrices > b.matrices; });
  return counted;
}

}  // namespace

Result<std::vector<PartHit>> FindPartHits(Registry& registry, const Fingerprint& model) {
  TG_ASSIGN(const auto hits, LookUp(registry, model));
  return HitsByCount(hits, model);
}

Result<SharedMatrices> FindSharedParts(Registry& registry, const Fingerprint& model,
                                       std::optional<int64_t> except) {
  TG_ASSIGN(const auto hits, LookUp(registry, model));
  SharedMatrices parts = {.matrices = hits.matrices, .too_common = hits.too_common};
  size_t confirmed = 0;
  for (const PartHit& hit : HitsByCount(hits, model)) {
    if (hit.fingerprint == except) continue;
    if (++confirmed > kMostConfirmed) break;
    TG_ASSIGN(const auto models, ModelsOfFingerprint(registry, hit.fingerprint));
    if (models.empty()) continue;
    TG_ASSIGN(const auto other, FingerprintOfModel(registry, models.front()));
    SharedModel shared = Describe(model, other, hits.by_fingerprint.at(hit.fingerprint));
    if (shared.equal == 0) continue;
    for (const ModelRecord& each : models) {
      shared.model = each;
      parts.models.push_back(shared);
    }
  }
  std::ranges::stable_sort(
      parts.models, [](const SharedModel& a, const SharedModel& b) { return a.share > b.share; });
  return parts;
}

Result<Duplicates> FindDuplicates(Registry& registry) {
  // By digest: who holds it, in the order of the table.
  struct Holder {
    int64_t fingerprint;
    size_t weight;
  };
  std::map<int64_t, std::vector<Holder>> holders;
  TG_TRY(registry.database().Query(
      "SELECT digest, fingerprint, weight FROM weight_digest WHERE digest IN "
      "(SELECT digest FROM weight_digest GROUP BY digest HAVING count(*) > 1) "
      "ORDER BY digest, fingerprint, weight",
      {}, [&](const Row& row) -> Result<void> {
        holders[row.Integer(0)].push_back({row.Integer(1), static_cast<size_t>(row.Integer(2))});
        return {};
      }));
  std::map<int64_t, Fingerprint> prints;
  std::map<int64_t, std::string> names;
  std::map<std::vector<int64_t>, DuplicateSet> sets;
  std::set<std::pair<int64_t, size_t>> counted;
  for (const auto& [digest, all] : holders) {
    std::set<int64_t> distinct;
    for (const Holder& each : all) distinct.insert(each.fingerprint);
    if (distinct.size() < 2) continue;
    const Holder& first = all.front();
    if (!counted.emplace(first.fingerprint, first.weight).second) continue;
    for (const int64_t fingerprint : distinct) {
      if (names.contains(fingerprint)) continue;
      TG_ASSIGN(const auto models, ModelsOfFingerprint(registry, fingerprint));
      names[fingerprint] = models.empty() ? "" : models.front().name;
      if (!prints.contains(first.fingerprint) && fingerprint == first.fingerprint &&
          !models.empty()) {
        TG_ASSIGN(auto print, FingerprintOfModel(registry, models.front()));
        prints.emplace(fingerprint, std::move(print));
      }
    }
    const auto print = prints.find(first.fingerprint);
    if (print == prints.end() || first.weight >= print->second.weights.size()) continue;
    DuplicateSet& set = sets[{distinct.begin(), distinct.end()}];
    if (set.models.empty()) {
      for (const int64_t fingerprint : distinct) set.models.push_back(names[fingerprint]);
    }
    ++set.matrices;
    set.saved_bytes += (distinct.size() - 1) * StoredBytesOf(print->second.weights[first.weight]);
  }
  Duplicates duplicates;
  for (auto& [key, set] : sets) {
    duplicates.saved_bytes += set.saved_bytes;
    duplicates.sets.push_back(std::move(set));
  }
  std::ranges::stable_sort(duplicates.sets, [](const DuplicateSet& a, const DuplicateSet& b) {
    return a.saved_bytes > b.saved_bytes;
  });
  return duplicates;
}

}  // namespace tensorguard::internal
