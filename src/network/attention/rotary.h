// Rotary position embedding (Su et al. 2021): pairs of columns turned by an angle that grows with
// the position.
#ifndef TENSORGUARD_NETWORK_ATTENTION_ROTARY_H_
#define TENSORGUARD_NETWORK_ATTENTION_ROTARY_H_

#include <cstddef>
#include <span>
#include <vector>

namespace tensorguard::internal {

struct Rotary {
  size_t first = 0;                // of each head's columns, the first that is turned
  std::vector<float> frequencies;  // radians per position; one per pair, 2 columns each
  bool interleaved = false;        // pairs (2i, 2i + 1), else (i, i + pairs)
  float scale = 1;                 // of the turned columns (YaRN's attention factor)
};

// Turns one head's columns. REQUIRES: first + 2 * frequencies.size() <= head.size().
void Rotate(const Rotary& rotary, size_t position, std::span<float> head);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_ROTARY_H_
