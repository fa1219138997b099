#include "transform/logits.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "base/try.h"
#include "network/forward.h"
#include "network/network.h"
#include "transform/change.h"
#include "transform/changes/seeded_draws.h"
#include "transform/decoder_model.h"

namespace tensorguard::internal {
namespace {

// Names say nothing about what is computed, but foreign ones hide which tensor is which.
Result<std::shared_ptr<const Network>> NetworkOf(Decoder decoder) {
  decoder.name_scheme = NameScheme::kOriginal;
  return Network::Build(ModelInMemory(decoder, Precision::kFloat32));
}

std::vector<uint32_t> Sequence(const Decoder& decoder, SeededDraws& draws) {
  std::vector<uint32_t> ids(kSequenceLength);
  for (uint32_t& id : ids) id = decoder.row_of_token[draws.Below(decoder.row_of_token.size())];
  return ids;
}

void AppendRows(const FloatMatrix& rows, FloatMatrix* to) {
  FloatMatrix joined(to->rows() + rows.rows(), rows.columns());
  std::ranges::copy(to->values(), joined.values().begin());
  std::ranges::copy(rows.values(),
                    joined.values().begin() + static_cast<std::ptrdiff_t>(to->values().size()));
  *to = std::move(joined);
}

}  // namespace

Result<std::optional<FloatMatrix>> LogitsOf(const Decoder& decoder, uint64_t seed) {
  if (decoder.row_of_token.empty()) return std::optional<FloatMatrix>();
  TG_ASSIGN(const auto network, NetworkOf(decoder));
  SeededDraws draws(seed);
  const std::vector<uint32_t>& rows = decoder.row_of_token;
  FloatMatrix logits(kSequences * kSequenceLength, rows.size());
  for (size_t s = 0; s < kSequences; ++s) {
    TG_ASSIGN(const auto forward, RunForward(*network, Sequence(decoder, draws)));
    for (size_t t = 0; t < kSequenceLength; ++t) {
      const auto from = forward.logits.Row(t);
      const auto to = logits.Row(s * kSequenceLength + t);
      for (size_t token = 0; token < rows.size(); ++token) to[token] = from[rows[token]];
    }
  }
  return std::optional(std::move(logits));
}

double LogitDifference(const FloatMatrix& before, const FloatMatrix& after) {
  double largest = 0;
  double difference = 0;
  for (size_t i = 0; i < before.values().size(); ++i) {
    const double a = before.values()[i];
    const double b = after.values()[i];
    largest = std::max(largest, std::abs(a));
    difference = std::max(difference, std::abs(a - b));
  }
  return largest > 0 ? difference / largest : difference;
}

Result<std::vector<FloatMatrix>> StreamsOf(const Decoder& decoder, uint64_t seed) {
  if (decoder.row_of_token.empty()) {
    return DoesNotFit("another model's tokens", "the tokens of the model that was read",
                      "put this change before the one that replaces the embedding");
  }
  TG_ASSIGN(const auto network, NetworkOf(decoder));
  SeededDraws draws(seed);
  std::vector<FloatMatrix> streams(decoder.layers.size() + 1);
  for (size_t s = 0; s < kSequences; ++s) {
    TG_ASSIGN(auto forward, RunForward(*network, Sequence(decoder, draws)));
    forward.hidden.back() = std::move(forward.last_stream);
    for (size_t l = 0; l < streams.size(); ++l) AppendRows(forward.hidden[l], &streams[l]);
  }
  return streams;
}

}  // namespace tensorguard::internal
