#include "weights/adapters/kinds/drawn_numbers.h"

#include <map>

namespace tensorguard::internal {

std::vector<uint64_t> DrawPlaces(uint64_t places, uint64_t count, uint64_t seed) {
  // Fisher and Yates from the front: the i-th number changes places with one at or behind it. Only
  // those that were moved are kept.
  std::mt19937 generator(static_cast<std::mt19937::result_type>(seed));
  std::map<uint64_t, uint64_t> moved;
  const auto at = [&](uint64_t place) {
    const auto found = moved.find(place);
    return found == moved.end() ? place : found->second;
  };
  std::vector<uint64_t> drawn;
  for (uint64_t i = 0; i < count && i + 1 < places; ++i) {
    const uint64_t other = i + generator() % (places - i);
    const uint64_t number = at(other);
    moved[other] = at(i);
    drawn.push_back(number);
  }
  if (drawn.size() < count) drawn.push_back(at(places - 1));
  return drawn;
}

std::vector<float> UniformNumbers::Draw(uint64_t count, float from, float to) {
  constexpr uint32_t kBits = 24;  // of a float32's significand
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    const auto drawn = static_cast<uint32_t>(generator_()) & ((1u << kBits) - 1);
    number = static_cast<float>(drawn) * (1.0f / (1u << kBits)) * (to - from) + from;
  }
  return numbers;
}

}  // namespace tensorguard::internal
