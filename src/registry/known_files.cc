#include "registry/known_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "database/ask_number.h"
#include "registry/models.h"

namespace tensorguard::internal {

Result<std::vector<KnownFile>> FindKnownFiles(Registry& registry, const Sha256Digest& sha256) {
  struct Place {
    int64_t model = 0;
    ModelFile file;
  };
  std::vector<Place> places;
  TG_TRY(registry.database().Query(
      "SELECT model, path, bytes FROM model_file WHERE sha256 = $1 ORDER BY model, path",
      {std::as_bytes(std::span(sha256))}, [&](const Row& row) -> Result<void> {
        places.push_back({.model = row.Integer(0),
                          .file = {.path = row.Text(1),
                                   .bytes = static_cast<uint64_t>(row.Integer(2)),
                                   .sha256 = sha256}});
        return {};
      }));
  std::vector<KnownFile> files;
  for (Place& place : places) {
    auto model = FindModel(registry, fmt::format("#{}", place.model));
    if (!model && model.error().kind == ErrorKind::kNotFound) continue;  // removed meanwhile
    if (!model) return std::move(model).error();
    files.push_back({.model = *std::move(model), .file = std::move(place.file)});
  }
  std::ranges::stable_partition(
      files, [](const KnownFile& each) { return each.model.state == "present"; });
  return files;
}

Result<bool> KnowsFileOfLength(Registry& registry, uint64_t bytes) {
  TG_ASSIGN(const auto model,
            AskNumber(registry.database(), "SELECT model FROM model_file WHERE bytes = $1 LIMIT 1",
                      {static_cast<int64_t>(bytes)}));
  return model.has_value();
}

}  // namespace tensorguard::internal
