#include "search/searcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "base/parallel.h"
#include "base/try.h"
#include "database/ask_number.h"

namespace tensorguard::internal {
namespace {

// Rows that are asked for at once: a bound on what an answer takes.
constexpr int64_t kPage = 20'000;
// Signatures that are asked for at once.
constexpr size_t kAtOnce = 32;

std::string ManyAtOnce() {
  std::string sql = "SELECT fingerprint, content FROM signature WHERE fingerprint IN ($1";
  for (size_t i = 1; i < kAtOnce; ++i) sql += fmt::format(", ${}", i + 1);
  return sql + ")";
}

Error BadRow(const Registry& registry, std::string problem, int64_t fingerprint) {
  return {.kind = ErrorKind::kBadFile,
          .problem = std::move(problem),
          .file = registry.place(),
          .found = fmt::format("fingerprint {}", fingerprint),
          .advice = "tensorguard registry verify --repair"};
}

}  // namespace

Result<Searcher> Searcher::Load(Registry& registry) {
  Searcher searcher(registry);
  TG_TRY(searcher.Refresh());
  return searcher;
}

Result<void> Searcher::Refresh() {
  TG_ASSIGN(const int64_t removals, registry_->Removals());
  if (removals != removals_) table_ = VectorTable();
  removals_ = removals;
  return ReadNew();
}

Result<void> Searcher::ReadNew() {
  Database& database = registry_->database();
  if (table_.size() == 0) {
    TG_ASSIGN(const int64_t vectors, AskCount(database, "SELECT count(*) FROM search_vector"));
    table_.Reserve(static_cast<size_t>(vectors));
  }
  for (;;) {
    int64_t rows = 0;
    TG_TRY(database.Query(
        "SELECT fingerprint, version, content FROM search_vector WHERE fingerprint > $1 "
        "ORDER BY fingerprint LIMIT $2",
        {table_.last(), kPage}, [&](const Row& row) -> Result<void> {
          ++rows;
          const auto vector = SearchVectorFrom(row.Bytes(2));
          if (!vector || row.Integer(1) != kSearchVectorVersion) {
            return BadRow(*registry_, "a search vector is not of this version or was cut",
                          row.Integer(0));
          }
          table_.Add(row.Integer(0), *vector);
          return {};
        }));
    if (rows < kPage) return {};
  }
}

Result<std::vector<NearFingerprint>> Searcher::Near(const ScreeningSignature& query,
                                                    unsigned threads) {
  TG_TRY(Refresh());
  const auto vectors = table_.Nearest(SearchVectorOf(query), kVectorCandidates, threads);
  std::vector<int64_t> rows;
  std::map<int64_t, double> vector_scores;
  for (const NearVector& each : vectors) {
    rows.push_back(each.fingerprint);
    vector_scores[each.fingerprint] = each.score;
  }
  TG_ASSIGN(const auto signatures, ReadSignatures(registry_->database(), rows));
  std::vector<NearFingerprint> near(signatures.size());
  // Never fails.
  (void)ParallelFor(signatures.size(), threads, [&](size_t i) -> Result<void> {
    near[i] = {.fingerprint = signatures[i].fingerprint,
               .score = ScreeningScore(query, signatures[i].signature),
               .vector_score = vector_scores.at(signatures[i].fingerprint)};
    return {};
  });
  std::ranges::sort(near, [](const NearFingerprint& a, const NearFingerprint& b) {
    return a.score != b.score ? a.score > b.score : a.fingerprint < b.fingerprint;
  });
  return near;
}

Result<std::vector<StoredSignature>> ReadSignatures(Database& database,
                                                    const std::vector<int64_t>& fingerprints) {
  static const std::string kQuery = ManyAtOnce();
  std::vector<int64_t> rows = fingerprints;
  std::ranges::sort(rows);
  std::vector<StoredSignature> signatures;
  for (size_t begin = 0; begin < rows.size(); begin += kAtOnce) {
    std::array<Value, kAtOnce> values;
    for (size_t i = 0; i < kAtOnce; ++i) {
      values[i] = rows[std::min(begin + i, rows.size() - 1)];  // the last one again and again
    }
    TG_TRY(
        database.Query(kQuery, std::span<const Value>(values), [&](const Row& row) -> Result<void> {
          const auto bytes = row.Bytes(1);
          if (bytes.size() % kSearchNumbers != 0) {
            return Error{
                .kind = ErrorKind::kBadFile,
                .problem = "a signature was cut",
                .file = database.place(),
                .found = fmt::format("{} bytes of fingerprint {}", bytes.size(), row.Integer(0)),
                .advice = "tensorguard registry verify --repair"};
          }
          std::vector<int8_t> numbers(bytes.size());
          if (!bytes.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
          signatures.push_back(
              {.fingerprint = row.Integer(0), .signature = ScreeningSignature(std::move(numbers))});
          return {};
        }));
  }
  return signatures;
}

}  // namespace tensorguard::internal
