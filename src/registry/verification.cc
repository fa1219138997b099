#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/try.h"
#include "database/ask_number.h"
#include "fingerprint/digest/hex_text.h"
#include "registry/models.h"
#include "registry/state.h"

namespace tensorguard::internal {
namespace {

// A fingerprint's row, and what is kept beside it.
struct Kept {
  BlobKey key;
  std::vector<std::byte> signature;
  std::vector<std::byte> vector;
  int64_t vector_version = 0;
  bool has_models = false;
};

Result<std::vector<int64_t>> FingerprintRows(Database& database) {
  std::vector<int64_t> rows;
  TG_TRY(database.Query("SELECT id FROM fingerprint ORDER BY id", {},
                        [&](const Row& row) -> Result<void> {
                          rows.push_back(row.Integer(0));
                          return {};
                        }));
  return rows;
}

Result<std::optional<Kept>> ReadKept(Database& database, int64_t id) {
  std::optional<Kept> kept;
  TG_TRY(
      database.Query("SELECT f.digest, s.content, v.content, v.version, "
                     "(SELECT count(*) FROM model m WHERE m.fingerprint = f.id) FROM fingerprint f "
                     "LEFT JOIN signature s ON s.fingerprint = f.id "
                     "LEFT JOIN search_vector v ON v.fingerprint = f.id WHERE f.id = $1",
                     {id}, [&](const Row& row) -> Result<void> {
                       kept.emplace();
                       kept->key.fingerprint = id;
                       const auto digest = row.Bytes(0);
                       std::memcpy(kept->key.digest.data(), digest.data(),
                                   std::min(digest.size(), kept->key.digest.size()));
                       const auto copy = [&](size_t column) {
                         const auto bytes = row.Bytes(column);
                         return std::vector<std::byte>(bytes.begin(), bytes.end());
                       };
                       kept->signature = copy(1);
                       kept->vector = copy(2);
                       kept->vector_version = row.Integer(3);
                       kept->has_models = row.Integer(4) > 0;
                       return {};
                     }));
  return kept;
}

Result<std::vector<DigestEntry>> ReadDigests(Database& database, int64_t id) {
  std::vector<DigestEntry> entries;
  TG_TRY(database.Query("SELECT digest, weight FROM weight_digest WHERE fingerprint = $1", {id},
                        [&](const Row& row) -> Result<void> {
                          entries.push_back({row.Integer(0), row.Integer(1)});
                          return {};
                        }));
  std::ranges::sort(entries);
  return entries;
}

bool Equal(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::ranges::equal(a, b);
}

class Verifier {
 public:
  Verifier(Registry& registry, bool repair) : registry_(registry), repair_(repair) {}

  Result<void> CheckFile() {
    if (registry_.database().engine() != Engine::kSqlite) return {};
    return registry_.database().Query("PRAGMA quick_check(20)", {},
                                      [&](const Row& row) -> Result<void> {
                                        if (row.Text(0) == "ok") return {};
                                        return Tell(row.Text(0), "");
                                      });
  }

  Result<void> CheckFingerprint(int64_t id) {
    TG_ASSIGN(const auto kept, ReadKept(registry_.database(), id));
    if (!kept) return {};  // removed meanwhile
    const std::string subject = HexOf(kept->key.digest);
    if (!kept->has_models) return RemoveUnnamed(*kept, subject);
    auto bytes = registry_.blobs().Get(kept->key);
    if (!bytes && bytes.error().kind == ErrorKind::kSystem) return std::move(bytes).error();
    if (!bytes) return Tell(bytes.error().problem, subject);
    const auto print = PrepareFingerprint(*std::move(bytes), subject);
    if (!print) return Tell(print.error().problem, subject);
    TG_ASSIGN(const auto digests, ReadDigests(registry_.database(), id));
    std::string problem;
    if (!Equal(kept->vector, std::as_bytes(std::span(print->vector.numbers))) ||
        kept->vector_version != kSearchVectorVersion) {
      problem = "the search vector is not that of the fingerprint";
    }
    if (!Equal(kept->signature, std::as_bytes(std::span(print->signature)))) {
      problem = "the signature is not that of the fingerprint";
    }
    if (digests != print->weights) problem = "the digests of the matrices are not its own";
    if (problem.empty()) return {};
    if (repair_) TG_TRY(ComputeAnew(id, *print));
    return Tell(problem, subject, repair_);
  }

  Result<void> CheckOrphans() {
    TG_ASSIGN(const auto orphans, registry_.blobs().Orphans());
    for (const Blake3Digest& digest : orphans) {
      Leftover leftover = {.digest = digest};
      if (repair_) {
        TG_ASSIGN(leftover.removed, registry_.RemoveLooseBlob(digest));
      }
      found_.leftovers.push_back(leftover);
    }
    return CheckLooseDigests();
  }

  Verification TakeFindings() { return std::move(found_); }

 private:
  Result<void> Tell(std::string problem, std::string subject, bool repaired = false) {
    found_.faults.push_back({std::move(problem), std::move(subject), repaired});
    return {};
  }

  Result<void> RemoveUnnamed(const Kept& kept, const std::string& subject) {
    if (repair_) {
      TG_TRY(registry_.database().InTransaction([&]() -> Result<void> {
        TG_TRY(Forget(kept.key.fingerprint));
        for (const std::string_view sql : {"DELETE FROM fingerprint_blob WHERE fingerprint = $1",
                                           "DELETE FROM fingerprint WHERE id = $1"}) {
          TG_TRY(registry_.database().Run(sql, {kept.key.fingerprint}));
        }
        return registry_.NoteRemoval();
      }));
      TG_TRY(registry_.RemoveLooseBlob(kept.key.digest));
    }
    return Tell("a fingerprint belongs to no model", subject, repair_);
  }

  Result<void> Forget(int64_t id) {
    for (const std::string_view sql : {"DELETE FROM signature WHERE fingerprint = $1",
                                       "DELETE FROM search_vector WHERE fingerprint = $1",
                                       "DELETE FROM weight_digest WHERE fingerprint = $1"}) {
      TG_TRY(registry_.database().Run(sql, {id}));
    }
    return {};
  }

  Result<void> ComputeAnew(int64_t id, const PreparedFingerprint& print) {
    return registry_.database().InTransaction([&]() -> Result<void> {
      TG_TRY(Forget(id));
      TG_TRY(registry_.NoteRemoval());
      return StoreDerived(registry_.database(), id, print);
    });
  }

  // Digests whose fingerprint is gone: their table has no reference that the database keeps.
  Result<void> CheckLooseDigests() {
    static constexpr std::string_view kLoose =
        "FROM weight_digest WHERE fingerprint NOT IN (SELECT id FROM fingerprint)";
    TG_ASSIGN(const int64_t loose,
              AskCount(registry_.database(), "SELECT count(*) " + std::string(kLoose)));
    if (loose == 0) return {};
    if (repair_) TG_TRY(registry_.database().Run("DELETE " + std::string(kLoose)));
    return Tell(fmt::format("{} digests belong to no fingerprint", loose), "", repair_);
  }

  Registry& registry_;
  bool repair_;
  Verification found_;
};

}  // namespace

Result<Verification> VerifyRegistry(
    Registry& registry, bool repair, const Stamp& stamp,
    const std::function<Result<void>(int64_t done, int64_t all)>& on_checked) {
  Verifier verifier(registry, repair);
  TG_TRY(verifier.CheckFile());
  TG_ASSIGN(const auto rows, FingerprintRows(registry.database()));
  for (size_t i = 0; i < rows.size(); ++i) {
    TG_TRY(verifier.CheckFingerprint(rows[i]));
    if (on_checked) {
      TG_TRY(on_checked(static_cast<int64_t>(i + 1), static_cast<int64_t>(rows.size())));
    }
  }
  TG_TRY(verifier.CheckOrphans());
  auto found = verifier.TakeFindings();
  if (repair && std::ranges::any_of(found.faults, &Fault::repaired)) {
    TG_TRY(registry.Log(stamp, "repaired", "", fmt::format("{} faults", found.faults.size())));
  }
  return found;
}

}  // namespace tensorguard::internal
