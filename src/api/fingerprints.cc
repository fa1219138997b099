#include "api/fingerprints.h"

#include "api/models.h"
#include "api/reading/sources.h"
#include "api/registry/registry_names.h"
#include "base/try.h"
#include "database/open_database.h"
#include "fingerprint/file/fingerprint_file.h"
#include "profile/full_profile.h"

namespace tensorguard::internal {
namespace {

// Computes a model's fingerprint, on the given anchors if there are any.
Result<Fingerprint> ComputeFingerprint(const std::string& argument,
                                       const FingerprintReading& reading,
                                       std::optional<ChosenAnchors> anchors,
                                       const Session& session) {
  TG_ASSIGN(const auto model, OpenWithBase(argument, reading.base, session));
  auto fingerprint =
      ComputeFullFingerprint(model, {.threads = reading.threads,
                                     .on_progress = session.listener.ShowProgress(model.name),
                                     .anchors = std::move(anchors),
                                     .budget_bytes = reading.quick_bytes,
                                     .incomplete = reading.incomplete});
  session.listener.EndProgress();
  if (!fingerprint) return std::move(fingerprint).error().InFile(argument);
  return fingerprint;
}

// `print` asked at the anchors of `other`, where only one of the two has a tokenizer, both have one
// vocabulary size, and the weights are there.
Result<Fingerprint> OnCommonAnchors(Fingerprint print, const Fingerprint& other,
                                    const std::string& argument, const FingerprintReading& reading,
                                    const Session& session) {
  const bool would_help =
      print.anchor_kind != other.anchor_kind && print.vocabulary_size == other.vocabulary_size;
  if (!would_help || IsFingerprintFile(argument)) return print;
  return ComputeFingerprint(argument, reading,
                            ChosenAnchors{.kind = other.anchor_kind,
                                          .anchors = other.anchors,
                                          .tokens = other.anchor_tokens,
                                          .notes = {"anchors of " + other.model_name +
                                                    ", as if the two had one vocabulary"}},
                            session);
}

// The only model of a registry; of several it must be said which.
Result<Fingerprint> OneOfRegistry(const std::string& registry, OpenRegistries& registries) {
  TG_ASSIGN(const auto names, StoredModelNames(registry, registries));
  if (names.size() == 1) {
    return StoredFingerprint(*ParseStoredModelName(names.front()), registries);
  }
  return Error{
      .kind = names.empty() ? ErrorKind::kNotFound : ErrorKind::kUsage,
      .problem = names.empty() ? "the registry holds no model"
                               : "a registry stands for many models where one is asked",
      .file = WithoutPassword(registry),
      .advice = names.empty() ? "tensorguard registry add MODEL" : "name one as REGISTRY#NAME"};
}

}  // namespace

Result<Fingerprint> FingerprintOf(const std::string& argument, const FingerprintReading& reading,
                                  const Session& session) {
  if (const auto stored = ParseStoredModelName(argument)) {
    return StoredFingerprint(*stored, *session.registries);
  }
  if (NamesRegistry(argument)) return OneOfRegistry(argument, *session.registries);
  if (IsFingerprintFile(argument)) return ReadFingerprint(argument);
  return ComputeFingerprint(argument, reading, {}, session);
}

Result<FingerprintPair> FingerprintsOfPair(const std::string& first, const std::string& second,
                                           const FingerprintReading& reading,
                                           const Session& session) {
  auto a = FingerprintOf(first, reading, session);
  if (!a) return std::move(a).error();
  auto b = FingerprintOf(second, reading, session);
  if (!b) return std::move(b).error();
  a = OnCommonAnchors(*std::move(a), *b, first, reading, session);
  if (!a) return std::move(a).error();
  b = OnCommonAnchors(*std::move(b), *a, second, reading, session);
  if (!b) return std::move(b).error();
  return FingerprintPair{*std::move(a), *std::move(b)};
}

Result<ManyFingerprints> FingerprintsOfAll(const std::vector<std::string>& arguments,
                                           const FingerprintReading& reading,
                                           const Session& session) {
  return ReadAll<Fingerprint>(
      arguments, Profile::kFull,
      [&](const std::string& source) { return FingerprintOf(source, reading, session); }, session);
}

}  // namespace tensorguard::internal
