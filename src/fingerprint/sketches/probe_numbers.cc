#include "fingerprint/sketches/probe_numbers.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/bfloat16.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {
namespace {

// What a sequence is for: eight letters each.
constexpr uint64_t kProbeKey = 0x5447'5052'4f42'4553;   // "TGPROBES"
constexpr uint64_t kBucketKey = 0x5447'4255'434b'4554;  // "TGBUCKET"
constexpr uint64_t kSampleKey = 0x5447'5341'4d50'4c45;  // "TGSAMPLE"

// What bfloat16 can hold, so that products with bfloat16 weights are exact.
float Rounded(double value) { return ToFloat32(RoundToBFloat16(static_cast<float>(value))); }

}  // namespace

FloatMatrix ProbeMatrix(uint64_t size) {
  const uint64_t key = MixedBits(kProbeKey + size);
  const double scale = 1 / std::sqrt(static_cast<double>(kSketchSize));
  FloatMatrix probes(size, kSketchSize);
  const std::span<float> values = probes.values();
  for (size_t i = 0; i < values.size(); i += 2) {
    const uint64_t bits = RandomBits(key, i / 2);
    const double first = (static_cast<double>(bits >> 32) + 0.5) / 4294967296.0;
    const double second = (static_cast<double>(bits & 0xffff'ffff) + 0.5) / 4294967296.0;
    const double radius = scale * std::sqrt(-2 * std::log(first));
    const double angle = 2 * std::numbers::pi * second;
    values[i] = Rounded(radius * std::cos(angle));
    values[i + 1] = Rounded(radius * std::sin(angle));
  }
  return probes;
}

OutputBuckets::OutputBuckets(uint64_t outputs) : key_(MixedBits(kBucketKey + outputs)) {}

OutputBucket OutputBuckets::Of(uint64_t output) const {
  const uint64_t bits = RandomBits(key_, output);
  return {.bucket = bits % kSketchSize, .sign = bits >> 63 == 0 ? 1.0f : -1.0f};
}

FixedSample::FixedSample(uint64_t count, uint64_t most)
    : count_(count), size_(std::min(count, most)), key_(MixedBits(kSampleKey + count)) {}

uint64_t FixedSample::PartBegin(uint64_t k) const {
  // k * count / size without leaving 64 bits; k is at most size, which is small.
  return k * (count_ / size_) + k * (count_ % size_) / size_;
}

uint64_t FixedSample::Position(uint64_t k) const {
  const uint64_t begin = PartBegin(k);
  return begin + RandomBits(key_, k) % (PartBegin(k + 1) - begin);
}

uint64_t FixedSample::FirstNotBelow(uint64_t position) const {
  uint64_t low = 0;
  uint64_t high = size_;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (Position(middle) < position) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace tensorguard::internal
