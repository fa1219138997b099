#include "api/registry/registry_addition.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/cancellable_weights.h"
#include "api/reading/sources.h"
#include "api/reading/weight_digests.h"
#include "api/registry/registry_names.h"
#include "base/parallel.h"
#include "base/try.h"
#include "comparison/compare_fingerprints.h"
#include "fingerprint/file/fingerprint_file.h"
#include "places/hub/hub.h"
#include "places/place_name.h"

namespace tensorguard::internal {
namespace {

// Files that are checked at once, before they are added one after the other.
constexpr size_t kBatch = 16;

// What the model's own address says.
NewModel ToldOf(NewModel told, const std::string& source) {
  const auto place = ParsePlaceName(source);
  if (!place || !IsPlaceUrl(source)) return told;
  const auto* hub = std::get_if<HubPlace>(&*place);
  if (told.source.empty()) told.source = hub ? "hf://" + hub->repository : source;
  if (hub == nullptr) return told;
  if (told.revision.empty() && IsCommit(hub->revision)) told.revision = hub->revision;
  if (told.sub_path.empty()) told.sub_path = hub->file;
  if (told.name.empty()) told.name = hub->repository;
  return told;
}

// A model that is ready to be added.
struct ReadyModel {
  PreparedFingerprint print;
  NewModel model;
};

// What its registry says of a model, where nobody says otherwise.
NewModel ToldOf(NewModel told, const ModelRecord& record) {
  const auto take = [](std::string& text, const std::string& known) {
    if (text.empty() && !known.starts_with("blake3:")) text = known;
  };
  take(told.name, record.name);
  take(told.source, record.source);
  take(told.revision, record.revision);
  take(told.sub_path, record.sub_path);
  return told;
}

// With the SHA-256 that the model's place states, or where it is wanted any.
Result<std::vector<ModelFile>> FilesOf(const std::string& source, bool measure,
                                       const Session& session) {
  std::vector<ModelFile> files;
  TG_ASSIGN(auto listed, ListWeightFiles(source, session));
  for (WeightFile& file : listed.files) {
    if (!file.sha256 && measure) TG_TRY(MeasureSha256(file, session));
    if (!file.sha256) continue;
    files.push_back({.path = file.name, .bytes = *file.bytes, .sha256 = *file.sha256});
  }
  return files;
}

Result<ReadyModel> Prepare(const std::string& source, const AdditionRequest& request,
                           const Session& session) {
  if (const auto name = ParseStoredModelName(source)) {
    TG_ASSIGN(auto stored, ReadStoredModel(*name, *session.registries));
    TG_ASSIGN(auto print, PrepareFingerprint(std::move(stored.fingerprint), source));
    return ReadyModel{.print = std::move(print), .model = ToldOf(request.told, stored.record)};
  }
  if (IsFingerprintFile(source)) {
    TG_ASSIGN(auto print, PrepareFingerprintFile(source));
    return ReadyModel{.print = std::move(print), .model = request.told};
  }
  TG_ASSIGN(const auto fingerprint, FingerprintOf(source, request.reading, session));
  TG_ASSIGN(auto bytes, EncodeFingerprint(fingerprint));
  TG_ASSIGN(auto print, PrepareFingerprint(std::move(bytes), source));
  ReadyModel ready = {.print = std::move(print), .model = ToldOf(request.told, source)};
  TG_ASSIGN(ready.model.files, FilesOf(source, request.digests, session));
  return ready;
}

Result<void> CheckRequest(const AdditionRequest& request, std::span<const std::string> sources) {
  const bool any_model = std::ranges::any_of(
      sources, [](const std::string& source) { return !IsFingerprintFile(source); });
  if (request.digests && !any_model) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "digests are of weight files, and fingerprints have none",
                 .found = "fingerprints alone",
                 .expected = "a model among what is added"};
  }
  const NewModel& told = request.told;
  const bool of_one = !told.name.empty() || !told.source.empty() || !told.revision.empty();
  if (!of_one || sources.size() <= 1) return {};
  return Error{.kind = ErrorKind::kUsage,
               .problem = "a name, a source and a revision are of one model, and several are given",
               .found = std::to_string(sources.size()) + " models",
               .advice = "add them one by one"};
}

// The files of a batch, on several threads; models on the calling one, because each takes all
// threads itself.
std::vector<std::optional<Result<ReadyModel>>> PrepareBatch(std::span<const std::string> sources,
                                                            const AdditionRequest& request,
                                                            const Session& session) {
  std::vector<std::optional<Result<ReadyModel>>> prepared(sources.size());
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!IsFingerprintFile(sources[i])) prepared[i] = Prepare(sources[i], request, session);
  }
  // Never fails.
  (void)ParallelFor(sources.size(), request.reading.threads, [&](size_t i) -> Result<void> {
    if (!prepared[i]) prepared[i] = Prepare(sources[i], request, session);
    return {};
  });
  return prepared;
}

Result<AddedModel> AddAlone(Registry& registry, const Stamp& stamp,
                            const Result<ReadyModel>& ready) {
  if (!ready) return ready.error();
  return AddModel(registry, ready->print, ready->model, stamp);
}

// Those of a batch that can be read in one transaction; empty where one of them is refused.
std::optional<std::vector<Result<AddedModel>>> AddTogether(
    Registry& registry, const Stamp& stamp,
    const std::vector<std::optional<Result<ReadyModel>>>& prepared) {
  std::vector<ModelToAdd> models;
  for (const auto& ready : prepared) {
    if (*ready) models.push_back({.fingerprint = &(*ready)->print, .model = (*ready)->model});
  }
  auto added = AddModels(registry, models, stamp);
  if (!added) return {};
  std::vector<Result<AddedModel>> all;
  size_t next = 0;
  for (const auto& ready : prepared) {
    if (*ready) {
      all.emplace_back(std::move((*added)[next++]));
    } else {
      all.emplace_back(ready->error());
    }
  }
  return all;
}

}  // namespace

Result<AddedModels> AddToRegistry(const AdditionRequest& request, const Session& session) {
  TG_ASSIGN(const auto registry, Registry::Open(request.registry));
  Sources sources = SourcesOf(request.models, Profile::kFull, session);
  TellLeftOut(sources.left_out, session);
  TG_TRY(CheckRequest(request, sources.paths));
  AddedModels all;
  all.shortfall = {
      .errors = {}, .left_out = std::move(sources.left_out), .asked = sources.paths.size()};
  const std::span<const std::string> paths = sources.paths;
  const ProgressCallback progress = session.listener.ShowProgress("adding");
  for (size_t begin = 0; begin < paths.size(); begin += kBatch) {
    const auto batch = paths.subspan(begin, std::min(kBatch, paths.size() - begin));
    auto prepared = PrepareBatch(batch, request, session);
    auto together = AddTogether(*registry, request.stamp, prepared);
    for (size_t i = 0; i < batch.size(); ++i) {
      TG_TRY(CheckCancelled(session.listener));
      auto added =
          together ? std::move((*together)[i]) : AddAlone(*registry, request.stamp, *prepared[i]);
      if (added) {
        all.added.push_back(*std::move(added));
      } else if (added.error().kind == ErrorKind::kCancelled ||
                 (*prepared[i] && added.error().kind == ErrorKind::kSystem)) {
        // What the registry itself refuses, it refuses for all that follow.
        return std::move(added).error();
      } else {
        session.listener.ReportError(added.error());
        all.shortfall.errors.push_back(std::move(added).error());
      }
      if (progress) {
        progress({.what = batch[i],
                  .bytes_done = begin + i + 1,
                  .bytes_total = paths.size(),
                  .unit = ProgressUnit::kFiles});
      }
    }
  }
  session.listener.EndProgress();
  return all;
}

Result<RelatedModels> RelateInRegistry(Registry& registry, const RelationRequest& request) {
  TG_ASSIGN(auto child, FindModel(registry, request.child));
  TG_ASSIGN(auto parent, FindModel(registry, request.parent));
  TG_TRY(RelateModels(registry, child, parent, {.kind = request.kind}, request.stamp));
  TG_ASSIGN(const auto of_child, FingerprintOfModel(registry, child));
  TG_ASSIGN(const auto of_parent, FingerprintOfModel(registry, parent));
  TG_ASSIGN(const auto comparison, CompareFingerprints(of_child, of_parent));
  const NewRelation measured = {.kind = std::string(VerdictName(comparison.verdict)),
                                .measured = true,
                                .score = comparison.score,
                                .p_value = comparison.p_value};
  TG_TRY(RelateModels(registry, child, parent, measured, request.stamp));
  return RelatedModels{.child = std::move(child),
                       .parent = std::move(parent),
                       .asserted = request.kind,
                       .measured = measured,
                       .contradicted = comparison.verdict == Verdict::kIndependent};
}

}  // namespace tensorguard::internal
