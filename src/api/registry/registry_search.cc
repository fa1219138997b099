#include "api/registry/registry_search.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "base/parallel.h"
#include "base/try.h"
#include "database/ask_number.h"
#include "families/shortlist.h"
#include "places/place_name.h"

namespace tensorguard::internal {
namespace {

// Of models that hold equal parts, so many join the shortlist.
constexpr size_t kMostByParts = 16;
// Single layers may be equal by accident of training code; two are a splice.
constexpr size_t kFewestLayers = 2;

constexpr std::string_view kCountPresent = "SELECT count(*) FROM model WHERE state = 'present'";

struct Query {
  std::string name;
  std::optional<Fingerprint> fingerprint;  // empty for a file's digest that the registry lacks
  std::optional<ModelRecord> stored = {};  // where it is a model of the registry
  ExactFiles exact = {};
};

// Empty where `name` is none of the registry's.
Result<std::optional<Query>> StoredQuery(Registry& registry, const std::string& name) {
  auto stored = FindModel(registry, name);
  if (!stored && stored.error().kind == ErrorKind::kNotFound && ParseFileDigest(name)) {
    return std::optional<Query>();
  }
  if (!stored) {
    Error error = std::move(stored).error();
    if (error.kind == ErrorKind::kNotFound) {
      error.problem = "neither a model on this machine nor one of the registry";
    }
    return error;
  }
  TG_ASSIGN(auto fingerprint, FingerprintOfModel(registry, *stored));
  return std::optional(Query{.name = fingerprint.model_name,
                             .fingerprint = std::move(fingerprint),
                             .stored = *std::move(stored)});
}

// What is on this machine or at a place comes first, then names of the registry, then digests.
Result<Query> Resolve(const RegistryQuery& query, const Session& session) {
  TG_TRY(session.registries->Open(query.registry));
  std::error_code ignored;
  const bool elsewhere = IsPlaceUrl(query.model) || std::filesystem::exists(query.model, ignored);
  if (!elsewhere) {
    TG_ASSIGN(auto stored, session.registries->With(query.registry, [&](Registry& registry) {
      return StoredQuery(registry, query.model);
    }));
    if (stored) return *std::move(stored);
  }
  TG_ASSIGN(auto recognised, Recognise(query.model, {query.registry}, query.reading, session));
  const auto& fingerprint = recognised.fingerprint;
  return Query{.name = fingerprint ? fingerprint->model_name : query.model,
               .fingerprint = std::move(recognised.fingerprint),
               .exact = std::move(recognised.exact)};
}

// The first model of each fingerprint, present ones before others.
Result<std::vector<ModelRecord>> ModelsOf(Registry& registry,
                                          const std::vector<int64_t>& fingerprints) {
  std::vector<ModelRecord> models;
  for (const int64_t fingerprint : fingerprints) {
    TG_ASSIGN(auto all, ModelsOfFingerprint(registry, fingerprint));
    if (all.empty()) continue;  // removed meanwhile
    const auto present =
        std::ranges::find_if(all, [](const ModelRecord& each) { return each.state == "present"; });
    models.push_back(std::move(present == all.end() ? all.front() : *present));
  }
  return models;
}

// As ShortlistOf: kShortlist, and those as near as the last of them.
std::vector<int64_t> NearestRows(const std::vector<NearFingerprint>& near) {
  size_t count = std::min(near.size(), kShortlist);
  if (count == kShortlist) {
    const double last = near[kShortlist - 1].score - kNearTie;
    while (count < std::min(near.size(), kLongestShortlist) && near[count].score >= last) ++count;
  }
  std::vector<int64_t> rows;
  for (size_t i = 0; i < count; ++i) rows.push_back(near[i].fingerprint);
  return rows;
}

// Models that hold runs of the model's layers and are not in `rows` yet.
Result<size_t> AddByParts(Registry& registry, const Fingerprint& unknown,
                          std::vector<int64_t>& rows) {
  TG_ASSIGN(const auto hits, FindPartHits(registry, unknown));
  size_t added = 0;
  for (const PartHit& hit : hits) {
    if (added == kMostByParts) break;
    if (hit.layers < kFewestLayers || std::ranges::count(rows, hit.fingerprint) > 0) continue;
    rows.push_back(hit.fingerprint);
    ++added;
  }
  return added;
}

Result<Comparison> CompareStored(Registry& registry, const NormalisedModel& model,
                                 const ModelRecord& other) {
  TG_ASSIGN(const auto fingerprint, FingerprintOfModel(registry, other));
  return CompareFingerprints(model, fingerprint);
}

struct WantedRows {
  size_t limit = 0;
  bool full = false;
  WantedKin kinship = WantedKin::kAny;
};

bool HasKinship(const Comparison& comparison, WantedKin kinship) {
  if (kinship == WantedKin::kAny) return true;
  const auto wanted = kinship == WantedKin::kDescendants ? Side::kB : Side::kA;
  return IsDerivation(comparison.verdict) && comparison.direction.later == wanted;
}

Result<std::vector<SearchRow>> RowsOf(Registry& registry, const Query& asked,
                                      const std::vector<NearFingerprint>& near,
                                      const WantedRows& wanted) {
  const size_t most = wanted.full ? std::min(wanted.limit, kLongestShortlist) : wanted.limit;
  const NormalisedModel model(*asked.fingerprint);
  std::vector<SearchRow> rows;
  size_t compared = 0;
  for (const NearFingerprint& each : near) {
    if (rows.size() >= most) break;
    if (asked.stored && each.fingerprint == asked.stored->fingerprint) continue;
    TG_ASSIGN(auto models, ModelsOf(registry, {each.fingerprint}));
    if (models.empty() || models.front().state != "present") continue;
    SearchRow row = {.model = std::move(models.front()), .score = each.score};
    if (wanted.full) {
      if (++compared > kLongestShortlist) break;
      TG_ASSIGN(row.comparison, CompareStored(registry, model, row.model));
      if (!HasKinship(*row.comparison, wanted.kinship)) continue;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

Result<size_t> CountFamilies(Registry& registry, size_t fingerprints) {
  std::map<int64_t, int64_t> leader;
  const auto find = [&](int64_t each) {
    while (leader.contains(each) && leader[each] != each) each = leader[each];
    return each;
  };
  size_t joined = 0;
  TG_TRY(registry.database().Query(
      "SELECT DISTINCT c.fingerprint, p.fingerprint FROM relation r "
      "JOIN model c ON c.id = r.child JOIN model p ON p.id = r.parent WHERE r.origin = 'measured' "
      "AND r.kind IN ('derived', 'reparameterised', 'identical')",
      {}, [&](const Row& row) -> Result<void> {
        const int64_t a = find(row.Integer(0));
        const int64_t b = find(row.Integer(1));
        if (a == b) return {};
        leader[std::max(a, b)] = std::min(a, b);
        ++joined;
        return {};
      }));
  return std::max<size_t>(fingerprints, joined + 1) - joined;
}

Result<RegistryShortlist> ShortlistOfRegistry(Registry& registry, Searcher& searcher,
                                              const Fingerprint& unknown, unsigned threads) {
  TG_ASSIGN(const auto present, AskCount(registry.database(), kCountPresent));
  RegistryShortlist shortlist;
  TG_ASSIGN(const auto near, searcher.Near(ScreeningOf(unknown), threads));
  shortlist.summary = {.models = static_cast<size_t>(present), .fingerprints = searcher.size()};
  TG_ASSIGN(shortlist.summary.families, CountFamilies(registry, searcher.size()));
  shortlist.summary.rescored = near.size();
  std::vector<int64_t> rows;
  if (searcher.size() <= kFewKnownModels) {
    for (const NearFingerprint& each : near) rows.push_back(each.fingerprint);
    std::ranges::sort(rows);
  } else {
    rows = NearestRows(near);
    TG_ASSIGN(shortlist.summary.by_parts, AddByParts(registry, unknown, rows));
  }
  TG_ASSIGN(shortlist.models, ModelsOf(registry, rows));
  return shortlist;
}

Result<RegistrySearchResult> SearchRegistry(const RegistryQuery& query, bool full,
                                            WantedKin kinship, const Session& session) {
  TG_ASSIGN(auto asked, Resolve(query, session));
  RegistrySearchResult result = {.name = asked.name, .exact = std::move(asked.exact)};
  TG_TRY(session.registries->With(query.registry, [&](Registry& registry) -> Result<void> {
    TG_ASSIGN(auto searcher, Searcher::Load(registry));
    TG_ASSIGN(const auto present, AskCount(registry.database(), kCountPresent));
    TG_ASSIGN(const auto families, CountFamilies(registry, searcher.size()));
    result.summary = {.models = static_cast<size_t>(present),
                      .fingerprints = searcher.size(),
                      .families = families};
    if (!asked.fingerprint) return {};
    TG_ASSIGN(const auto near,
              searcher.Near(ScreeningOf(*asked.fingerprint), query.reading.threads));
    result.summary.rescored = near.size();
    TG_ASSIGN(result.rows, RowsOf(registry, asked, near,
                                  {.limit = query.limit,
                                   .full = full || kinship != WantedKin::kAny,
                                   .kinship = kinship}));
    return {};
  }));
  return result;
}

Result<SharedPartsResult> SharedPartsInRegistry(const RegistryQuery& query,
                                                const Session& session) {
  TG_ASSIGN(const auto asked, Resolve(query, session));
  if (!asked.fingerprint) return NoFileOfDigest(query.model);
  std::optional<int64_t> except;
  if (asked.stored) except = asked.stored->fingerprint;
  SharedPartsResult result = {.name = asked.name, .parts = {}};
  TG_ASSIGN(result.parts, session.registries->With(query.registry, [&](Registry& registry) {
    return FindSharedParts(registry, *asked.fingerprint, except);
  }));
  return result;
}

}  // namespace tensorguard::internal
