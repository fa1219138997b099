// Full fingerprints of random numbers, in the shapes of real models: for measuring, without models.
#ifndef TENSORGUARD_BENCH_GENERATED_FINGERPRINT_H_
#define TENSORGUARD_BENCH_GENERATED_FINGERPRINT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// A decoder like Llama: an embedding, a head, a last norm, and 9 weights in each layer. The default
// is Llama-2-7B's: 291 weights.
struct GeneratedShape {
  uint32_t layers = 32;
  uint32_t anchors = 128;  // the first words and pieces of the list
  uint64_t hidden_size = 4096;
  uint64_t feed_forward_size = 11008;
  uint64_t vocabulary_size = 32000;
};

// Whose kernels and sketches the numbers come from: those of `seed`, to which independent ones of
// `noise_seed` are added, `noise` times as large.
struct GeneratedOrigin {
  uint64_t seed = 0;
  uint64_t noise_seed = 0;
  double noise = 0;
};

// As a file holds it (AsStored). Equal arguments give equal fingerprints; different seeds without
// relation give models that a comparison finds independent.
// REQUIRES: shape.anchors in [1, kMostAnchors].
Fingerprint GenerateFingerprint(std::string model_name, const GeneratedShape& shape,
                                const GeneratedOrigin& origin);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BENCH_GENERATED_FINGERPRINT_H_
