#include "api/reading/nearest_fingerprints.h"

#include <fmt/format.h>

#include <mutex>
#include <optional>
#include <utility>

#include "api/cancellable_weights.h"
#include "api/reading/sources.h"
#include "api/registry/registry_names.h"
#include "base/parallel.h"
#include "base/try.h"
#include "families/shortlist.h"
#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/screening.h"

namespace tensorguard::internal {
namespace {

struct Source {
  std::string path;
  std::optional<Fingerprint> computed = {};  // of a model
  std::optional<ScreeningSignature> signature = {};
  std::optional<Error> error = {};
};

// The signatures of files, on several threads; a model's fingerprint on the calling one, because it
// takes all threads itself. Errors: kCancelled.
Result<void> ReadSignatures(std::vector<Source>& sources, const FingerprintReading& reading,
                            const Session& session) {
  for (Source& source : sources) {
    if (IsFingerprintFile(source.path) && !ParseStoredModelName(source.path)) continue;
    if (auto going = CheckCancelled(session.listener); !going) return going;
    auto print = FingerprintOf(source.path, reading, session);
    if (print) {
      source.signature = ScreeningOf(*print);
      source.computed = *std::move(print);
    } else {
      source.error = std::move(print).error();
    }
  }
  const ProgressCallback progress = session.listener.ShowProgress("signatures");
  std::mutex mutex;
  uint64_t done = 0;
  auto done_all = ParallelFor(sources.size(), reading.threads, [&](size_t i) -> Result<void> {
    if (auto going = CheckCancelled(session.listener); !going) return going;
    Source& source = sources[i];
    if (!source.computed && !source.error) {
      auto signature = ReadScreening(source.path);
      if (signature) {
        source.signature = *std::move(signature);
      } else {
        source.error = std::move(signature).error();
      }
    }
    const std::lock_guard lock(mutex);
    ++done;
    if (progress) {
      progress({.what = source.path,
                .bytes_done = done,
                .bytes_total = sources.size(),
                .unit = ProgressUnit::kFiles});
    }
    return {};
  });
  session.listener.EndProgress();
  return done_all;
}

// Those of the shortlist in full, each held against its signature. Errors: kCancelled.
Result<void> ReadInFull(std::vector<Source>& sources, const std::vector<size_t>& chosen,
                        unsigned threads, const Session& session) {
  return ParallelFor(chosen.size(), threads, [&](size_t i) -> Result<void> {
    if (auto going = CheckCancelled(session.listener); !going) return going;
    Source& source = sources[chosen[i]];
    if (source.computed) return {};
    auto print = ReadFingerprint(source.path);
    if (!print) {
      source.error = std::move(print).error();
      return {};
    }
    if (auto checked = CheckScreening(*source.signature, *print); !checked) {
      source.error = std::move(checked).error().InFile(source.path);
      return {};
    }
    source.computed = *std::move(print);
    return {};
  });
}

// Indices of the sources that have a signature, and those signatures.
struct Screened {
  std::vector<size_t> sources;
  std::vector<ScreeningSignature> signatures;
};

Screened TakeSignatures(const std::vector<Source>& sources) {
  Screened screened;
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!sources[i].signature) continue;
    screened.sources.push_back(i);
    screened.signatures.push_back(*sources[i].signature);
  }
  return screened;
}

// Of arguments that are no registries. Errors: kCancelled.
Result<ManyFingerprints> NearestOfFiles(const Fingerprint& unknown,
                                        const std::vector<std::string>& arguments,
                                        const FingerprintReading& reading, const Session& session) {
  Sources named = SourcesOf(arguments, Profile::kFull, session);
  if (named.paths.size() <= kFewKnownModels) return FingerprintsOfAll(arguments, reading, session);
  TellLeftOut(named.left_out, session);
  std::vector<Source> sources;
  for (std::string& path : named.paths) sources.push_back({.path = std::move(path)});
  TG_TRY(ReadSignatures(sources, reading, session));
  const Screened screened = TakeSignatures(sources);
  std::vector<size_t> chosen;
  for (const size_t each :
       ShortlistOf(ScreeningOf(unknown), screened.signatures, reading.threads)) {
    chosen.push_back(screened.sources[each]);
  }
  TG_TRY(ReadInFull(sources, chosen, reading.threads, session));

  ManyFingerprints nearest;
  nearest.shortfall.asked = sources.size();
  nearest.shortfall.left_out = std::move(named.left_out);
  for (Source& source : sources) {
    if (!source.error) continue;
    session.listener.ReportError(*source.error);
    nearest.shortfall.errors.push_back(*std::move(source.error));
  }
  for (const size_t each : chosen) {
    if (!sources[each].computed) continue;
    nearest.read.push_back(*std::move(sources[each].computed));
    nearest.sources.push_back(std::move(sources[each].path));
  }
  return nearest;
}

// Adds the nearest of a registry. Errors: those of the registry; kCancelled.
Result<void> AddNearestOfRegistry(Registry& registry, const Fingerprint& unknown,
                                  const FingerprintReading& reading, const Session& session,
                                  NearestFingerprints& nearest) {
  TG_ASSIGN(auto searcher, Searcher::Load(registry));
  TG_ASSIGN(const auto shortlist,
            ShortlistOfRegistry(registry, searcher, unknown, reading.threads));
  SearchSummary& all = nearest.searched;
  all.models += shortlist.summary.models;
  all.fingerprints += shortlist.summary.fingerprints;
  all.families += shortlist.summary.families;
  all.rescored += shortlist.summary.rescored;
  all.by_parts += shortlist.summary.by_parts;
  nearest.shortfall.asked += shortlist.summary.fingerprints;
  TG_TRY(CheckCancelled(session.listener));
  auto prints = FingerprintsOfModels(registry, shortlist.models, reading.threads);
  for (size_t i = 0; i < prints.size(); ++i) {
    const ModelRecord& model = shortlist.models[i];
    Result<Fingerprint>& print = prints[i];
    if (!print) {
      session.listener.ReportError(print.error());
      nearest.shortfall.errors.push_back(std::move(print).error());
      continue;
    }
    nearest.read.push_back(*std::move(print));
    // By its content nobody would know it; by its number it can be asked for.
    const std::string place =
        model.source.starts_with("blake3:") ? fmt::format("#{}", model.id) : model.source;
    nearest.sources.push_back(fmt::format("{}#{}", registry.place(), place));
  }
  return {};
}

}  // namespace

Result<NearestFingerprints> NearestOfAll(const Fingerprint& unknown,
                                         const std::vector<std::string>& arguments,
                                         const FingerprintReading& reading,
                                         const Session& session) {
  std::vector<std::string> registries;
  std::vector<std::string> others;
  for (const std::string& argument : arguments) {
    (NamesRegistry(argument) ? registries : others).push_back(argument);
  }
  NearestFingerprints nearest;
  if (!others.empty()) {
    TG_ASSIGN(static_cast<ManyFingerprints&>(nearest),
              NearestOfFiles(unknown, others, reading, session));
  }
  for (const std::string& registry : registries) {
    auto added = session.registries->With(registry, [&](Registry& opened) {
      return AddNearestOfRegistry(opened, unknown, reading, session, nearest);
    });
    if (added) continue;
    if (added.error().kind == ErrorKind::kCancelled) return std::move(added).error();
    session.listener.ReportError(added.error());
    nearest.shortfall.errors.push_back(std::move(added).error());
    ++nearest.shortfall.asked;
  }
  return nearest;
}

}  // namespace tensorguard::internal
