#include "independence/weight_tests.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <string>
#include <utility>

#include "base/parallel.h"
#include "base/random_bits.h"
#include "base/try.h"
#include "independence/matching_rounds.h"
#include "independence/statistics/agreement.h"
#include "independence/statistics/sign_flips.h"
#include "independence/stream/neighbour_contrasts.h"
#include "independence/stream/order_check.h"
#include "independence/units/maps_from_units.h"
#include "independence/units/matched_heads.h"
#include "independence/units/matched_units.h"

namespace tensorguard::internal {
namespace {

// Independent streams of random bits, by purpose.
enum SeedStream : uint64_t { kSignStream, kMatchStream, kProjectionStream };

uint64_t StreamSeed(const TestSubjects& subjects, SeedStream stream) {
  return RandomBits(subjects.seed, stream);
}

DeepTestPart NotAsked(std::string_view name, std::string reason) {
  DeepTestPart part = NewPart(name);
  part.reason = std::move(reason);
  return part;
}

uint64_t Bytes(const FeedForwardBlock& block) {
  return sizeof(float) * block.up.rows * block.up.columns * (block.gate ? 3 : 2);
}

struct ReaderPair {
  const UnitReader& a;
  const UnitReader& b;
};

Result<ReaderPair> OpenPair(const TestSubjects& subjects, const BlockPair& pair) {
  TG_ASSIGN(const auto a, subjects.readers_a.Of(pair.a));
  TG_ASSIGN(const auto b, subjects.readers_b.Of(pair.b));
  return ReaderPair{.a = *a, .b = *b};
}

// Pairs of neighbours that one thread reads and compares at a time.
constexpr uint64_t kNeighboursPerTask = 128;

// NeighbourContrasts of two blocks, some units at a time: contrasts of neighbours follow from these
// alone.
Result<std::vector<NeighbourContrast>> ReadContrasts(const TestSubjects& subjects,
                                                     const BlockPair& pair) {
  TG_ASSIGN(const auto readers, OpenPair(subjects, pair));
  const uint64_t neighbours = std::min(readers.a.units(), readers.b.units()) / 2;
  std::vector<NeighbourContrast> contrasts(neighbours);
  const size_t tasks = (neighbours + kNeighboursPerTask - 1) / kNeighboursPerTask;
  const auto done = ParallelFor(tasks, subjects.threads, [&](size_t task) -> Result<void> {
    const uint64_t first = task * kNeighboursPerTask;
    const uint64_t count = std::min(kNeighboursPerTask, neighbours - first);
    TG_ASSIGN(const auto a, readers.a.ReadAll(2 * first, 2 * count));
    TG_ASSIGN(const auto b, readers.b.ReadAll(2 * first, 2 * count));
    const auto found = NeighbourContrasts(a, b);
    std::copy(found.begin(), found.end(), contrasts.begin() + static_cast<std::ptrdiff_t>(first));
    return {};
  });
  if (!done) return done.error();
  subjects.on_read(Bytes(pair.a) + Bytes(pair.b));
  return contrasts;
}

DeepTestLayer LayerOf(const BlockPair& pair) {
  return {.layer_a = pair.a.layer,
          .layer_b = pair.b.layer,
          .expert_a = pair.a.expert,
          .expert_b = pair.b.expert};
}

Result<std::vector<BlockPair>> PairInSameCoordinates(const TestSubjects& subjects) {
  if (HaveEqualLayout(subjects.blocks_a, subjects.blocks_b)) {
    return PairByPosition(subjects.blocks_a, subjects.blocks_b);
  }
  const ResidualMaps maps = SameCoordinates(subjects.network_a.description().hidden_size,
                                            subjects.network_b.description().hidden_size,
                                            StreamSeed(subjects, kProjectionStream));
  return PairBySimilarity(subjects.readers_a, subjects.blocks_a, subjects.readers_b,
                          subjects.blocks_b, maps, {.threads = subjects.threads});
}

DeepTestLayer ContrastLayer(const BlockPair& pair,
                            const std::vector<NeighbourContrast>& contrasts) {
  DeepTestLayer layer = LayerOf(pair);
  double sum = 0.0;
  double total = 0.0;
  double cosines = 0.0;
  for (const NeighbourContrast& contrast : contrasts) {
    if (contrast.value == 0.0) continue;
    ++layer.units;
    sum += contrast.value;
    total += std::abs(contrast.value);
    cosines += contrast.value / contrast.largest;
  }
  if (total > 0.0) {
    layer.effect = sum / total;
    layer.contrast = cosines / static_cast<double>(layer.units);
  }
  return layer;
}

// Over all pairs. Empty where no block of one has the width of the other's.
Result<std::optional<OrderCheck>> CheckOrderOf(const TestSubjects& subjects,
                                               const std::vector<BlockPair>& pairs) {
  std::optional<OrderCheck> all;
  for (const BlockPair& pair : pairs) {
    TG_ASSIGN(const auto readers, OpenPair(subjects, pair));
    if (readers.a.hidden() != readers.b.hidden()) continue;
    TG_ASSIGN(const auto check, CheckOrder(readers.a, readers.b, subjects.threads));
    all = Pooled(all.value_or(OrderCheck{}), check);
  }
  return all;
}

// The pairs with the largest similarity, in the order in which they came.
std::vector<BlockPair> MostSimilar(std::vector<BlockPair> pairs) {
  if (pairs.size() <= kMatchedPairs) return pairs;
  std::vector<double> similarities;
  for (const BlockPair& pair : pairs) similarities.push_back(pair.similarity);
  std::nth_element(similarities.begin(), similarities.begin() + (kMatchedPairs - 1),
                   similarities.end(), std::greater<>());
  const double least = similarities[kMatchedPairs - 1];
  std::erase_if(pairs, [&](const BlockPair& pair) { return pair.similarity < least; });
  pairs.resize(kMatchedPairs);
  return pairs;
}

// Layers with a block, in order.
std::vector<size_t> LayersWithBlocks(const BlockList& blocks) {
  std::vector<size_t> layers;
  for (size_t layer = 0; layer < blocks.size(); ++layer) {
    if (!blocks[layer].empty()) layers.push_back(layer);
  }
  return layers;
}

bool CanBeFitted(const FeedForwardBlock& block) {
  return block.units() <= kFittedUnits && block.up.columns <= kFittedWidth;
}

struct LayerFit {
  UnitFit fit;
  size_t layer_a = 0;
  size_t layer_b = 0;
};

// The best fit among the first, the middle and the last layers of both. Empty where none of their
// blocks can be fitted.
Result<std::optional<LayerFit>> FitOneLayer(const TestSubjects& subjects,
                                            const std::vector<size_t>& layers_a,
                                            const std::vector<size_t>& layers_b) {
  std::optional<LayerFit> best;
  for (const size_t third : {0, 1, 2}) {
    const size_t layer_a = layers_a[third * (layers_a.size() - 1) / 2];
    const size_t layer_b = layers_b[third * (layers_b.size() - 1) / 2];
    const BlockPair pair{.a = subjects.blocks_a[layer_a][0], .b = subjects.blocks_b[layer_b][0]};
    if (!CanBeFitted(pair.a) || !CanBeFitted(pair.b)) continue;
    if (pair.a.gate.has_value() != pair.b.gate.has_value()) continue;
    TG_ASSIGN(const auto a, ReadUnitVectors(subjects.network_a, pair.a));
    TG_ASSIGN(const auto b, ReadUnitVectors(subjects.network_b, pair.b));
    auto fit = FitUnits(a, b, StreamSeed(subjects, kProjectionStream), subjects.threads);
    if (fit && (!best || fit->cosine > best->fit.cosine)) {
      best = {.fit = *std::move(fit), .layer_a = layer_a, .layer_b = layer_b};
    }
  }
  return best;
}

}  // namespace

DeepTestLayer WithLargestAgreement(DeepTestLayer layer, const std::vector<Agreement>& agreements) {
  for (const Agreement& agreement : agreements) {
    const double fraction =
        static_cast<double>(agreement.agreeing) / static_cast<double>(agreement.units);
    if (!layer.matrices.empty() && fraction <= layer.effect) continue;
    layer.units = agreement.units;
    layer.effect = fraction;
    layer.matrices = agreement.matrices;
  }
  return layer;
}

Result<DeepTestPart> TestSamePositions(const TestSubjects& subjects) {
  TG_ASSIGN(const auto pairs, PairInSameCoordinates(subjects));
  DeepTestPart part = NewPart(kSamePositions);
  std::vector<double> all_contrasts;
  uint64_t coins = 0;
  for (const BlockPair& pair : pairs) {
    TG_ASSIGN(const auto contrasts, ReadContrasts(subjects, pair));
    for (const NeighbourContrast& contrast : contrasts) all_contrasts.push_back(contrast.value);
    part.layers.push_back(ContrastLayer(pair, contrasts));
    coins += part.layers.back().units;
  }
  if (pairs.empty()) return NotAsked(kSamePositions, "no two layers have hidden units to compare");
  if (coins == 0) return NotAsked(kSamePositions, "no two neighbouring units differ in both");
  part.log10_p =
      TestSignFlips(all_contrasts, StreamSeed(subjects, kSignStream), subjects.threads).log_p /
      std::numbers::ln10;
  if (*part.log10_p > kUncheckedOrderLog10P) return part;
  TG_ASSIGN(auto order, CheckOrderOf(subjects, pairs));
  part.order = order;
  return part;
}

Result<DeepTestPart> TestMatchedUnits(const TestSubjects& subjects, const ResidualMaps& maps,
                                      std::string_view name) {
  TG_ASSIGN(auto aligned,
            PairBySimilarity(subjects.readers_a, subjects.blocks_a, subjects.readers_b,
                             subjects.blocks_b, maps, {.threads = subjects.threads}));
  const std::vector<BlockPair> pairs = MostSimilar(std::move(aligned));
  std::vector<double> similarities;
  for (const BlockPair& pair : pairs) similarities.push_back(pair.similarity);
  const auto matched = MatchInRounds(similarities, [&](size_t i) -> Result<std::vector<Agreement>> {
    TG_ASSIGN(const auto readers, OpenPair(subjects, pairs[i]));
    auto agreements = MatchUnits(
        readers.a, readers.b, maps,
        {.seed = RandomBits(StreamSeed(subjects, kMatchStream), i), .threads = subjects.threads});
    subjects.on_read(Bytes(pairs[i].a) + Bytes(pairs[i].b));
    return agreements;
  });
  if (!matched) return matched.error();
  DeepTestPart part = NewPart(name);
  std::vector<Agreement> all_agreements;
  for (const MatchedPair& each : *matched) {
    all_agreements.insert(all_agreements.end(), each.agreements.begin(), each.agreements.end());
    part.layers.push_back(WithLargestAgreement(LayerOf(pairs[each.pair]), each.agreements));
  }
  if (all_agreements.empty()) return NotAsked(part.name, "no block has units that differ");
  part.log10_p = LogAgreementP(all_agreements) / std::numbers::ln10;
  return part;
}

Result<MapsOrReason> MapsInSameCoordinates(const TestSubjects& subjects) {
  const uint64_t hidden_a = subjects.network_a.description().hidden_size;
  const uint64_t hidden_b = subjects.network_b.description().hidden_size;
  if (hidden_a != hidden_b) return MapsOrReason{.reason = "the hidden widths differ"};
  return MapsOrReason{
      .maps = SameCoordinates(hidden_a, hidden_b, StreamSeed(subjects, kProjectionStream))};
}

Result<MapsOrReason> MapsFromSharedTokens(const TestSubjects& subjects,
                                          const std::vector<TokenPair>& tokens) {
  TG_ASSIGN(auto maps, MapsFromTokens(subjects.network_a, subjects.network_b, tokens,
                                      StreamSeed(subjects, kProjectionStream), subjects.threads));
  if (!maps.has_value()) {
    return MapsOrReason{.reason = "too few tokens in common whose embeddings differ"};
  }
  return MapsOrReason{.maps = *std::move(maps)};
}

Result<MapsOrReason> MapsFromOneLayer(const TestSubjects& subjects) {
  const auto layers_a = LayersWithBlocks(subjects.blocks_a);
  const auto layers_b = LayersWithBlocks(subjects.blocks_b);
  if (layers_a.size() < 2 || layers_b.size() < 2) {
    return MapsOrReason{.reason = "needs two layers: one to fit, another to test"};
  }
  TG_ASSIGN(auto best, FitOneLayer(subjects, layers_a, layers_b));
  if (!best.has_value()) {
    return MapsOrReason{.reason = "the blocks are too large, or of different kinds, to fit"};
  }
  return MapsOrReason{.maps = std::move(best->fit.maps),
                      .fitted = std::pair(best->layer_a, best->layer_b)};
}

Result<DeepTestPart> TestUnitsInMaps(const TestSubjects& subjects, const MapsOrReason& found,
                                     std::string_view name) {
  if (!found.maps) return NotAsked(name, found.reason);
  if (!found.fitted) return TestMatchedUnits(subjects, *found.maps, name);
  TestSubjects held_out = subjects;
  held_out.blocks_a[found.fitted->first].clear();
  held_out.blocks_b[found.fitted->second].clear();
  return TestMatchedUnits(held_out, *found.maps, name);
}

Result<DeepTestPart> TestHeadsInMaps(const TestSubjects& subjects, const MapsOrReason& found,
                                     std::string_view name) {
  if (!found.maps) return NotAsked(name, found.reason);
  return TestMatchedHeads(subjects, *found.maps, name);
}

}  // namespace tensorguard::internal
