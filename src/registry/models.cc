#include "registry/models.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "database/ask_number.h"
#include "fingerprint/digest/hex_text.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kLongestText = 1000;

constexpr std::string_view kModelColumns =
    "SELECT m.id, m.name, m.source, m.revision, m.sub_path, m.publisher, m.kind, m.collection, "
    "m.trust, m.state, m.added_at, m.added_by, m.fingerprint, f.digest, f.architecture, "
    "f.parameters, f.layers FROM model m JOIN fingerprint f ON f.id = m.fingerprint ";

ModelRecord ModelIn(const Row& row) {
  ModelRecord model = {.id = row.Integer(0),
                       .name = row.Text(1),
                       .source = row.Text(2),
                       .revision = row.Text(3),
                       .sub_path = row.Text(4),
                       .publisher = row.Text(5),
                       .kind = row.Text(6),
                       .collection = row.Text(7),
                       .trust = row.Text(8),
                       .state = row.Text(9),
                       .added = {.at = row.Integer(10), .who = row.Text(11)},
                       .fingerprint = row.Integer(12),
                       .architecture = row.Text(14),
                       .parameters = static_cast<uint64_t>(row.Integer(15)),
                       .layers = static_cast<uint64_t>(row.Integer(16))};
  const auto digest = row.Bytes(13);
  if (digest.size() == model.digest.size()) {
    std::memcpy(model.digest.data(), digest.data(), digest.size());
  }
  return model;
}

Result<std::vector<ModelRecord>> SelectModels(Registry& registry, std::string_view rest,
                                              std::initializer_list<Value> values) {
  std::vector<ModelRecord> models;
  TG_TRY(registry.database().Query(std::string(kModelColumns) + std::string(rest), values,
                                   [&](const Row& row) -> Result<void> {
                                     models.push_back(ModelIn(row));
                                     return {};
                                   }));
  return models;
}

Result<void> CheckText(std::string_view what, const std::string& text) {
  std::string problem;
  if (!IsUtf8(text)) problem = fmt::format("the {} is not UTF-8", what);
  if (text.find('\0') != text.npos) problem = fmt::format("the {} holds a zero byte", what);
  if (text.size() > kLongestText) {
    problem = fmt::format("the {} is longer than {} bytes", what, kLongestText);
  }
  if (problem.empty()) return {};
  return Error{.kind = ErrorKind::kUsage, .problem = problem, .found = EscapeControl(text, 60)};
}

Result<void> CheckOneOf(std::string_view what, const std::string& text,
                        std::initializer_list<std::string_view> known) {
  if (std::ranges::find(known, text) != known.end()) return {};
  return Error{.kind = ErrorKind::kUsage,
               .problem = fmt::format("there is no such {}", what),
               .found = EscapeControl(text),
               .expected = fmt::format("one of {}", fmt::join(known, ", "))};
}

Result<void> CheckModel(const NewModel& model) {
  TG_TRY(CheckText("name", model.name));
  TG_TRY(CheckText("source", model.source));
  TG_TRY(CheckText("revision", model.revision));
  TG_TRY(CheckText("sub-path", model.sub_path));
  TG_TRY(CheckText("publisher", model.publisher));
  TG_TRY(CheckText("collection", model.collection));
  for (const LicenseClaim& claim : model.licenses) TG_TRY(CheckText("licence", claim.license));
  for (const ModelFile& file : model.files) TG_TRY(CheckText("file's path", file.path));
  TG_TRY(CheckOneOf("kind of model", model.kind, {"model", "adapter"}));
  return CheckOneOf("trust", model.trust, {"own", "verified", "unverified"});
}

// With what it lacks filled in by its content.
NewModel Completed(NewModel model, const PreparedFingerprint& fingerprint) {
  const std::string content = "blake3:" + HexOf(fingerprint.digest);
  if (model.name.empty()) {
    model.name = IsUtf8(fingerprint.model_name) && !fingerprint.model_name.empty()
                     ? fingerprint.model_name
                     : "unnamed";
    if (model.name.find('\0') != model.name.npos) model.name = EscapeControl(model.name);
    // Not through a letter of several bytes.
    if (model.name.size() > kLongestText) model.name = EscapeControl(model.name, kLongestText / 2);
  }
  if (model.source.empty()) model.source = content;
  if (model.revision.empty()) model.revision = content;
  return model;
}

std::span<const std::byte> BytesOf(std::span<const uint8_t> bytes) { return std::as_bytes(bytes); }

// The row of this content, made if it is not there.
Result<int64_t> StoreFingerprint(Registry& registry, const PreparedFingerprint& print) {
  Database& database = registry.database();
  static constexpr std::string_view kKnown = "SELECT id FROM fingerprint WHERE digest = $1";
  // Asked first: an insertion that does nothing uses up a number.
  TG_ASSIGN(const auto there, AskNumber(database, kKnown, {BytesOf(print.digest)}));
  if (there) return *there;
  const auto layers = static_cast<int64_t>(print.signature.size() / kSearchNumbers);
  TG_ASSIGN(const auto made,
            AskNumber(database,
                      "INSERT INTO fingerprint (digest, profile, version, bytes, architecture, "
                      "parameters, layers) VALUES ($1, 'full', $2, $3, $4, $5, $6) "
                      "ON CONFLICT (digest) DO NOTHING RETURNING id",
                      {BytesOf(print.digest), int64_t{kFingerprintVersion},
                       static_cast<int64_t>(print.bytes.size()), EscapeControl(print.architecture),
                       static_cast<int64_t>(print.parameters), layers}));
  if (made) {
    TG_TRY(registry.blobs().Put({.fingerprint = *made, .digest = print.digest}, print.bytes));
    TG_TRY(StoreDerived(database, *made, print));
    return *made;
  }
  TG_ASSIGN(const auto known, AskNumber(database, kKnown, {BytesOf(print.digest)}));
  if (known) return *known;
  return Error{.kind = ErrorKind::kSystem,
               .problem = "the fingerprint was removed while it was added",
               .file = registry.place(),
               .advice = "try again"};
}

Result<void> StoreClaims(Database& database, int64_t id, const NewModel& model) {
  for (const LicenseClaim& claim : model.licenses) {
    TG_TRY(
        database.Run("INSERT INTO license_claim (model, place, license) VALUES ($1, $2, $3) "
                     "ON CONFLICT (model, place, license) DO NOTHING",
                     {id, claim.place, claim.license}));
  }
  for (const ModelFile& file : model.files) {
    TG_TRY(
        database.Run("INSERT INTO model_file (model, path, bytes, sha256) "
                     "VALUES ($1, $2, $3, $4) ON CONFLICT (model, path) DO NOTHING",
                     {id, file.path, static_cast<int64_t>(file.bytes), BytesOf(file.sha256)}));
  }
  return {};
}

Result<ModelRecord> ModelOfId(Registry& registry, int64_t id) {
  TG_ASSIGN(auto found, SelectModels(registry, "WHERE m.id = $1", {id}));
  if (!found.empty()) return std::move(found.front());
  return Error{.kind = ErrorKind::kNotFound,
               .problem = "the registry has no such model",
               .file = registry.place(),
               .found = fmt::format("#{}", id)};
}

// What is there already: the same model, or one that must not be changed.
Result<AddedModel> Known(Registry& registry, const NewModel& model, int64_t fingerprint,
                         const Stamp& stamp) {
  TG_ASSIGN(auto found,
            SelectModels(registry, "WHERE m.source = $1 AND m.revision = $2 AND m.sub_path = $3",
                         {model.source, model.revision, model.sub_path}));
  if (found.empty()) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "the model was removed while it was added",
                 .file = registry.place(),
                 .advice = "try again"};
  }
  ModelRecord& known = found.front();
  if (known.fingerprint != fingerprint) {
    return Error{.kind = ErrorKind::kMismatch,
                 .problem = "this revision of the source is in the registry with another content",
                 .file = registry.place(),
                 .found = fmt::format("{} at {} is {}", EscapeControl(known.source),
                                      EscapeControl(known.revision), HexOf(known.digest)),
                 .expected = "a revision that names one content for ever, as a commit does",
                 .advice = "give the right revision, or remove the model that is there"};
  }
  if (known.name != model.name) {
    TG_TRY(registry.database().Run("UPDATE model SET name = $1 WHERE id = $2",
                                   {model.name, known.id}));
    TG_TRY(registry.Log(stamp, "renamed", model.name, known.name));
    known.name = model.name;
  }
  TG_TRY(StoreClaims(registry.database(), known.id, model));
  return AddedModel{.model = std::move(known), .addition = Addition::kAlreadyThere};
}

Result<AddedModel> InsertModel(Registry& registry, const PreparedFingerprint& print,
                               const NewModel& model, const Stamp& stamp) {
  Database& database = registry.database();
  TG_ASSIGN(const int64_t fingerprint, StoreFingerprint(registry, print));
  TG_ASSIGN(const auto there, FindBySource(registry, model.source, model.revision, model.sub_path));
  if (there) return Known(registry, model, fingerprint, stamp);
  TG_ASSIGN(
      const auto id,
      AskNumber(database,
                "INSERT INTO model (name, source, revision, sub_path, publisher, kind, "
                "fingerprint, collection, trust, state, added_at, added_by) VALUES ($1, $2, $3, "
                "$4, $5, $6, $7, $8, $9, 'present', $10, $11) "
                "ON CONFLICT (source, revision, sub_path) DO NOTHING RETURNING id",
                {model.name, model.source, model.revision, model.sub_path, model.publisher,
                 model.kind, fingerprint, model.collection, model.trust, stamp.at, stamp.who}));
  if (!id) return Known(registry, model, fingerprint, stamp);
  TG_ASSIGN(const int64_t superseded,
            database.Run("UPDATE model SET state = 'superseded' WHERE source = $1 "
                         "AND sub_path = $2 AND id < $3 AND state = 'present'",
                         {model.source, model.sub_path, *id}));
  TG_TRY(StoreClaims(database, *id, model));
  TG_TRY(registry.Log(stamp, "added", model.name, HexOf(print.digest)));
  TG_ASSIGN(auto record, ModelOfId(registry, *id));
  return AddedModel{.model = std::move(record), .superseded = static_cast<size_t>(superseded)};
}

Error NoSuchModel(Registry& registry, const std::string& name) {
  Error error = {.kind = ErrorKind::kNotFound,
                 .problem = "the registry has no such model",
                 .file = registry.place(),
                 .found = EscapeControl(name),
                 .advice = "tensorguard registry list"};
  // Of a large registry only the names that begin alike are looked at.
  const std::string start = name.substr(0, 1);
  std::vector<std::string> names;
  const auto listed = registry.database().Query(
      "SELECT DISTINCT name FROM model WHERE name >= $1 ORDER BY name LIMIT 5000", {start},
      [&](const Row& row) -> Result<void> {
        names.push_back(row.Text(0));
        return {};
      });
  if (!listed || !IsUtf8(start)) return error;
  if (const auto nearest = NearestName(name, names)) error.advice = EscapeControl(*nearest);
  return error;
}

// In the order in which they were said.
Result<std::vector<RelationRecord>> SelectRelations(Registry& registry, std::string_view rest,
                                                    std::initializer_list<Value> values) {
  std::vector<RelationRecord> relations;
  static constexpr std::string_view kColumns =
      "SELECT c.name, p.name, r.kind, r.origin, r.score, r.p_value, r.added_at, r.added_by "
      "FROM relation r JOIN model c ON c.id = r.child JOIN model p ON p.id = r.parent ";
  TG_TRY(registry.database().Query(std::string(kColumns) + std::string(rest) + " ORDER BY r.id",
                                   values, [&](const Row& row) -> Result<void> {
                                     RelationRecord relation = {
                                         .child = row.Text(0),
                                         .parent = row.Text(1),
                                         .kind = row.Text(2),
                                         .origin = row.Text(3),
                                         .added = {.at = row.Integer(6), .who = row.Text(7)}};
                                     if (!row.IsNull(4)) relation.score = row.Number(4);
                                     if (!row.IsNull(5)) relation.p_value = row.Number(5);
                                     relations.push_back(std::move(relation));
                                     return {};
                                   }));
  return relations;
}

}  // namespace

Result<void> StoreDerived(Database& database, int64_t id, const PreparedFingerprint& print) {
  TG_TRY(database.Run("INSERT INTO signature (fingerprint, content) VALUES ($1, $2)",
                      {id, std::as_bytes(std::span(print.signature))}));
  TG_TRY(database.Run(
      "INSERT INTO search_vector (fingerprint, version, content) "
      "VALUES ($1, $2, $3)",
      {id, int64_t{kSearchVectorVersion}, std::as_bytes(std::span(print.vector.numbers))}));
  // Several rows a statement: a server is far away.
  constexpr size_t kRows = 8;
  static constexpr std::string_view kSeveral =
      "INSERT INTO weight_digest (fingerprint, digest, weight) VALUES ($1, $2, $3), ($1, $4, $5), "
      "($1, $6, $7), ($1, $8, $9), ($1, $10, $11), ($1, $12, $13), ($1, $14, $15), "
      "($1, $16, $17)";
  size_t i = 0;
  for (; i + kRows <= print.weights.size(); i += kRows) {
    std::array<Value, 1 + 2 * kRows> values;
    values[0] = id;
    for (size_t row = 0; row < kRows; ++row) {
      values[1 + 2 * row] = print.weights[i + row].digest;
      values[2 + 2 * row] = print.weights[i + row].weight;
    }
    TG_TRY(database.Run(kSeveral, std::span<const Value>(values)));
  }
  for (; i < print.weights.size(); ++i) {
    TG_TRY(
        database.Run("INSERT INTO weight_digest (fingerprint, digest, weight) VALUES ($1, $2, $3)",
                     {id, print.weights[i].digest, print.weights[i].weight}));
  }
  return {};
}

Result<AddedModel> AddModel(Registry& registry, const PreparedFingerprint& fingerprint,
                            const NewModel& model, const Stamp& stamp) {
  const ModelToAdd one = {.fingerprint = &fingerprint, .model = model};
  TG_ASSIGN(auto added, AddModels(registry, {&one, 1}, stamp));
  return std::move(added.front());
}

Result<std::vector<AddedModel>> AddModels(Registry& registry, std::span<const ModelToAdd> models,
                                          const Stamp& stamp) {
  TG_TRY(CheckText("name of who adds", stamp.who));
  for (const ModelToAdd& each : models) TG_TRY(CheckModel(each.model));
  std::vector<AddedModel> all;
  TG_TRY(registry.database().InTransaction([&]() -> Result<void> {
    all.clear();  // a server that went away is asked again
    for (const ModelToAdd& each : models) {
      TG_ASSIGN(auto added, InsertModel(registry, *each.fingerprint,
                                        Completed(each.model, *each.fingerprint), stamp));
      all.push_back(std::move(added));
    }
    return {};
  }));
  return all;
}

Result<std::vector<ModelRecord>> ListModels(Registry& registry, const ModelFilter& filter) {
  const int64_t limit = filter.limit < 0 ? INT64_MAX : filter.limit;
  return SelectModels(
      registry,
      "WHERE m.id > $1 AND ($2 = '' OR m.collection = $2) "
      "AND ($3 = '' OR m.name = $3) AND ($4 = 1 OR m.state = 'present') "
      "ORDER BY m.id LIMIT $5",
      {filter.after, filter.collection, filter.name, int64_t{filter.all_states ? 1 : 0}, limit});
}

Result<ModelRecord> FindModel(Registry& registry, const std::string& name) {
  if (name.starts_with('#')) {
    int64_t id = 0;
    const char* const end = name.data() + name.size();
    const auto read = std::from_chars(name.data() + 1, end, id);
    if (read.ec == std::errc() && read.ptr == end) return ModelOfId(registry, id);
  }
  TG_TRY(CheckText("name", name));
  TG_ASSIGN(auto found, SelectModels(registry, "WHERE m.name = $1 ORDER BY m.id", {name}));
  if (found.empty()) return NoSuchModel(registry, name);
  // Present ones before those of the past.
  std::ranges::stable_partition(found,
                                [](const ModelRecord& each) { return each.state == "present"; });
  const auto past =
      std::ranges::find_if(found, [](const ModelRecord& each) { return each.state != "present"; });
  const auto present = past - found.begin();
  if (present == 1 || found.size() == 1) return std::move(found.front());
  std::vector<std::string> numbers;
  for (const ModelRecord& each : found) {
    numbers.push_back(fmt::format("#{} of {}", each.id, EscapeControl(each.source, 60)));
  }
  return Error{.kind = ErrorKind::kUsage,
               .problem = "several models of the registry have this name",
               .file = registry.place(),
               .found = fmt::format("{}: {}", EscapeControl(name), fmt::join(numbers, ", ")),
               .advice = fmt::format("'#{}' in place of the name", found.front().id)};
}

Result<std::optional<ModelRecord>> FindBySource(Registry& registry, const std::string& source,
                                                const std::string& revision,
                                                const std::string& sub_path) {
  TG_ASSIGN(auto found,
            SelectModels(registry, "WHERE m.source = $1 AND m.revision = $2 AND m.sub_path = $3",
                         {source, revision, sub_path}));
  if (found.empty()) return std::optional<ModelRecord>();
  return std::optional(std::move(found.front()));
}

Result<std::vector<ModelRecord>> ModelsOfFingerprint(Registry& registry, int64_t fingerprint) {
  return SelectModels(registry, "WHERE m.fingerprint = $1 ORDER BY m.id", {fingerprint});
}

Result<ModelDetails> DetailsOf(Registry& registry, const ModelRecord& model) {
  ModelDetails details = {.model = model};
  TG_TRY(registry.database().Query(
      "SELECT place, license FROM license_claim WHERE model = $1 ORDER BY place, license",
      {model.id}, [&](const Row& row) -> Result<void> {
        details.licenses.push_back({.place = row.Text(0), .license = row.Text(1)});
        return {};
      }));
  TG_TRY(registry.database().Query(
      "SELECT path, bytes, sha256 FROM model_file WHERE model = $1 ORDER BY path", {model.id},
      [&](const Row& row) -> Result<void> {
        ModelFile file = {.path = row.Text(0), .bytes = static_cast<uint64_t>(row.Integer(1))};
        const auto sha256 = row.Bytes(2);
        if (sha256.size() == file.sha256.size()) {
          std::memcpy(file.sha256.data(), sha256.data(), sha256.size());
        }
        details.files.push_back(std::move(file));
        return {};
      }));
  TG_ASSIGN(details.relations,
            SelectRelations(registry, "WHERE r.child = $1 OR r.parent = $1", {model.id}));
  return details;
}

Result<void> RemoveModel(Registry& registry, const ModelRecord& model, const Stamp& stamp) {
  Database& database = registry.database();
  bool last = false;
  TG_TRY(database.InTransaction([&]() -> Result<void> {
    for (const std::string_view sql :
         {"DELETE FROM license_claim WHERE model = $1", "DELETE FROM model_file WHERE model = $1",
          "DELETE FROM relation WHERE child = $1", "DELETE FROM relation WHERE parent = $1",
          "DELETE FROM model WHERE id = $1"}) {
      TG_TRY(database.Run(sql, {model.id}));
    }
    TG_ASSIGN(const auto others,
              AskNumber(database, "SELECT count(*) FROM model WHERE fingerprint = $1",
                        {model.fingerprint}));
    last = others == 0;
    if (last) {
      for (const std::string_view sql : {"DELETE FROM signature WHERE fingerprint = $1",
                                         "DELETE FROM search_vector WHERE fingerprint = $1",
                                         "DELETE FROM weight_digest WHERE fingerprint = $1",
                                         "DELETE FROM fingerprint_blob WHERE fingerprint = $1",
                                         "DELETE FROM fingerprint WHERE id = $1"}) {
        TG_TRY(database.Run(sql, {model.fingerprint}));
      }
      TG_TRY(registry.NoteRemoval());
    }
    return registry.Log(stamp, "removed", model.name, HexOf(model.digest));
  }));
  if (last) TG_TRY(registry.RemoveLooseBlob(model.digest));
  return {};
}

Result<void> RelateModels(Registry& registry, const ModelRecord& child, const ModelRecord& parent,
                          const NewRelation& relation, const Stamp& stamp) {
  TG_TRY(CheckOneOf("kind of relation", relation.kind,
                    {"identical", "derived", "reparameterised", "shared-initialisation",
                     "independent", "inconclusive", "adapter", "merge", "quantised"}));
  if (child.id == parent.id) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a model is no relative of itself",
                 .file = registry.place(),
                 .found = EscapeControl(child.name)};
  }
  const auto number = [](const std::optional<double>& value) {
    return value ? Value(*value) : Value();
  };
  return registry.database().InTransaction([&]() -> Result<void> {
    TG_TRY(registry.database().Run(
        "INSERT INTO relation (child, parent, kind, origin, score, p_value, added_at, added_by) "
        "VALUES ($1, $2, $3, $4, CAST($5 AS {number}), CAST($6 AS {number}), $7, $8) "
        "ON CONFLICT (child, parent, origin) DO UPDATE SET kind = excluded.kind, "
        "score = excluded.score, p_value = excluded.p_value, added_at = excluded.added_at, "
        "added_by = excluded.added_by",
        {child.id, parent.id, relation.kind,
         std::string(relation.measured ? "measured" : "asserted"), number(relation.score),
         number(relation.p_value), stamp.at, stamp.who}));
    return registry.Log(stamp, relation.measured ? "measured" : "related", child.name,
                        fmt::format("{} {}", relation.kind, parent.name));
  });
}

Result<std::vector<RelationRecord>> ListRelations(Registry& registry) {
  return SelectRelations(registry, "", {});
}

}  // namespace tensorguard::internal
