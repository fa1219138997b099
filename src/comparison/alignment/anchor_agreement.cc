#include "comparison/alignment/anchor_agreement.h"

#include <span>
#include <vector>

#include "comparison/alignment/sketch_products.h"

namespace tensorguard::internal {
namespace {

std::vector<float> OffDiagonal(const FloatMatrix& gram, std::span<const size_t> anchors) {
  std::vector<float> values;
  values.reserve(anchors.size() * anchors.size());
  for (const size_t row : anchors) {
    for (const size_t column : anchors) {
      if (row != column) values.push_back(gram.Row(row)[column]);
    }
  }
  return values;
}

}  // namespace

std::optional<double> AnchorAgreement(const Fingerprint& a, const Fingerprint& b,
                                      const CommonAnchors& anchors) {
  if (!anchors.obstacle.empty() || a.output_gram.rows() == 0 || b.output_gram.rows() == 0) {
    return std::nullopt;
  }
  const SketchProducts products = ProductsOf(OffDiagonal(a.output_gram, anchors.in_a),
                                             OffDiagonal(b.output_gram, anchors.in_b));
  if (products.aa == 0 || products.bb == 0) return std::nullopt;
  return CosineOf(products);
}

}  // namespace tensorguard::internal
