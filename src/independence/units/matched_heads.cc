#include "independence/units/matched_heads.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "base/random_bits.h"
#include "base/try.h"
#include "independence/combined_parts.h"
#include "independence/matching_rounds.h"
#include "independence/statistics/agreement.h"
#include "independence/units/head_channels.h"
#include "independence/units/matched_units.h"
#include "numerics/linear_assignment.h"

namespace tensorguard::internal {
namespace {

// Width in which value forms are compared: the cosine of unrelated ones is then about 1/64.
constexpr arma::uword kFormWidth = 64;

// Streams of random bits that no other part uses.
enum SeedStream : uint64_t { kFormStream = 100, kChannelStream };

// Random directions of the shared space, behind the map of one network.
arma::fmat FormMap(const arma::fmat& map, uint64_t seed) {
  arma::fmat signs(map.n_cols, kFormWidth);
  for (arma::uword i = 0; i < signs.n_elem; ++i) {
    signs[i] = (RandomBits(seed, i) & 1) != 0 ? 1.0f : -1.0f;
  }
  return map * signs;
}

struct LayerForm {
  size_t layer = 0;
  arma::fmat form;  // at unit length
};

// Of the layers that have attention.
Result<std::vector<LayerForm>> ReadForms(const Network& network, const arma::fmat& map,
                                         unsigned threads) {
  std::vector<LayerForm> forms;
  for (size_t layer = 0; layer < network.description().layers.size(); ++layer) {
    TG_ASSIGN(auto form, ReadValueForm(network, layer, map, threads));
    if (!form) continue;
    const float largest = arma::abs(*form).max();
    if (!(largest > 0.0f) || !std::isfinite(largest)) continue;
    *form /= largest;
    *form /= arma::norm(*form, "fro");
    forms.push_back({.layer = layer, .form = *std::move(form)});
  }
  return forms;
}

struct LayerPair {
  size_t layer_a = 0;
  size_t layer_b = 0;
  float cosine = 0.0f;
};

// The most alike pairs of the assignment, in the order of `few`.
std::vector<LayerPair> AssignLayers(const std::vector<LayerForm>& few,
                                    const std::vector<LayerForm>& many) {
  FloatMatrix costs(few.size(), many.size());
  for (size_t i = 0; i < few.size(); ++i) {
    for (size_t j = 0; j < many.size(); ++j) {
      costs.Row(i)[j] = -static_cast<float>(arma::accu(few[i].form % many[j].form));
    }
  }
  const std::vector<uint32_t> assigned =
      AssignColumns({.values = costs.values(), .columns = costs.columns()});
  std::vector<LayerPair> pairs;
  for (size_t i = 0; i < few.size(); ++i) {
    pairs.push_back({few[i].layer, many[assigned[i]].layer, -costs.Row(i)[assigned[i]]});
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const LayerPair& x, const LayerPair& y) { return x.cosine > y.cosine; });
  if (pairs.size() > kMatchedHeadLayers) pairs.resize(kMatchedHeadLayers);
  std::sort(pairs.begin(), pairs.end(),
            [](const LayerPair& x, const LayerPair& y) { return x.layer_a < y.layer_a; });
  return pairs;
}

Result<std::vector<LayerPair>> PairLayers(const TestSubjects& subjects, const ResidualMaps& maps) {
  const uint64_t seed = RandomBits(subjects.seed, kFormStream);
  TG_ASSIGN(const auto a, ReadForms(subjects.network_a, FormMap(maps.a, seed), subjects.threads));
  TG_ASSIGN(const auto b, ReadForms(subjects.network_b, FormMap(maps.b, seed), subjects.threads));
  if (a.empty() || b.empty()) return std::vector<LayerPair>();
  if (a.size() <= b.size()) return AssignLayers(a, b);
  auto pairs = AssignLayers(b, a);
  for (LayerPair& pair : pairs) std::swap(pair.layer_a, pair.layer_b);
  return pairs;
}

// Of the value forms and of the score forms; none where either model's layer has no channels.
Result<std::vector<Agreement>> MatchHeads(const TestSubjects& subjects, const LayerPair& pair,
                                          const ResidualMaps& maps, uint64_t seed) {
  TG_ASSIGN(const auto a, ReadHeadChannels(subjects.network_a, pair.layer_a, subjects.threads));
  TG_ASSIGN(const auto b, ReadHeadChannels(subjects.network_b, pair.layer_b, subjects.threads));
  std::vector<Agreement> all;
  if (!a || !b) return all;
  const auto match = [&](const UnitVectors& of_a, const UnitVectors& of_b, uint64_t stream,
                         std::string_view name) {
    for (Agreement agreement : MatchUnits(
             of_a, of_b, maps,
             {.seed = RandomBits(seed, stream), .threads = subjects.threads, .any_sign = true})) {
      agreement.matrices = name;
      all.push_back(agreement);
    }
  };
  match(a->values, b->values, 0, "value and output");
  match(a->scores, b->scores, 1, "query and key");
  return all;
}

}  // namespace

Result<DeepTestPart> TestMatchedHeads(const TestSubjects& subjects, const ResidualMaps& maps,
                                      std::string_view name) {
  TG_ASSIGN(const auto pairs, PairLayers(subjects, maps));
  std::vector<double> similarities;
  for (const LayerPair& pair : pairs) similarities.push_back(static_cast<double>(pair.cosine));
  const uint64_t stream = RandomBits(subjects.seed, kChannelStream);
  const auto matched = MatchInRounds(similarities, [&](size_t i) {
    return MatchHeads(subjects, pairs[i], maps, RandomBits(stream, i));
  });
  if (!matched) return matched.error();
  DeepTestPart part = NewPart(name);
  std::vector<Agreement> all;
  for (const MatchedPair& each : *matched) {
    const LayerPair& pair = pairs[each.pair];
    all.insert(all.end(), each.agreements.begin(), each.agreements.end());
    part.layers.push_back(
        WithLargestAgreement({.layer_a = pair.layer_a, .layer_b = pair.layer_b}, each.agreements));
  }
  if (all.empty()) {
    part.reason = "no two layers have attention heads with matrices of their own to compare";
    return part;
  }
  part.log10_p = LogAgreementP(all) / std::numbers::ln10;
  return part;
}

}  // namespace tensorguard::internal
