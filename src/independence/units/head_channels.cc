#include "independence/units/head_channels.h"

#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "base/try.h"
#include "independence/statistics/unit_similarity.h"
#include "independence/stream/input_norm.h"
#include "independence/units/unit_reader.h"
#include "network/network_parts.h"

namespace tensorguard::internal {
namespace {

// Below this share of a head's largest singular value a direction is rounding noise.
constexpr double kNegligible = 1e-3;

// The attention of a layer, if its heads can be told apart and its shapes fit together.
const AttentionLayer* FindAttention(const Network& network, size_t layer) {
  const LayerDescription& wanted = network.description().layers[layer];
  const uint64_t hidden = network.description().hidden_size;
  for (const Stack& stack : network.parts().stacks) {
    for (const Layer& here : stack.layers) {
      if (here.description.stack != wanted.stack || here.description.index != wanted.index) {
        continue;
      }
      if (!here.attention || here.attention->latent || !here.attention->heads_known) return nullptr;
      const AttentionLayer& attention = *here.attention;
      for (const LinearMap* map :
           {&attention.query, &attention.key, &attention.value, &attention.output}) {
        if (map->weight == nullptr) return nullptr;
      }
      const AttentionShape& shape = attention.shape;
      const bool fits = attention.query.inputs() == hidden && attention.key.inputs() == hidden &&
                        attention.value.inputs() == hidden &&
                        attention.output.outputs() == hidden && shape.key_heads > 0 &&
                        shape.heads % shape.key_heads == 0 &&
                        attention.query.outputs() == shape.heads * shape.head_size &&
                        attention.key.outputs() == shape.key_heads * shape.head_size &&
                        attention.value.outputs() == shape.key_heads * shape.value_size &&
                        attention.output.inputs() == shape.heads * shape.value_size;
      return fits ? &attention : nullptr;
    }
  }
  return nullptr;
}

// Reads the matrices of one head at a time, hidden x head size, in the basis of the stream.
class HeadReader {
 public:
  static Result<std::optional<HeadReader>> Open(const Network& network, size_t layer) {
    const AttentionLayer* attention = FindAttention(network, layer);
    if (attention == nullptr) return std::optional<HeadReader>();
    auto norm = ProbeInputNorm(network, {.layer = layer, .up = {}, .down = {}, .is_mixer = true});
    if (!norm) return norm.error();
    HeadReader reader(network, *attention, *std::move(norm));
    if (!reader.output_by_channel_) {
      TG_ASSIGN(const auto whole, ReadWeight(network.source(), *attention->output.weight));
      reader.whole_output_ = arma::fmat(whole.values().data(), whole.columns(), whole.rows()).t();
    }
    return std::optional(std::move(reader));
  }

  const AttentionShape& shape() const { return attention_->shape; }
  bool centres() const { return norm_.centres; }
  uint64_t KeyHead(uint64_t head) const { return head / (shape().heads / shape().key_heads); }

  Result<arma::fmat> Query(uint64_t head) const {
    return Read(*attention_->query.weight, head, shape().head_size);
  }
  Result<arma::fmat> Key(uint64_t head) const {
    return Read(*attention_->key.weight, KeyHead(head), shape().head_size);
  }
  Result<arma::fmat> Value(uint64_t head) const {
    return Read(*attention_->value.weight, KeyHead(head), shape().value_size);
  }
  Result<arma::fmat> Output(uint64_t head) const {
    const uint64_t size = shape().value_size;
    if (!output_by_channel_) {
      return arma::fmat(whole_output_.cols(head * size, (head + 1) * size - 1));
    }
    TG_ASSIGN(const auto rows,
              ReadWeightRows(network_->source(), *output_by_channel_, head * size, size));
    return arma::fmat(rows.values().data(), rows.columns(), rows.rows());
  }

 private:
  HeadReader(const Network& network, const AttentionLayer& attention, InputNorm norm)
      : network_(&network),
        attention_(&attention),
        norm_(std::move(norm)),
        output_by_channel_(ReadTransposed(*attention.output.weight)) {}

  Result<arma::fmat> Read(const Weight& weight, uint64_t head, uint64_t size) const {
    TG_ASSIGN(const auto rows, ReadWeightRows(network_->source(), weight, head * size, size));
    arma::fmat columns(rows.values().data(), rows.columns(), rows.rows());
    columns.each_col() %= norm_.gain;
    return columns;
  }

  const Network* network_;
  const AttentionLayer* attention_;
  InputNorm norm_;
  std::optional<Weight> output_by_channel_;  // empty where it can only be read whole
  arma::fmat whole_output_ = {};             // then: hidden x channels
};

// The upper triangle A with X = Q A for some Q with orthonormal columns; empty where X is zero.
arma::mat Triangle(const arma::mat& x) {
  arma::mat gram = x.t() * x;
  const double size = arma::trace(gram) / static_cast<double>(gram.n_rows);
  if (!(size > 0.0)) return {};
  gram.diag() += 1e-12 * size;
  arma::mat triangle;
  if (!arma::chol(triangle, gram)) return {};
  return triangle;
}

// The leading singular vectors of down up^T, into columns [first, first + count) of both. They stay
// zero where the form is.
void StoreChannels(const arma::fmat& read, const arma::fmat& write, arma::uword first,
                   arma::uword count, UnitVectors* channels) {
  // Of one length each, so that no square overflows and no precision is lost.
  const auto scaled = [](const arma::fmat& matrix) {
    const double largest = static_cast<double>(arma::abs(matrix).max());
    arma::mat wide = arma::conv_to<arma::mat>::from(matrix);
    return largest > 0.0 ? arma::mat(wide / largest) : wide;
  };
  const arma::mat up = scaled(read);
  const arma::mat down = scaled(write);
  const arma::mat up_triangle = Triangle(up);
  const arma::mat down_triangle = Triangle(down);
  if (up_triangle.empty() || down_triangle.empty()) return;
  arma::mat left;
  arma::mat right;
  arma::vec sizes;
  if (!arma::svd(left, sizes, right, arma::mat(down_triangle * up_triangle.t()))) return;
  arma::uword kept = 0;
  while (kept < count && sizes[kept] > kNegligible * sizes[0]) ++kept;
  if (kept == 0) return;
  arma::mat up_factor;
  arma::mat down_factor;
  if (!arma::solve(up_factor, arma::trimatu(up_triangle), arma::mat(right.head_cols(kept))) ||
      !arma::solve(down_factor, arma::trimatu(down_triangle), arma::mat(left.head_cols(kept)))) {
    return;
  }
  channels->up.cols(first, first + kept - 1) = arma::conv_to<arma::fmat>::from(up * up_factor);
  channels->down.cols(first, first + kept - 1) =
      arma::conv_to<arma::fmat>::from(down * down_factor);
}

UnitVectors ZeroChannels(uint64_t hidden, uint64_t count) {
  return {.gate = {},
          .up = arma::fmat(hidden, count, arma::fill::zeros),
          .down = arma::fmat(hidden, count, arma::fill::zeros)};
}

void Normalise(bool centre, UnitVectors* channels) {
  NormaliseColumns(centre, &channels->up);
  NormaliseColumns(centre, &channels->down);
}

}  // namespace

Result<std::optional<HeadChannels>> ReadHeadChannels(const Network& network, size_t layer,
                                                     unsigned threads) {
  TG_ASSIGN(const auto reader, HeadReader::Open(network, layer));
  if (!reader) return std::optional<HeadChannels>();
  const AttentionShape& shape = reader->shape();
  const uint64_t most = std::max<uint64_t>(1, kHeadChannels / shape.heads);
  const uint64_t values = std::min(most, shape.value_size);
  const uint64_t scores = std::min(most, shape.head_size);
  if (shape.heads * std::min(values, scores) < kFewestChannels)
    return std::optional<HeadChannels>();
  const uint64_t hidden = network.description().hidden_size;
  HeadChannels channels{.values = ZeroChannels(hidden, shape.heads * values),
                        .scores = ZeroChannels(hidden, shape.heads * scores)};
  const auto done = ParallelFor(shape.heads, threads, [&](size_t head) -> Result<void> {
    TG_ASSIGN(const auto query, reader->Query(head));
    TG_ASSIGN(const auto key, reader->Key(head));
    StoreChannels(query, key, head * scores, scores, &channels.scores);
    TG_ASSIGN(const auto value, reader->Value(head));
    TG_ASSIGN(const auto output, reader->Output(head));
    StoreChannels(value, output, head * values, values, &channels.values);
    return {};
  });
  if (!done) return done.error();
  Normalise(reader->centres(), &channels.values);
  Normalise(reader->centres(), &channels.scores);
  return std::optional(std::move(channels));
}

Result<std::optional<arma::fmat>> ReadValueForm(const Network& network, size_t layer,
                                                const arma::fmat& map, unsigned threads) {
  TG_ASSIGN(const auto reader, HeadReader::Open(network, layer));
  if (!reader) return std::optional<arma::fmat>();
  std::vector<arma::fmat> of_head(reader->shape().heads);
  const auto done = ParallelFor(of_head.size(), threads, [&](size_t head) -> Result<void> {
    TG_ASSIGN(const auto value, reader->Value(head));
    TG_ASSIGN(const auto output, reader->Output(head));
    of_head[head] =
        TransposedProduct(map, output, 1) * arma::fmat(TransposedProduct(map, value, 1).t());
    return {};
  });
  if (!done) return done.error();
  arma::fmat form(map.n_cols, map.n_cols, arma::fill::zeros);
  for (const arma::fmat& part : of_head) form += part;
  return std::optional(std::move(form));
}

}  // namespace tensorguard::internal
