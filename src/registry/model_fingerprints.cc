#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/parallel.h"
#include "base/try.h"
#include "fingerprint/file/fingerprint_file.h"
#include "registry/models.h"

namespace tensorguard::internal {
namespace {

Result<Fingerprint> Decoded(std::span<const std::byte> bytes, const ModelRecord& model,
                            const std::string& place) {
  TG_ASSIGN(auto fingerprint,
            ReadFingerprintBytes(bytes, fmt::format("{} in {}", model.name, place)));
  fingerprint.model_name = model.name;
  return fingerprint;
}

}  // namespace

Result<std::vector<std::byte>> FingerprintBytes(Registry& registry, const ModelRecord& model) {
  return registry.blobs().Get({.fingerprint = model.fingerprint, .digest = model.digest});
}

Result<Fingerprint> FingerprintOfModel(Registry& registry, const ModelRecord& model) {
  TG_ASSIGN(const auto bytes, FingerprintBytes(registry, model));
  return Decoded(bytes, model, registry.place());
}

std::vector<Result<Fingerprint>> FingerprintsOfModels(Registry& registry,
                                                      std::span<const ModelRecord> models,
                                                      unsigned threads) {
  constexpr size_t kAtOnce = 16;  // some tens of megabytes
  std::vector<Result<Fingerprint>> all;
  for (size_t begin = 0; begin < models.size(); begin += kAtOnce) {
    const auto batch = models.subspan(begin, std::min(kAtOnce, models.size() - begin));
    std::vector<Result<std::vector<std::byte>>> bytes;
    for (const ModelRecord& each : batch) bytes.push_back(FingerprintBytes(registry, each));
    std::vector<std::optional<Result<Fingerprint>>> decoded(batch.size());
    // Never fails.
    (void)ParallelFor(batch.size(), threads, [&](size_t i) -> Result<void> {
      decoded[i] = bytes[i] ? Decoded(*bytes[i], batch[i], registry.place())
                            : Result<Fingerprint>(bytes[i].error());
      return {};
    });
    for (auto& each : decoded) all.push_back(*std::move(each));
  }
  return all;
}

}  // namespace tensorguard::internal
