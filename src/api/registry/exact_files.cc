#include "api/registry/exact_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "api/reading/weight_digests.h"
#include "base/try.h"
#include "fingerprint/digest/hex_text.h"
#include "registry/known_files.h"
#include "registry/models.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kDigestPrefix = "sha256:";

using Matches = std::vector<ExactMatch>;

void Add(const KnownFile& known, Matches& matches) {
  auto match = std::ranges::find_if(
      matches, [&](const ExactMatch& each) { return each.model.id == known.model.id; });
  if (match == matches.end()) match = matches.insert(match, {.model = known.model});
  // A model may hold one content under two names.
  const bool told = std::ranges::any_of(
      match->files, [&](const ModelFile& each) { return each.sha256 == known.file.sha256; });
  if (!told) match->files.push_back(known.file);
}

Result<Matches> MatchesOfDigest(Registry& registry, const Sha256Digest& sha256) {
  Matches matches;
  TG_ASSIGN(const auto files, FindKnownFiles(registry, sha256));
  for (const KnownFile& each : files) Add(each, matches);
  return matches;
}

Result<Matches> MatchesOfModel(Registry& registry, ListedModel& model, const Session& session) {
  Matches matches;
  for (WeightFile& file : model.files) {
    if (!file.sha256 && file.bytes) {
      TG_ASSIGN(const bool may_be_known, KnowsFileOfLength(registry, *file.bytes));
      if (may_be_known) TG_TRY(MeasureSha256(file, session));
    }
    if (!file.sha256) continue;
    TG_ASSIGN(const auto known, FindKnownFiles(registry, *file.sha256));
    for (const KnownFile& each : known) Add(each, matches);
  }
  std::vector<Sha256Digest> contents;
  for (const WeightFile& file : model.files) {
    if (file.sha256) contents.push_back(*file.sha256);
  }
  const bool all_known = model.complete && contents.size() == model.files.size();
  std::ranges::sort(contents);
  contents.erase(std::unique(contents.begin(), contents.end()), contents.end());
  for (ExactMatch& match : matches)
    match.whole = all_known && match.files.size() == contents.size();
  std::ranges::stable_partition(matches, &ExactMatch::whole);
  return matches;
}

// The fingerprint that a match has in the registry, if its entry may stand for the model. Of one
// that cannot be read whoever searches the registry says why.
std::optional<Fingerprint> FingerprintOfMatch(Registry& registry, const Matches& matches,
                                              bool by_digest_alone) {
  const auto match = std::ranges::find_if(matches, [&](const ExactMatch& each) {
    return by_digest_alone || (each.whole && each.model.trust != "unverified");
  });
  if (match == matches.end()) return {};
  auto fingerprint = FingerprintOfModel(registry, match->model);
  return fingerprint ? std::optional(*std::move(fingerprint)) : std::nullopt;
}

}  // namespace

std::optional<Sha256Digest> ParseFileDigest(const std::string& argument) {
  std::error_code ignored;
  if (std::filesystem::exists(argument, ignored)) return {};
  std::string_view digits = argument;
  if (digits.starts_with(kDigestPrefix)) digits.remove_prefix(kDigestPrefix.size());
  return DigestFromHex(digits);
}

Result<RecognisedModel> Recognise(const std::string& argument,
                                  const std::vector<std::string>& registries,
                                  const FingerprintReading& reading, const Session& session) {
  const auto digest = ParseFileDigest(argument);
  ListedModel model;
  if (!digest && !registries.empty()) {
    TG_ASSIGN(model, ListWeightFiles(argument, session));
  }
  RecognisedModel recognised;
  recognised.exact.asked = digest ? 1 : model.files.size();
  for (const std::string& place : registries) {
    if (!session.registries->Open(place)) continue;
    TG_TRY(session.registries->With(place, [&](Registry& registry) -> Result<void> {
      TG_ASSIGN(auto matches, digest ? MatchesOfDigest(registry, *digest)
                                     : MatchesOfModel(registry, model, session));
      // A part of a model is another one.
      if (!recognised.fingerprint && !session.part) {
        recognised.fingerprint = FingerprintOfMatch(registry, matches, digest.has_value());
      }
      std::ranges::move(matches, std::back_inserter(recognised.exact.matches));
      return {};
    }));
  }
  if (digest) {
    if (recognised.fingerprint) recognised.fingerprint->model_name = argument;
    return recognised;
  }
  if (recognised.fingerprint) {
    recognised.fingerprint->model_name = model.name;
    return recognised;
  }
  TG_ASSIGN(recognised.fingerprint, FingerprintOf(argument, reading, session));
  return recognised;
}

Error NoFileOfDigest(const std::string& digest) {
  return {.kind = ErrorKind::kNotFound,
          .problem = "no registry knows a file of this SHA-256",
          .found = digest,
          .advice = "name the model itself; 'tensorguard registry add --digests' keeps digests"};
}

std::vector<std::string> ExactTexts(const ExactFiles& exact) {
  std::vector<std::string> texts;
  for (const ExactMatch& match : exact.matches) {
    const size_t equal = match.files.size();
    std::string text;
    if (exact.asked == 1) {
      text =
          fmt::format("The file is exactly {} of {}", match.files.front().path, match.model.name);
    } else if (match.whole) {
      text =
          fmt::format("All {} weight files are exactly those of {}", exact.asked, match.model.name);
    } else {
      text = fmt::format("{} of {} weight files {} exactly {} of {}", equal, exact.asked,
                         equal == 1 ? "is" : "are", equal == 1 ? match.files.front().path : "those",
                         match.model.name);
    }
    text += ", byte for byte by SHA-256.";
    if (match.model.trust == "unverified") text += " Nobody verified that entry.";
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace tensorguard::internal
