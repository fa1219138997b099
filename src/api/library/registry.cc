#include "tensorguard/registry.h"

#include <algorithm>
#include <utility>

#include "api/library/comparison.h"
#include "api/library/registry_session.h"
#include "api/registry/registry_search.h"
#include "families/full_classification.h"
#include "fingerprint/file/fingerprint_file.h"
#include "registry/known_files.h"
#include "registry/models.h"

namespace tensorguard {
namespace internal {

namespace {

Result<RegistryAddition> AddPrepared(RegistrySession& session, const PreparedFingerprint& print,
                                     const RegistryEntry& entry) {
  NewModel model = {.name = entry.name,
                    .source = entry.source,
                    .revision = entry.revision,
                    .collection = entry.collection,
                    .trust = entry.trust,
                    .licenses = SaidByPerson(entry.license)};
  for (const RegistryFile& each : entry.files) {
    TG_ASSIGN(auto file, FileFrom(each));
    model.files.push_back(std::move(file));
  }
  TG_ASSIGN(const auto added, AddModel(session.registry(), print, model,
                                       {.at = entry.added_at, .who = entry.added_by}));
  return RegistryAddition{.model = PublicModel(added.model),
                          .already_there = added.addition == Addition::kAlreadyThere};
}

}  // namespace
}  // namespace internal

Registry::Registry(std::unique_ptr<internal::RegistrySession> session)
    : session_(std::move(session)) {}
Registry::Registry(Registry&&) noexcept = default;
Registry& Registry::operator=(Registry&&) noexcept = default;
Registry::~Registry() = default;

Result<Registry> Registry::Create(const std::string& place, int64_t created_at,
                                  const std::string& created_by) {
  TG_ASSIGN(auto registry,
            internal::Registry::Create(place, {}, {.at = created_at, .who = created_by}));
  return Registry(std::make_unique<internal::RegistrySession>(std::move(registry)));
}

Result<Registry> Registry::Open(const std::string& place) {
  TG_ASSIGN(auto registry, internal::Registry::Open(place));
  return Registry(std::make_unique<internal::RegistrySession>(std::move(registry)));
}

Result<RegistryAddition> Registry::Add(const Fingerprint& fingerprint, const RegistryEntry& entry) {
  TG_ASSIGN(auto bytes, internal::EncodeFingerprint(fingerprint.data()));
  TG_ASSIGN(const auto print,
            internal::PrepareFingerprint(std::move(bytes), fingerprint.model_name()));
  return internal::AddPrepared(*session_, print, entry);
}

Result<RegistryAddition> Registry::AddFile(const std::string& path, const RegistryEntry& entry) {
  TG_ASSIGN(const auto print, internal::PrepareFingerprintFile(path));
  return internal::AddPrepared(*session_, print, entry);
}

Result<std::vector<RegistryModel>> Registry::List(int64_t after, int64_t limit,
                                                  const std::string& collection) {
  TG_ASSIGN(const auto models,
            internal::ListModels(session_->registry(),
                                 {.collection = collection, .after = after, .limit = limit}));
  std::vector<RegistryModel> all;
  for (const internal::ModelRecord& each : models) all.push_back(internal::PublicModel(each));
  return all;
}

Result<RegistryModel> Registry::Find(const std::string& name) {
  TG_ASSIGN(const auto model, internal::FindModel(session_->registry(), name));
  TG_ASSIGN(const auto details, internal::DetailsOf(session_->registry(), model));
  RegistryModel found = internal::PublicModel(model);
  for (const internal::LicenseClaim& each : details.licenses) {
    found.licenses.push_back(each.license);
  }
  for (const internal::ModelFile& each : details.files) {
    found.files.push_back(internal::PublicFile(each));
  }
  for (const internal::RelationRecord& each : details.relations) {
    found.relations.push_back(internal::PublicRelation(each));
  }
  return found;
}

Result<Fingerprint> Registry::ReadFingerprint(const std::string& name) {
  TG_ASSIGN(const auto model, internal::FindModel(session_->registry(), name));
  TG_ASSIGN(auto print, internal::FingerprintOfModel(session_->registry(), model));
  return Fingerprint(std::make_shared<const internal::Fingerprint>(std::move(print)));
}

Result<void> Registry::Remove(const std::string& name, int64_t removed_at,
                              const std::string& removed_by) {
  TG_ASSIGN(const auto model, internal::FindModel(session_->registry(), name));
  return internal::RemoveModel(session_->registry(), model, {.at = removed_at, .who = removed_by});
}

Result<RegistrySearch> Registry::Search(const Fingerprint& model, size_t limit, unsigned threads) {
  TG_ASSIGN(internal::Searcher* const searcher, session_->searcher());
  TG_ASSIGN(const auto near, searcher->Near(internal::ScreeningOf(model.data()), threads));
  RegistrySearch search = {.searched = searcher->size()};
  for (const internal::NearFingerprint& each : near) {
    if (search.hits.size() >= limit) break;
    TG_ASSIGN(const auto models,
              internal::ModelsOfFingerprint(session_->registry(), each.fingerprint));
    for (const internal::ModelRecord& record : models) {
      if (record.state != "present" || search.hits.size() >= limit) continue;
      search.hits.push_back({.model = internal::PublicModel(record), .score = each.score});
    }
  }
  return search;
}

Result<RegistryClassification> Registry::Classify(const Fingerprint& model, unsigned threads) {
  TG_ASSIGN(internal::Searcher* const searcher, session_->searcher());
  TG_ASSIGN(const auto shortlist,
            internal::ShortlistOfRegistry(session_->registry(), *searcher, model.data(), threads));
  std::vector<internal::Fingerprint> known;
  for (auto& each :
       internal::FingerprintsOfModels(session_->registry(), shortlist.models, threads)) {
    TG_ASSIGN(auto print, std::move(each));
    known.push_back(std::move(print));
  }
  TG_ASSIGN(auto result,
            internal::ClassifyFingerprint(model.data(), known,
                                          {.threads = threads,
                                           .known_models = shortlist.summary.fingerprints,
                                           .independent_candidates = shortlist.summary.families}));
  RegistryClassification answer = {
      .classification = internal::PublicClassification({.unknown = model.data(),
                                                        .known = std::move(known),
                                                        .result = std::move(result),
                                                        .searched = shortlist.summary}),
      .searched = shortlist.summary.fingerprints};
  for (const internal::ModelRecord& each : shortlist.models) {
    answer.models.push_back(internal::PublicModel(each));
  }
  return answer;
}

Result<std::vector<RegistryFileHit>> Registry::FindFile(const std::string& sha256) {
  TG_ASSIGN(const auto digest, internal::Sha256From(sha256));
  TG_ASSIGN(const auto files, internal::FindKnownFiles(session_->registry(), digest));
  std::vector<RegistryFileHit> hits;
  for (const internal::KnownFile& each : files) {
    hits.push_back(
        {.model = internal::PublicModel(each.model), .file = internal::PublicFile(each.file)});
  }
  return hits;
}

}  // namespace tensorguard
