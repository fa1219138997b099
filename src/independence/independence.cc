#include "independence/independence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "base/read_progress.h"
#include "base/try.h"
#include "independence/combined_parts.h"
#include "independence/matching_rounds.h"
#include "independence/statistics/agreement.h"
#include "independence/units/feed_forward_units.h"
#include "independence/units/matched_heads.h"
#include "independence/units/matched_units.h"
#include "independence/weight_tests.h"

namespace tensorguard::internal {
namespace {

// Evidence beyond which the costlier parts are not asked: leaving a part out never lowers p.
constexpr double kDecidedLog10P = -15.0;

DeepTestPart NotNeeded(std::string_view name) {
  DeepTestPart part = NewPart(name);
  part.reason = "not needed: the parts before it are decisive";
  return part;
}

// Asks the parts in their order, those after the first two only while there is a doubt.
class PartRun {
 public:
  PartRun(const TestSubjects& subjects, const std::vector<TokenPair>& tokens,
          const std::function<void(std::string_view)>& on_part)
      : subjects_(subjects), tokens_(tokens), on_part_(on_part) {}

  Result<std::vector<DeepTestPart>> Run() && {
    if (auto asked = Ask(kSamePositions, [&] { return TestSamePositions(subjects_); }); !asked) {
      return asked.error();
    }
    for (const bool of_heads : {false, true}) {
      for (const Basis basis : {kCoordinates, kTokens, kOneLayer}) {
        TG_TRY(AskIn(basis, of_heads));
      }
    }
    return std::move(parts_);
  }

 private:
  enum Basis { kCoordinates, kTokens, kOneLayer };

  Result<void> AskIn(Basis basis, bool of_heads) {
    static constexpr std::string_view kUnits[] = {kMatchedCoordinates, kMatchedByTokens,
                                                  kMatchedByUnits};
    static constexpr std::string_view kHeads[] = {kHeadsInCoordinates, kHeadsByTokens,
                                                  kHeadsByUnits};
    const std::string_view name = of_heads ? kHeads[basis] : kUnits[basis];
    const bool always = basis == kCoordinates && !of_heads;
    if (!always && CombinedLog10P(parts_).value_or(0.0) <= kDecidedLog10P) {
      parts_.push_back(NotNeeded(name));
      return {};
    }
    return Ask(name, [&]() -> Result<DeepTestPart> {
      TG_ASSIGN(const auto maps, MapsOf(basis));
      return of_heads ? TestHeadsInMaps(subjects_, *maps, name)
                      : TestUnitsInMaps(subjects_, *maps, name);
    });
  }

  // Found when it is first asked for.
  Result<const MapsOrReason*> MapsOf(Basis basis) {
    std::optional<MapsOrReason>& maps = maps_[basis];
    if (!maps) {
      TG_ASSIGN(auto found, basis == kCoordinates ? MapsInSameCoordinates(subjects_)
                            : basis == kTokens    ? MapsFromSharedTokens(subjects_, tokens_)
                                                  : MapsFromOneLayer(subjects_));
      maps = std::move(found);
    }
    return &*maps;
  }

  Result<void> Ask(std::string_view name, const std::function<Result<DeepTestPart>()>& ask) {
    on_part_(name);
    TG_ASSIGN(auto part, ask());
    parts_.push_back(std::move(part));
    return {};
  }

  const TestSubjects& subjects_;
  const std::vector<TokenPair>& tokens_;
  const std::function<void(std::string_view)>& on_part_;
  std::array<std::optional<MapsOrReason>, 3> maps_ = {};
  std::vector<DeepTestPart> parts_ = {};
};

std::string MethodText() {
  return fmt::format(
      "smallest of p / share over the parts: {} (sign-flip test of neighbouring hidden units, "
      "share {}), and matched hidden units (agreement of separate matchings of gate, up and down "
      "rows) and matched attention heads (of both sides of their value-output and query-key forms) "
      "in the same coordinates, in a map from shared tokens and in a map from one layer's units "
      "(share {:.4f} each); of the order of units, unless confirmed without it, no more than 1 in "
      "1000 counts",
      kSamePositions, kShareOfSamePositions, kShareOfEachMatched);
}

std::vector<std::string> Assumptions() {
  return {
      "under independence two neighbouring hidden units of one network could as well have been "
      "exchanged: random initial weights and training steps that treat units alike, and no "
      "reordering of units by a criterion in both networks",
      fmt::format("for the matched parts: independently trained networks share at most {:.0f}% of "
                  "their hidden units, and of the channels of their heads, over all layers and "
                  "{:.0f}% in one layer",
                  100.0 * kAgreeingByNature, 100.0 * kAgreeingByNatureInOneLayer),
  };
}

std::vector<std::string> Limits() {
  return {
      "a small p-value says that the weights are not independent; derivation and a common "
      "initialisation both give it, and what the models compute tells them apart",
      "distillation from outputs leaves no trace in weights and counts as independent",
      "weights trained towards another model's can forge dependence",
      "a model whose feed-forward layers were all trained anew is recognised by its attention in "
      "the "
      "same basis or with tokens in common, and not otherwise",
      fmt::format(
          "only feed-forward weights, state-space mixers in layers without them, attention "
          "and embeddings are looked at; units are matched in a fixed selection: {} experts "
          "of a layer, {} pairs of blocks, {} units of a block against all of the other's, "
          "the heads of {} pairs of layers; of pairs {} where these show nothing",
          kBlocksPerLayer, kMatchedPairs, kMatchedUnits, kMatchedHeadLayers,
          kMostSimilarFirst + kSpreadFirst),
  };
}

// Exact numbers never fall to 0, which would claim more than a double can say.
double BoundedPValue(double log10_p) { return std::max(kSmallestPValue, std::pow(10.0, log10_p)); }

uint64_t BytesOf(const BlockList& blocks) {
  uint64_t bytes = 0;
  for (const auto& layer : blocks) {
    for (const FeedForwardBlock& block : layer) {
      bytes += sizeof(float) * block.up.rows * block.up.columns * (block.gate ? 3 : 2);
    }
  }
  return bytes;
}

// -1, 0 or 1 as the numbers of the first row of `a` come before, with or after those of `b`.
Result<int> CompareFirstRows(const Network& network_a, const Weight& a, const Network& network_b,
                             const Weight& b) {
  TG_ASSIGN(const auto row_a, ReadWeightRows(network_a.source(), a, 0, 1));
  TG_ASSIGN(const auto row_b, ReadWeightRows(network_b.source(), b, 0, 1));
  const auto values_a = row_a.values();
  const auto values_b = row_b.values();
  if (std::equal(values_a.begin(), values_a.end(), values_b.begin(), values_b.end())) return 0;
  return std::lexicographical_compare(values_a.begin(), values_a.end(), values_b.begin(),
                                      values_b.end())
             ? -1
             : 1;
}

// Whether the pair is tested the other way round: an order that does not depend on which network
// was named first, so that neither does the result.
Result<bool> TestedInReverse(const Network& a, const BlockList& blocks_a, const Network& b,
                             const BlockList& blocks_b) {
  const auto size_a = std::pair(a.description().hidden_size, blocks_a.size());
  const auto size_b = std::pair(b.description().hidden_size, blocks_b.size());
  if (size_a != size_b) return size_b < size_a;
  for (size_t layer = 0; layer < blocks_a.size(); ++layer) {
    if (blocks_a[layer].empty() || blocks_b[layer].empty()) continue;
    const auto order = CompareFirstRows(a, blocks_a[layer][0].up, b, blocks_b[layer][0].up);
    if (!order) return order.error();
    if (*order != 0) return *order > 0;
  }
  return false;
}

std::vector<TokenPair> Reversed(std::vector<TokenPair> tokens) {
  for (TokenPair& pair : tokens) std::swap(pair.a, pair.b);
  std::sort(tokens.begin(), tokens.end(), [](const TokenPair& x, const TokenPair& y) {
    return std::pair(x.a, x.b) < std::pair(y.a, y.b);
  });
  return tokens;
}

void NameTheOtherWayRound(std::vector<DeepTestPart>* parts) {
  for (DeepTestPart& part : *parts) {
    for (DeepTestLayer& layer : part.layers) {
      std::swap(layer.layer_a, layer.layer_b);
      std::swap(layer.expert_a, layer.expert_b);
    }
  }
}

bool HaveSameShape(const Network& a, const Network& b) {
  const auto units_of = [](const Network& network) {
    std::vector<std::vector<uint64_t>> units;
    for (const auto& layer : ListFeedForwardBlocks(network)) {
      units.emplace_back();
      for (const FeedForwardBlock& block : layer) units.back().push_back(block.units());
    }
    return units;
  };
  return a.description().hidden_size == b.description().hidden_size && units_of(a) == units_of(b);
}

Result<std::vector<DeepTestPart>> RunInFixedOrder(const Network& a, const Network& b,
                                                  const std::vector<TokenPair>& tokens,
                                                  const DeepTestOptions& options) {
  const BlockList blocks_a = ListFeedForwardBlocks(a);
  const BlockList blocks_b = ListFeedForwardBlocks(b);
  TG_ASSIGN(const auto reverse, TestedInReverse(a, blocks_a, b, blocks_b));
  // Each part counts as one reading of all blocks.
  const uint64_t bytes_per_part = BytesOf(blocks_a) + BytesOf(blocks_b);
  const uint64_t bytes_of_all = kPartNames.size() * bytes_per_part;
  ReadProgress progress(options.on_progress, bytes_of_all);
  const Network& first = reverse ? b : a;
  const Network& second = reverse ? a : b;
  UnitReaders readers_first(first, options.threads);
  UnitReaders readers_second(second, options.threads);
  const TestSubjects subjects{.network_a = first,
                              .network_b = second,
                              .readers_a = readers_first,
                              .readers_b = readers_second,
                              .blocks_a = reverse ? blocks_b : blocks_a,
                              .blocks_b = reverse ? blocks_a : blocks_b,
                              .threads = options.threads,
                              .seed = options.seed,
                              .on_read = [&progress](uint64_t bytes) { progress.Add(bytes); }};
  const std::vector<TokenPair> in_order = reverse ? Reversed(tokens) : tokens;
  uint64_t parts_started = 0;
  const std::function<void(std::string_view)> on_part = [&](std::string_view name) {
    progress.Start(name);
    progress.SkipTo(parts_started++ * bytes_per_part);
  };
  auto parts = PartRun(subjects, in_order, on_part).Run();
  progress.SkipTo(bytes_of_all);
  if (parts && reverse) NameTheOtherWayRound(&*parts);
  return parts;
}

}  // namespace

Result<DeepTest> TestIndependence(const Network& a, const Network& b,
                                  const std::vector<TokenPair>& tokens,
                                  const DeepTestOptions& options) {
  TG_ASSIGN(auto parts, RunInFixedOrder(a, b, tokens, options));
  DeepTest test{.log10_p = CombinedLog10P(parts),
                .p_value = {},
                .method = MethodText(),
                .parts = std::move(parts),
                .assumptions = Assumptions(),
                .limits = Limits(),
                .same_shape = HaveSameShape(a, b)};
  if (test.log10_p) test.p_value = BoundedPValue(*test.log10_p);
  return test;
}

}  // namespace tensorguard::internal
