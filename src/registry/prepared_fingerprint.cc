#include "registry/prepared_fingerprint.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "base/try.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kLargestFileBytes = 1ull << 28;

bool IsOneNumber(const WeightSummary& weight) {
  return weight.quantiles.front() == weight.quantiles.back();
}

}  // namespace

int64_t ShortDigest(const WeightDigest& digest) {
  int64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof(number));
  return number;
}

std::vector<DigestEntry> DigestEntriesOf(const Fingerprint& fingerprint) {
  std::vector<DigestEntry> entries;
  for (size_t i = 0; i < fingerprint.weights.size(); ++i) {
    const WeightSummary& weight = fingerprint.weights[i];
    if (weight.is_vector || IsOneNumber(weight)) continue;
    const auto add = [&](const WeightDigest& digest) {
      entries.push_back({.digest = ShortDigest(digest), .weight = static_cast<int64_t>(i)});
    };
    add(weight.digest);
    if (weight.digest_as_bfloat16) add(*weight.digest_as_bfloat16);
    if (weight.digest_as_float16) add(*weight.digest_as_float16);
  }
  std::ranges::sort(entries);
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  return entries;
}

Result<PreparedFingerprint> PrepareFingerprint(std::vector<std::byte> bytes,
                                               const std::string& name) {
  TG_ASSIGN(const auto fingerprint, ReadFingerprintBytes(bytes, name));
  TG_ASSIGN(const auto stored, ReadScreeningBytes(bytes, name));
  const ScreeningSignature own = ScreeningOf(fingerprint);
  if (auto checked = CheckScreening(stored, own); !checked) {
    return std::move(checked).error().InFile(name);
  }
  PreparedFingerprint prepared = {.bytes = std::move(bytes),
                                  .model_name = fingerprint.model_name,
                                  .architecture = fingerprint.architecture,
                                  .parameters = fingerprint.parameters,
                                  .signature = {own.numbers().begin(), own.numbers().end()},
                                  .vector = SearchVectorOf(own),
                                  .weights = DigestEntriesOf(fingerprint)};
  prepared.digest = Blake3(prepared.bytes);
  return prepared;
}

Result<PreparedFingerprint> PrepareFingerprintFile(const std::filesystem::path& path) {
  TG_ASSIGN(const auto file, File::Open(path));
  TG_ASSIGN(const auto text, ReadWholeFile(*file, kLargestFileBytes));
  const auto bytes = std::as_bytes(std::span(text));
  return PrepareFingerprint({bytes.begin(), bytes.end()}, path.string());
}

}  // namespace tensorguard::internal
