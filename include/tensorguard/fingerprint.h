// Fingerprints of models, and their files.
#ifndef TENSORGUARD_TENSORGUARD_FINGERPRINT_H_
#define TENSORGUARD_TENSORGUARD_FINGERPRINT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/export.h"
#include "tensorguard/model.h"
#include "tensorguard/result.h"

namespace tensorguard {

namespace internal {
struct Fingerprint;
}

// Numbers of a fingerprint, row-major, where they lie: valid as long as a copy of it is there.
struct MatrixView {
  std::span<const float> values = {};  // rows * columns of them
  size_t rows = 0;
  size_t columns = 0;
};

// What is known of a layer.
struct LayerView {
  std::string_view stack = {};  // "encoder", "decoder"; empty in a model of one stack
  uint32_t index = 0;           // within its stack
  // What the layer answers to the anchors (docs/full_profile.md): which anchor attends to which,
  // what attention writes, what the feed-forward writes. [anchors, anchors], row t the response to
  // anchor t; 0 x 0 where the layer has no such part.
  MatrixView query_key = {};
  MatrixView output_value = {};
  MatrixView feed_forward = {};
};

// What is known of a weight.
struct WeightView {
  std::string_view tensor = {};  // raw text of the file
  std::string role = {};         // "query", "down", ... (docs/roles.md)
  std::optional<uint32_t> layer = {};
  uint64_t rows = 0;     // outputs; the elements of a vector
  uint64_t columns = 0;  // inputs; 1 for a vector
  double norm = 0;       // Frobenius
  // Random projection of the weight (docs/formats/fingerprint.md): [32, 32], of a vector [1, 32];
  // 0 x 0 for vocabulary tables, late experts, and rows longer than any sketch.
  MatrixView sketch = {};
};

// What is known of a model without its weights (docs/full_profile.md): about a kilobyte for each
// kilo-parameter of a layer's width, never more than a few megabytes. A value: copies share the
// data, which never changes. Thread-safe.
class TENSORGUARD_EXPORT Fingerprint {
 public:
  const std::string& model_name() const;
  const std::string& architecture() const;  // "llama"
  uint64_t parameters() const;
  size_t layers() const;   // that answered to anchors
  size_t anchors() const;  // tokens or rows that the layers were asked about
  // What a reader should know: "no tokenizer: row anchors", ...
  const std::vector<std::string>& notes() const;
  // What the model lacks: "layers 4-5"; the fingerprint speaks of the rest alone.
  const std::vector<std::string>& missing() const;

  LayerView layer(size_t index) const;    // REQUIRES: index < layers()
  size_t weights() const;                 // single ones, split from what they were fused with
  WeightView weight(size_t index) const;  // REQUIRES: index < weights()

  // The same under another name, for answers that name models.
  Fingerprint Renamed(std::string model_name) const;

  // For the library's own use.
  explicit Fingerprint(std::shared_ptr<const internal::Fingerprint> data);
  const internal::Fingerprint& data() const { return *data_; }

 private:
  std::shared_ptr<const internal::Fingerprint> data_;  // never null
};

struct FingerprintOptions : ReadOptions {
  // Reads at most this many stored bytes of the tensors, for a first answer. Such a fingerprint
  // cannot be written to a file.
  std::optional<uint64_t> budget_bytes = {};
};

// Reads every weight once (model.h says what `model` may be). The same numbers for any number of
// threads. Errors: those of InspectModel; kBadFile, naming what is missing, for a model that is not
// whole, unless options.incomplete; kCancelled. Thread-safe.
TENSORGUARD_EXPORT Result<Fingerprint> FingerprintModel(const std::string& model,
                                                        const FingerprintOptions& options = {});

// What many arguments name, in their order: fingerprint files, folders of them, models, folders of
// models. Names that two of them have are told apart by their places. Errors: those of
// FingerprintModel and ReadFingerprint, for the first that cannot be read; kUsage for a budget.
// Thread-safe.
TENSORGUARD_EXPORT Result<std::vector<Fingerprint>> FingerprintModels(
    std::span<const std::string> models, const FingerprintOptions& options = {});

// The object that `tensorguard inspect --json` prints of a fingerprint's file (docs/json.md), with
// the path "".
TENSORGUARD_EXPORT std::string FingerprintAsJson(const Fingerprint& fingerprint);

// Of a file NAME.fingerprint.safetensors (docs/formats/fingerprint.md). Every number is checked.
// Errors: kNotFound, kBadFile; kUnsupported for another version.
TENSORGUARD_EXPORT Result<Fingerprint> ReadFingerprint(const std::string& path);

// Equal fingerprints give equal bytes. The file appears when it is complete. Errors: kSystem;
// kUsage for a fingerprint that was made with a budget.
TENSORGUARD_EXPORT Result<void> WriteFingerprint(const Fingerprint& fingerprint,
                                                 const std::string& path);

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_FINGERPRINT_H_
