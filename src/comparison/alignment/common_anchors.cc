#include "comparison/alignment/common_anchors.h"

#include <fmt/format.h>

#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

Error VersionMismatch(const Fingerprint& a, const Fingerprint& b) {
  return {.kind = ErrorKind::kMismatch,
          .problem = fmt::format("the fingerprints of {} and {} use different anchor lists",
                                 a.model_name, b.model_name),
          .found = fmt::format("versions {} and {}", a.anchor_list_version, b.anchor_list_version),
          .expected = "the same version",
          .advice = "make both fingerprints with the same version of tensorguard"};
}

// Why anchors of these two kinds do not name the same things; empty if they do.
std::string KindObstacle(const Fingerprint& a, const Fingerprint& b) {
  for (const Fingerprint* model : {&a, &b}) {
    if (!model->anchors.empty()) continue;
    return fmt::format("{} has no token embedding", model->model_name);
  }
  if (a.anchor_kind != b.anchor_kind) {
    const auto& without = a.anchor_kind == AnchorKind::kRows ? a : b;
    return fmt::format("{} has no tokenizer, the other model has one", without.model_name);
  }
  if (a.anchor_kind == AnchorKind::kRows && a.vocabulary_size != b.vocabulary_size) {
    return fmt::format("neither model has a tokenizer, and their vocabularies differ: {} and {}",
                       a.vocabulary_size, b.vocabulary_size);
  }
  return {};
}

}  // namespace

Result<CommonAnchors> FindCommonAnchors(const Fingerprint& a, const Fingerprint& b) {
  CommonAnchors common;
  common.obstacle = KindObstacle(a, b);
  if (!common.obstacle.empty()) return common;
  if (a.anchor_kind == AnchorKind::kTokens && a.anchor_list_version != b.anchor_list_version) {
    return VersionMismatch(a, b);
  }
  size_t i = 0;
  size_t j = 0;
  while (i < a.anchors.size() && j < b.anchors.size()) {
    if (a.anchors[i] == b.anchors[j]) {
      common.in_a.push_back(i++);
      common.in_b.push_back(j++);
    } else if (a.anchors[i] < b.anchors[j]) {
      ++i;
    } else {
      ++j;
    }
  }
  if (common.in_a.size() < kFewestAnchors) {
    common.obstacle = fmt::format("the tokenizers share {} anchors, fewer than the {} needed",
                                  common.in_a.size(), kFewestAnchors);
  }
  return common;
}

}  // namespace tensorguard::internal
