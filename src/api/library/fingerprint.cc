#include "tensorguard/fingerprint.h"

#include <utility>

#include "api/fingerprints.h"
#include "api/json/inspect_json.h"
#include "api/library/caller_session.h"
#include "api/reading/distinct_names.h"
#include "base/try.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard {
namespace {

Fingerprint Wrapped(internal::Fingerprint data) {
  return Fingerprint(std::make_shared<const internal::Fingerprint>(std::move(data)));
}

MatrixView ViewOf(const internal::FloatMatrix& matrix) {
  return {.values = matrix.values(), .rows = matrix.rows(), .columns = matrix.columns()};
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

LayerView Fingerprint::layer(size_t index) const {
  const internal::LayerResponse& layer = data_->layers[index];
  return {.stack = layer.stack,
          .index = layer.index,
          .query_key = ViewOf(layer.query_key),
          .output_value = ViewOf(layer.output_value),
          .feed_forward = ViewOf(layer.feed_forward)};
}

size_t Fingerprint::weights() const { return data_->weights.size(); }

WeightView Fingerprint::weight(size_t index) const {
  const internal::WeightSummary& weight = data_->weights[index];
  return {.tensor = weight.tensor,
          .role = std::string(internal::ShownRoleName(weight.role)),
          .layer = weight.role.layer,
          .rows = weight.rows,
          .columns = weight.columns,
          .norm = weight.norm,
          .sketch = ViewOf(weight.sketch)};
}

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

Result<std::vector<Fingerprint>> FingerprintModels(std::span<const std::string> models,
                                                   const FingerprintOptions& options) {
  if (options.budget_bytes) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a budget is for one model at a time",
                 .advice = "use FingerprintModel"};
  }
  TG_ASSIGN(auto all, internal::FingerprintsOfAll({models.begin(), models.end()},
                                                  internal::ReadingOf(options),
                                                  internal::CallerSession(options)));
  if (!all.shortfall.errors.empty()) return std::move(all.shortfall.errors.front());
  internal::NamesToTellApart names;
  names.AddAll(all.read, all.sources);
  names.TellApart();
  std::vector<Fingerprint> fingerprints;
  for (internal::Fingerprint& each : all.read) fingerprints.push_back(Wrapped(std::move(each)));
  return fingerprints;
}

std::string FingerprintAsJson(const Fingerprint& fingerprint) {
  return internal::JsonText(internal::InspectedFingerprintToJson(fingerprint.data(), ""));
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
