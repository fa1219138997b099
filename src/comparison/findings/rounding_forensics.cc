#include "comparison/findings/rounding_forensics.h"

#include <iterator>
#include <optional>
#include <utility>

#include "comparison/findings/grid_forensics.h"
#include "comparison/findings/zero_forensics.h"

namespace tensorguard::internal {
namespace {

void FindIn(const Fingerprint& model, const Fingerprint& other, Side side,
            std::vector<Finding>& findings) {
  const auto add = [&](std::optional<Finding> finding) {
    if (finding) findings.push_back(std::move(*finding));
  };
  add(FindGrid(model, other, side));
  // Zeros among codes are the quantiser's.
  if (!IsStoredQuantised(model)) add(FindPruned(model, other, side));
  auto blocks = FindZeroBlocks(model, other, side);
  findings.insert(findings.end(), std::make_move_iterator(blocks.begin()),
                  std::make_move_iterator(blocks.end()));
}

}  // namespace

std::vector<Finding> FindRounding(const Fingerprint& a, const Fingerprint& b) {
  std::vector<Finding> findings;
  FindIn(a, b, Side::kA, findings);
  FindIn(b, a, Side::kB, findings);
  return findings;
}

}  // namespace tensorguard::internal
