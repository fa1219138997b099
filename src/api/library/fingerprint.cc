#include "tensorguard/fingerprint.h"

#include <utility>

#include "api/fingerprints.h"
#include "api/library/caller_session.h"
#include "base/try.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard {
namespace {

Fingerprint Wrapped(internal::Fingerprint data) {
  return Fingerprint(std::make_shared<const internal::Fingerprint>(std::move(data)));
}

}  // namespace

Fingerprint::Fingerprint(std::shared_ptr<const internal::Fingerprint> data)
    : data_(std::move(data)) {}

const std::string& Fingerprint::model_name() const { return data_->model_name; }
const std::string& Fingerprint::architecture() const { return data_->architecture; }
uint64_t Fingerprint::parameters() const { return data_->parameters; }
size_t Fingerprint::layers() const { return data_->layers.size(); }
size_t Fingerprint::anchors() const { return data_->anchors.size(); }
const std::vector<std::string>& Fingerprint::notes() const { return data_->notes; }
const std::vector<std::string>& Fingerprint::missing() const { return data_->missing; }

Fingerprint Fingerprint::Renamed(std::string model_name) const {
  internal::Fingerprint copy = *data_;
  copy.model_name = std::move(model_name);
  return Wrapped(std::move(copy));
}

Result<Fingerprint> FingerprintModel(const std::string& model, const FingerprintOptions& options) {
  TG_ASSIGN(auto fingerprint, internal::FingerprintOf(model, internal::ReadingOf(options),
                                                      internal::CallerSession(options)));
  return Wrapped(std::move(fingerprint));
}

Result<Fingerprint> ReadFingerprint(const std::string& path) {
  TG_ASSIGN(auto fingerprint, internal::ReadFingerprint(path));
  return Wrapped(std::move(fingerprint));
}

Result<void> WriteFingerprint(const Fingerprint& fingerprint, const std::string& path) {
  if (fingerprint.data().quick) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a fingerprint of a part of a model is not written to a file",
                 .file = path,
                 .advice = "fingerprint the model without a budget"};
  }
  return internal::WriteFingerprint(fingerprint.data(), path);
}

}  // namespace tensorguard
