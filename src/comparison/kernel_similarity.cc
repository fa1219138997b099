#include "comparison/kernel_similarity.h"

#include <armadillo>

#include "comparison/thresholds.h"

namespace tensorguard {
namespace {

// Of what a kernel was before: below it, what is left is rounding.
constexpr double kNothingLeft = 1e-4;
// Below this a Gram adds no direction to those before it (with tied embeddings all four are one).
constexpr double kSameGram = 1e-5;

const FloatMatrix& KernelOf(const LayerResponse& layer, ResponseKind kind) {
  switch (kind) {
    case ResponseKind::kQueryKey:
      return layer.query_key;
    case ResponseKind::kOutputValue:
      return layer.output_value;
    case ResponseKind::kFeedForward:
      break;
  }
  return layer.feed_forward;
}

// Centring over the stored anchors and then over a part of them is centring over the part.
arma::mat CentredBlock(const FloatMatrix& stored, std::span<const size_t> anchors) {
  const size_t n = anchors.size();
  arma::mat block(n, n);
  for (size_t row = 0; row < n; ++row) {
    const auto values = stored.Row(anchors[row]);
    for (size_t column = 0; column < n; ++column) block(row, column) = values[anchors[column]];
  }
  block.each_row() -= arma::mean(block, 0);
  block.each_col() -= arma::mean(block, 1);
  return block;
}

// Orthonormal columns that span the model's Grams (modified Gram-Schmidt).
arma::mat GramBasis(const FullFingerprint& fingerprint, std::span<const size_t> anchors) {
  const arma::mat cross = CentredBlock(fingerprint.cross_gram, anchors);
  const std::array<arma::mat, 4> grams = {CentredBlock(fingerprint.input_gram, anchors),
                                          CentredBlock(fingerprint.output_gram, anchors), cross,
                                          cross.t()};
  arma::mat basis(anchors.size() * anchors.size(), 0);
  for (const arma::mat& gram : grams) {
    const double norm = arma::norm(gram, "fro");
    if (norm == 0) continue;
    arma::vec direction = arma::vectorise(gram) / norm;
    for (int pass = 0; pass < 2; ++pass) direction -= basis * (basis.t() * direction);
    const double left = arma::norm(direction);
    if (left > kSameGram) basis.insert_cols(basis.n_cols, direction / left);
  }
  return basis;
}

void ScaleToUnitRows(arma::mat& kernel) {
  for (arma::uword row = 0; row < kernel.n_rows; ++row) {
    const double norm = arma::norm(kernel.row(row));
    if (norm > 0) kernel.row(row) /= norm;
  }
}

std::optional<arma::vec> NormaliseOne(const FloatMatrix& stored, std::span<const size_t> anchors,
                                      const arma::mat& basis) {
  if (stored.rows() == 0) return std::nullopt;
  const arma::mat block = CentredBlock(stored, anchors);
  const double before = arma::norm(block, "fro");
  arma::vec kernel = arma::vectorise(block);
  kernel -= basis * (basis.t() * kernel);
  if (arma::norm(kernel) <= kNothingLeft * before) return std::nullopt;
  arma::mat scaled = arma::reshape(kernel, anchors.size(), anchors.size());
  for (int pass = 0; pass < 2; ++pass) {
    ScaleToUnitRows(scaled);
    arma::inplace_trans(scaled);
    ScaleToUnitRows(scaled);
    arma::inplace_trans(scaled);
  }
  return arma::normalise(arma::vectorise(scaled));
}

// `units` holds a column per layer. From each, what it shares with the mean of the others is taken;
// copies of the layer itself do not count as others.
arma::mat WithoutCommonPart(const arma::mat& units) {
  const arma::mat cosines = units.t() * units;
  arma::mat own = units;
  for (arma::uword layer = 0; layer < units.n_cols; ++layer) {
    arma::vec others(units.n_rows, arma::fill::zeros);
    for (arma::uword other = 0; other < units.n_cols; ++other) {
      if (cosines(layer, other) < kCopiedLayerCosine) others += units.col(other);
    }
    const double energy = arma::dot(others, others);
    if (energy <= kNothingLeft * kNothingLeft) continue;
    const arma::vec rest =
        units.col(layer) - others * (arma::dot(units.col(layer), others) / energy);
    const double norm = arma::norm(rest);
    if (norm > kNothingLeft) own.col(layer) = rest / norm;
  }
  return own;
}

struct KernelColumns {
  arma::mat units;             // a column per layer that has the kernel
  std::vector<size_t> layers;  // parallel: index in FullFingerprint::layers
};

KernelColumns NormaliseKind(const FullFingerprint& fingerprint, ResponseKind kind,
                            std::span<const size_t> anchors, const arma::mat& basis) {
  KernelColumns columns;
  columns.units.set_size(anchors.size() * anchors.size(), fingerprint.layers.size());
  for (size_t layer = 0; layer < fingerprint.layers.size(); ++layer) {
    const auto unit = NormaliseOne(KernelOf(fingerprint.layers[layer], kind), anchors, basis);
    if (!unit) continue;
    columns.units.col(columns.layers.size()) = *unit;
    columns.layers.push_back(layer);
  }
  columns.units = WithoutCommonPart(columns.units.head_cols(columns.layers.size()));
  return columns;
}

bool HasKernel(const NormalisedLayer& layer) {
  for (const auto& kernel : layer.kernels) {
    if (kernel) return true;
  }
  return false;
}

// The kernels of one kind as columns; `place` says which layer each belongs to.
arma::mat Columns(std::span<const NormalisedLayer> layers, size_t kind,
                  std::vector<size_t>& place) {
  size_t length = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].kernels[kind]) continue;
    place.push_back(i);
    length = layers[i].kernels[kind]->size();
  }
  arma::mat columns(length, place.size());
  for (size_t i = 0; i < place.size(); ++i) {
    columns.col(i) = arma::vec(*layers[place[i]].kernels[kind]);
  }
  return columns;
}

}  // namespace

std::string_view ResponseKindName(ResponseKind kind) {
  switch (kind) {
    case ResponseKind::kQueryKey:
      return "query_key";
    case ResponseKind::kOutputValue:
      return "output_value";
    case ResponseKind::kFeedForward:
      break;
  }
  return "feed_forward";
}

std::vector<NormalisedLayer> NormaliseKernels(const FullFingerprint& fingerprint,
                                              std::span<const size_t> anchors) {
  const arma::mat basis = GramBasis(fingerprint, anchors);
  std::vector<NormalisedLayer> layers(fingerprint.layers.size());
  for (size_t i = 0; i < layers.size(); ++i) layers[i].layer = i;
  for (size_t kind = 0; kind < kResponseKinds.size(); ++kind) {
    const KernelColumns columns = NormaliseKind(fingerprint, kResponseKinds[kind], anchors, basis);
    for (size_t i = 0; i < columns.layers.size(); ++i) {
      layers[columns.layers[i]].kernels[kind] =
          arma::conv_to<std::vector<double>>::from(columns.units.col(i));
    }
  }
  std::erase_if(layers, [](const NormalisedLayer& layer) { return !HasKernel(layer); });
  return layers;
}

LayerSimilarity::LayerSimilarity(std::span<const NormalisedLayer> a,
                                 std::span<const NormalisedLayer> b) {
  for (const NormalisedLayer& layer : a) layer_of_row_.push_back(layer.layer);
  for (const NormalisedLayer& layer : b) layer_of_column_.push_back(layer.layer);
  for (size_t kind = 0; kind < kResponseKinds.size(); ++kind) {
    cosines_[kind].resize(rows() * columns());
    std::vector<size_t> row_of;
    std::vector<size_t> column_of;
    const arma::mat in_a = Columns(a, kind, row_of);
    const arma::mat in_b = Columns(b, kind, column_of);
    if (row_of.empty() || column_of.empty()) continue;
    const arma::mat cosines = in_a.t() * in_b;
    for (size_t i = 0; i < row_of.size(); ++i) {
      for (size_t j = 0; j < column_of.size(); ++j) {
        cosines_[kind][row_of[i] * columns() + column_of[j]] = cosines(i, j);
      }
    }
  }
}

std::optional<double> LayerSimilarity::Cosine(ResponseKind kind, size_t row, size_t column) const {
  return cosines_[static_cast<size_t>(kind)][row * columns() + column];
}

std::optional<double> LayerSimilarity::Mean(size_t row, size_t column) const {
  double sum = 0;
  size_t count = 0;
  for (const auto& cosines : cosines_) {
    const auto& cosine = cosines[row * columns() + column];
    if (!cosine) continue;
    sum += *cosine;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

}  // namespace tensorguard
