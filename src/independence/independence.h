// The deep test: whether two networks' weights come from independent random initial weights, with
// a p-value.
#ifndef TENSORGUARD_INDEPENDENCE_INDEPENDENCE_H_
#define TENSORGUARD_INDEPENDENCE_INDEPENDENCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "independence/stream/order_check.h"
#include "independence/stream/shared_tokens.h"
#include "network/network.h"
#include "tensorguard/progress.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What one part of the test found in two layers (or experts of them).
struct DeepTestLayer {
  size_t layer_a = 0;  // in NetworkDescription::layers
  size_t layer_b = 0;
  std::optional<uint32_t> expert_a = {};
  std::optional<uint32_t> expert_b = {};
  uint64_t units = 0;  // neighbour pairs with a contrast, or units matched
  // Same positions: the sum of the contrasts over the sum of their magnitudes, -1 to 1; a positive
  // one leans to "in place". Matched units: the agreeing fraction, 0 to 1, of the two matrices that
  // agree most.
  double effect = 0.0;
  // Same positions: mean cosine of the contrasts, that is the share of its largest value that each
  // has; 0 for independent units, 1 for equal ones.
  double contrast = 0.0;
  std::string matrices = {};  // of matched units: "gate and up", ...
};

// What a part rests on.
enum class PartKind {
  kOrder,       // the order of units, which whoever made the file can choose
  kSameBasis,   // units or heads as they stand, in any order
  kOtherBasis,  // units or heads in a map between the residual streams
};

// One way to ask, with its own p-value, before the correction for asking in several ways.
struct DeepTestPart {
  std::string name;  // "same positions", "matched units, ..."
  PartKind kind = PartKind::kOrder;
  bool of_heads = false;               // attention's, not feed-forwards'
  std::optional<double> log10_p = {};  // empty where it could not be asked
  std::string reason = {};             // then: why not
  std::vector<DeepTestLayer> layers = {};
  // Same positions, where the p-value is small and the layouts are equal: whether the order of
  // units alone can explain it.
  std::optional<OrderCheck> order = {};
};

struct DeepTest {
  // Base-10 logarithm of the p-value over all parts; empty where no part could be asked. Of a part
  // that orders of units can forge no more than 1 in 1000 counts, unless the same basis is
  // confirmed without the order.
  std::optional<double> log10_p;
  // 10^log10_p, but never below kSmallestPValue.
  std::optional<double> p_value;
  std::string method;                    // in words, with the parts' weights
  std::vector<DeepTestPart> parts;       // the same ones, always
  std::vector<std::string> assumptions;  // what the p-value rests on
  std::vector<std::string> limits;       // what it does not say
  // Both have one width, as many layers and as many hidden units in each.
  bool same_shape = false;
};

inline constexpr double kSmallestPValue = 1e-300;

struct DeepTestOptions {
  unsigned threads = 0;               // 0: one per processor; the result does not depend on it
  uint64_t seed = 0;                  // of the sign patterns and of what breaks ties
  ProgressCallback on_progress = {};  // `what` is the part under way; bytes of weights read
};

// Tests the null hypothesis that the two networks were trained from independent random initial
// weights: also where one was trained on the other's outputs (distillation), on the same data, or
// with the same tokenizer. Under it P(p <= x) <= x. A small p says that weights were shared, by
// derivation or by the same initial weights; which of the two, only functions tell (the response
// kernels). Reads feed-forward weights and embeddings, some units at a time, so that memory follows
// the hidden width and the units of one block, not the size of a matrix or a model. The result is
// the same for any number of threads, and for (b, a) but for which layer is named first.
//
// `tokens`: ids that mean the same in both (TokensWithEqualText), for models whose residual stream
// was rotated or permuted; may be empty. REQUIRES: ids below the vocabulary sizes.
// Method: docs/independence.md; Zhu et al., Independence Tests for Language Models (ICML 2025).
// Errors: those of ReadWeight (kBadFile, naming the tensor, for a number that is not finite),
// InputRows, OutputRows and FeedForwardInput.
Result<DeepTest> TestIndependence(const Network& a, const Network& b,
                                  const std::vector<TokenPair>& tokens,
                                  const DeepTestOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_INDEPENDENCE_H_
