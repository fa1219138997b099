// Fingerprints of models, and their files.
#ifndef TENSORGUARD_TENSORGUARD_FINGERPRINT_H_
#define TENSORGUARD_TENSORGUARD_FINGERPRINT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tensorguard/export.h"
#include "tensorguard/model.h"
#include "tensorguard/result.h"

namespace tensorguard {

namespace internal {
struct Fingerprint;
}

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

// Of a file NAME.fingerprint.safetensors (docs/formats/fingerprint.md). Every number is checked.
// Errors: kNotFound, kBadFile; kUnsupported for another version.
TENSORGUARD_EXPORT Result<Fingerprint> ReadFingerprint(const std::string& path);

// Equal fingerprints give equal bytes. The file appears when it is complete. Errors: kSystem;
// kUsage for a fingerprint that was made with a budget.
TENSORGUARD_EXPORT Result<void> WriteFingerprint(const Fingerprint& fingerprint,
                                                 const std::string& path);

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_FINGERPRINT_H_
