// Fingerprints of weights that a program holds in memory.
#ifndef TENSORGUARD_TENSORGUARD_TENSORS_H_
#define TENSORGUARD_TENSORGUARD_TENSORS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensorguard/export.h"
#include "tensorguard/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard {

// A tensor where it lies.
struct HeldTensor {
  std::string name = {};             // as in the model's file: "model.layers.0.mlp.up_proj.weight"
  std::string dtype = {};            // as safetensors spells it: "F32", "BF16"
  std::vector<uint64_t> shape = {};  // row-major; empty for a scalar
  // Little-endian elements in row-major order, exactly as many as the shape says. They are read
  // where they lie and never copied as a whole; they must not change meanwhile.
  std::span<const std::byte> data = {};
};

// A model that a program holds: what a folder would hold as files.
struct HeldModel {
  std::string name = {};  // for answers that name models; not empty
  std::vector<HeldTensor> tensors = {};
  std::string config = {};     // the text of config.json; empty for none
  std::string tokenizer = {};  // folder of the tokenizer's files on this machine; empty for none
};

// The fingerprint that FingerprintModel gives of a folder with the same tensors, config.json and
// tokenizer: the same numbers. `options.base` and `options.places` are not used. Errors: kUsage for
// an empty name or no tensor; kBadFile for what a reader would refuse of a file (a name twice, a
// shape whose size is not that of the data, a config that is no JSON object); kUnsupported for an
// unknown dtype; those of FingerprintModel. Thread-safe.
TENSORGUARD_EXPORT Result<Fingerprint> FingerprintTensors(const HeldModel& model,
                                                          const FingerprintOptions& options = {});

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_TENSORS_H_
