#include "api/registry/registry_addition.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/cancellable_weights.h"
#include "api/reading/sources.h"
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

Result<PreparedFingerprint> Prepare(const std::string& source, const FingerprintReading& reading,
                                    const Session& session) {
  if (IsFingerprintFile(source)) return PrepareFingerprintFile(source);
  TG_ASSIGN(const auto fingerprint, FingerprintOf(source, reading, session));
  TG_ASSIGN(auto bytes, EncodeFingerprint(fingerprint));
  return PrepareFingerprint(std::move(bytes), source);
}

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

Result<void> CheckRequest(const AdditionRequest& request, size_t models) {
  const NewModel& told = request.told;
  const bool of_one = !told.name.empty() || !told.source.empty() || !told.revision.empty();
  if (!of_one || models <= 1) return {};
  return Error{.kind = ErrorKind::kUsage,
               .problem = "a name, a source and a revision are of one model, and several are given",
               .found = std::to_string(models) + " models",
               .advice = "add them one by one"};
}

// The files of a batch, on several threads; models on the calling one, because each takes all
// threads itself.
std::vector<std::optional<Result<PreparedFingerprint>>> PrepareBatch(
    std::span<const std::string> sources, const FingerprintReading& reading,
    const Session& session) {
  std::vector<std::optional<Result<PreparedFingerprint>>> prepared(sources.size());
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!IsFingerprintFile(sources[i])) prepared[i] = Prepare(sources[i], reading, session);
  }
  // Never fails.
  (void)ParallelFor(sources.size(), reading.threads, [&](size_t i) -> Result<void> {
    if (!prepared[i]) prepared[i] = Prepare(sources[i], reading, session);
    return {};
  });
  return prepared;
}

Result<AddedModel> AddAlone(Registry& registry, const AdditionRequest& request,
                            const std::string& source, const Result<PreparedFingerprint>& print) {
  if (!print) return print.error();
  return AddModel(registry, *print, ToldOf(request.told, source), request.stamp);
}

// Those of a batch that can be read in one transaction; empty where one of them is refused.
std::optional<std::vector<Result<AddedModel>>> AddTogether(
    Registry& registry, const AdditionRequest& request, std::span<const std::string> sources,
    const std::vector<std::optional<Result<PreparedFingerprint>>>& prepared) {
  std::vector<ModelToAdd> models;
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!*prepared[i]) continue;
    models.push_back({.fingerprint = &**prepared[i], .model = ToldOf(request.told, sources[i])});
  }
  auto added = AddModels(registry, models, request.stamp);
  if (!added) return {};
  std::vector<Result<AddedModel>> all;
  size_t next = 0;
  for (const auto& print : prepared) {
    if (*print) {
      all.emplace_back(std::move((*added)[next++]));
    } else {
      all.emplace_back(print->error());
    }
  }
  return all;
}

}  // namespace

Result<AddedModels> AddToRegistry(const AdditionRequest& request, const Session& session) {
  TG_ASSIGN(const auto registry, Registry::Open(request.registry));
  Sources sources = SourcesOf(request.models, Profile::kFull);
  TellLeftOut(sources.left_out, session);
  TG_TRY(CheckRequest(request, sources.paths.size()));
  AddedModels all;
  all.shortfall = {
      .errors = {}, .left_out = std::move(sources.left_out), .asked = sources.paths.size()};
  const std::span<const std::string> paths = sources.paths;
  const ProgressCallback progress = session.listener.ShowProgress("adding");
  for (size_t begin = 0; begin < paths.size(); begin += kBatch) {
    const auto batch = paths.subspan(begin, std::min(kBatch, paths.size() - begin));
    auto prepared = PrepareBatch(batch, request.reading, session);
    auto together = AddTogether(*registry, request, batch, prepared);
    for (size_t i = 0; i < batch.size(); ++i) {
      TG_TRY(CheckCancelled(session.listener));
      auto added = together ? std::move((*together)[i])
                            : AddAlone(*registry, request, batch[i], *prepared[i]);
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

Result<RelatedModels> RelateInRegistry(const RelationRequest& request) {
  TG_ASSIGN(const auto registry, Registry::Open(request.registry));
  TG_ASSIGN(auto child, FindModel(*registry, request.child));
  TG_ASSIGN(auto parent, FindModel(*registry, request.parent));
  TG_TRY(RelateModels(*registry, child, parent, {.kind = request.kind}, request.stamp));
  TG_ASSIGN(const auto of_child, FingerprintOfModel(*registry, child));
  TG_ASSIGN(const auto of_parent, FingerprintOfModel(*registry, parent));
  TG_ASSIGN(const auto comparison, CompareFingerprints(of_child, of_parent));
  const NewRelation measured = {.kind = std::string(VerdictName(comparison.verdict)),
                                .measured = true,
                                .score = comparison.score,
                                .p_value = comparison.p_value};
  TG_TRY(RelateModels(*registry, child, parent, measured, request.stamp));
  return RelatedModels{.child = std::move(child),
                       .parent = std::move(parent),
                       .asserted = request.kind,
                       .measured = measured,
                       .contradicted = comparison.verdict == Verdict::kIndependent};
}

}  // namespace tensorguard::internal
