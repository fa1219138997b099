#include "network/attention/rotary.h"

#include <cmath>

namespace tensorguard::internal {

void Rotate(const Rotary& rotary, size_t position, std::span<float> head) {
  const size_t pairs = rotary.frequencies.size();
  for (size_t i = 0; i < pairs; ++i) {
    const float angle = static_cast<float>(position) * rotary.frequencies[i];
    const float cosine = std::cos(angle) * rotary.scale;
    const float sine = std::sin(angle) * rotary.scale;
    const size_t left = rotary.first + (rotary.interleaved ? 2 * i : i);
    const size_t right = left + (rotary.interleaved ? 1 : pairs);
    const float x = head[left];
    const float y = head[right];
    head[left] = x * cosine - y * sine;
    head[right] = y * cosine + x * sine;
  }
}

}  // namespace tensorguard::internal
