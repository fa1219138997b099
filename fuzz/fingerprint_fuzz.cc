// Any bytes as a fingerprint file: never a crash, and what is accepted is a fingerprint whose
// numbers are in their bounds and that comes out of storing once more as it went in.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/stored_fingerprint.h"
#include "fuzz/refusal_checks.h"
#include "safetensors/safetensors.h"

namespace {

using tensorguard::internal::CheckRefused;
using tensorguard::internal::Fingerprint;
using tensorguard::internal::FloatMatrix;
using tensorguard::internal::Require;

constexpr uint64_t kLengthFieldBytes = 8;

bool Equal(const FloatMatrix& a, const FloatMatrix& b) {
  return a.rows() == b.rows() && std::ranges::equal(a.values(), b.values());
}

void CheckAccepted(const Fingerprint& print) {
  Require(!print.anchors.empty() && print.anchors.size() == print.anchor_tokens.size());
  Require(print.input_gram.rows() == print.anchors.size());
  for (const uint32_t token : print.anchor_tokens) Require(token < print.vocabulary_size);
  for (const auto& weight : print.weights) {
    Require(std::isfinite(weight.norm) && weight.norm >= 0);
    Require(weight.rows > 0 && weight.columns > 0);
    Require(weight.row_sample.digests.size() == weight.row_sample.projections.rows());
  }
  for (const auto& layer : print.layers) Require(layer.mixer_gain.value_or(0) >= 0);
  // A file from elsewhere may have other scales than ours; stored by us, it stays as it is.
  const Fingerprint once = AsStored(print);
  const Fingerprint twice = AsStored(once);
  Require(Equal(once.cross_gram, twice.cross_gram));
  for (size_t i = 0; i < once.layers.size(); ++i) {
    Require(Equal(once.layers[i].feed_forward, twice.layers[i].feed_forward));
  }
  for (size_t i = 0; i < once.weights.size(); ++i) {
    Require(Equal(once.weights[i].sketch, twice.weights[i].sketch));
    Require(Equal(once.weights[i].row_sample.projections, twice.weights[i].row_sample.projections));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size < kLengthFieldBytes) return 0;
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, input, kLengthFieldBytes);
  if (header_bytes > size - kLengthFieldBytes) return 0;
  const std::string_view header(reinterpret_cast<const char*>(input) + kLengthFieldBytes,
                                header_bytes);
  const auto table = tensorguard::internal::ParseSafetensorsHeader(header, size);
  if (!table) return 0;
  const auto print = tensorguard::internal::DecodeFingerprint(
      *table, size,
      [&](uint64_t offset_bytes, std::span<std::byte> out) -> tensorguard::Result<void> {
        Require(offset_bytes <= size && out.size() <= size - offset_bytes);
        std::memcpy(out.data(), input + offset_bytes, out.size());
        return {};
      });
  if (print) {
    CheckAccepted(*print);
  } else {
    CheckRefused(print.error());
  }
  return 0;
}
