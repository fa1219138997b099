#include "tensorguard/tensors.h"

#include <utility>

#include "api/cancellable_weights.h"
#include "api/library/caller_session.h"
#include "base/try.h"
#include "model/found_model.h"
#include "places/held_files.h"
#include "profile/full_profile.h"

namespace tensorguard {
namespace {

Result<internal::HeldFile> WeightFileOf(const HeldModel& model) {
  std::vector<internal::TensorInMemory> tensors;
  for (const HeldTensor& tensor : model.tensors) {
    const auto dtype = internal::DTypeFromName(tensor.dtype);
    if (!dtype) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "unknown type of numbers",
                   .tensor = tensor.name,
                   .found = tensor.dtype,
                   .expected = "a type of safetensors, as F32 or BF16"};
    }
    tensors.push_back({.tensor = {.name = tensor.name, .dtype = *dtype, .shape = tensor.shape},
                       .data = tensor.data});
  }
  return internal::HeldSafetensors(std::move(tensors));
}

Result<internal::Model> OpenHeldModel(const HeldModel& model) {
  TG_ASSIGN(auto weights, WeightFileOf(model));
  std::map<std::string, internal::HeldFile> held;
  held["model.safetensors"] = std::move(weights);
  if (!model.config.empty()) held["config.json"] = {.start = model.config};
  const auto files = std::make_shared<const internal::HeldFiles>(std::move(held));
  TG_ASSIGN(const auto found, internal::FindModelFiles(internal::HeldFiles::kFolder, *files));
  TG_ASSIGN(auto opened, internal::OpenFoundModel(found, {}, files));
  opened.name = model.name;
  if (!model.tokenizer.empty()) {
    opened.tokenizer_folder = model.tokenizer;
    opened.files = internal::LocalFiles();
  }
  return opened;
}

}  // namespace

Result<Fingerprint> FingerprintTensors(const HeldModel& model, const FingerprintOptions& options) {
  if (model.name.empty() || model.tensors.empty()) {
    return Error{
        .kind = ErrorKind::kUsage,
        .problem = model.name.empty() ? "the model has no name" : "the model has no tensor"};
  }
  TG_ASSIGN(auto opened, OpenHeldModel(model));
  const internal::CallerSession session(options);
  opened.weights =
      std::make_shared<internal::CancellableWeights>(std::move(opened.weights), session.listener());
  auto fingerprint =
      internal::ComputeFullFingerprint(opened, {.threads = options.threads,
                                                .on_progress = options.callbacks.on_progress,
                                                .budget_bytes = options.budget_bytes,
                                                .incomplete = options.incomplete});
  if (!fingerprint) return std::move(fingerprint).error().InFile(model.name);
  return Fingerprint(std::make_shared<const internal::Fingerprint>(*std::move(fingerprint)));
}

}  // namespace tensorguard
