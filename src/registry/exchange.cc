#include "registry/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/file.h"
#include "base/json.h"
#include "base/system_error.h"
#include "base/text.h"
#include "base/try.h"
#include "fingerprint/digest/hex_text.h"
#include "fingerprint/file/fingerprint_file.h"
#include "registry/models.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr uint64_t kLargestListBytes = 4ull << 30;
constexpr uint64_t kLargestFileBytes = 1ull << 28;
constexpr const char* kSchema = "tensorguard.registry-export/1";

std::string DigestOfText(std::string_view text) {
  return HexOf(Blake3(std::as_bytes(std::span(text))));
}

// What tells models apart in any registry.
using ModelKey = std::tuple<std::string, std::string, std::string>;

ModelKey KeyOf(const ModelRecord& model) { return {model.source, model.revision, model.sub_path}; }

OrderedJson KeyToJson(const ModelKey& key) {
  return {
      {"source", std::get<0>(key)}, {"revision", std::get<1>(key)}, {"sub_path", std::get<2>(key)}};
}

OrderedJson ModelToJson(const ModelDetails& details) {
  const ModelRecord& model = details.model;
  OrderedJson json = KeyToJson(KeyOf(model));
  json["name"] = model.name;
  json["publisher"] = model.publisher;
  json["kind"] = model.kind;
  json["collection"] = model.collection;
  json["state"] = model.state;
  json["added_at"] = model.added.at;
  json["added_by"] = model.added.who;
  json["fingerprint"] = HexOf(model.digest);
  json["licenses"] = OrderedJson::array();
  for (const LicenseClaim& claim : details.licenses) {
    json["licenses"].push_back({{"place", claim.place}, {"license", claim.license}});
  }
  json["files"] = OrderedJson::array();
  for (const ModelFile& file : details.files) {
    json["files"].push_back(
        {{"path", file.path}, {"bytes", file.bytes}, {"sha256", HexOf(file.sha256)}});
  }
  return json;
}

struct StoredRelation {
  ModelKey child;
  ModelKey parent;
  NewRelation relation;
  Stamp stamp;
};

Result<std::vector<StoredRelation>> RelationsByKey(Registry& registry) {
  std::vector<StoredRelation> relations;
  TG_TRY(registry.database().Query(
      "SELECT c.source, c.revision, c.sub_path, p.source, p.revision, p.sub_path, r.kind, "
      "r.origin, "
      "r.score, r.p_value, r.added_at, r.added_by FROM relation r "
      "JOIN model c ON c.id = r.child JOIN model p ON p.id = r.parent",
      {}, [&](const Row& row) -> Result<void> {
        StoredRelation stored = {
            .child = {row.Text(0), row.Text(1), row.Text(2)},
            .parent = {row.Text(3), row.Text(4), row.Text(5)},
            .relation = {.kind = row.Text(6), .measured = row.Text(7) == "measured"},
            .stamp = {.at = row.Integer(10), .who = row.Text(11)}};
        if (!row.IsNull(8)) stored.relation.score = row.Number(8);
        if (!row.IsNull(9)) stored.relation.p_value = row.Number(9);
        relations.push_back(std::move(stored));
        return {};
      }));
  std::ranges::sort(relations, {}, [](const StoredRelation& each) {
    return std::tie(each.child, each.parent, each.relation.measured);
  });
  return relations;
}

OrderedJson RelationToJson(const StoredRelation& stored) {
  const auto number = [](const std::optional<double>& value) {
    return value ? OrderedJson(*value) : OrderedJson();
  };
  return {{"child", KeyToJson(stored.child)},
          {"parent", KeyToJson(stored.parent)},
          {"kind", stored.relation.kind},
          {"origin", stored.relation.measured ? "measured" : "asserted"},
          {"score", number(stored.relation.score)},
          {"p_value", number(stored.relation.p_value)},
          {"added_at", stored.stamp.at},
          {"added_by", stored.stamp.who}};
}

std::string Line(const OrderedJson& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/true, OrderedJson::error_handler_t::replace) + "\n";
}

std::string FingerprintName(const std::string& hex) {
  return fmt::format("fingerprints/{}{}", hex, kFingerprintSuffix);
}

Result<void> MakeEmptyFolder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder / "fingerprints", failure);
  if (failure) return SystemError("make the folder", folder.string(), failure.value());
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    if (entry.path().filename() == "fingerprints" && fs::is_empty(entry.path(), failure)) continue;
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "an export is written into an empty folder, and this one is not",
                 .file = folder.string(),
                 .found = EscapeControl(entry.path().filename().string()),
                 .advice = "name a folder that does not exist"};
  }
  if (failure) return SystemError("list the folder", folder.string(), failure.value());
  return {};
}

// --- Import.

Error BadExport(const fs::path& file, std::string problem, std::string found = {}) {
  return {.kind = ErrorKind::kBadFile,
          .problem = std::move(problem),
          .file = file.string(),
          .found = std::move(found),
          .advice = "get the export again from where it is published"};
}

// The text of a member; empty if it is none.
std::optional<std::string> TextIn(const Json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_string()) return {};
  return member->get<std::string>();
}

std::optional<int64_t> NumberIn(const Json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_number_integer()) return {};
  return member->get<int64_t>();
}

std::optional<ModelKey> KeyIn(const Json& json) {
  if (!json.is_object()) return {};
  const auto source = TextIn(json, "source");
  const auto revision = TextIn(json, "revision");
  const auto sub_path = TextIn(json, "sub_path");
  if (!source || !revision || !sub_path) return {};
  return ModelKey{*source, *revision, *sub_path};
}

struct ImportedModel {
  NewModel model;
  Stamp stamp;
  std::string digest;
  std::string state;
};

bool ReadClaims(const Json& json, NewModel& model) {
  const auto claims = json.find("licenses");
  const auto files = json.find("files");
  if (claims == json.end() || !claims->is_array() || files == json.end() || !files->is_array()) {
    return false;
  }
  for (const Json& each : *claims) {
    const auto place = each.is_object() ? TextIn(each, "place") : std::nullopt;
    const auto license = each.is_object() ? TextIn(each, "license") : std::nullopt;
    if (!place || !license) return false;
    model.licenses.push_back({.place = *place, .license = *license});
  }
  for (const Json& each : *files) {
    const auto path = each.is_object() ? TextIn(each, "path") : std::nullopt;
    const auto bytes = each.is_object() ? NumberIn(each, "bytes") : std::nullopt;
    const auto sha256 = each.is_object() ? TextIn(each, "sha256") : std::nullopt;
    const auto digest = sha256 ? DigestFromHex(*sha256) : std::nullopt;
    if (!path || !bytes || *bytes < 0 || !digest) return false;
    model.files.push_back(
        {.path = *path, .bytes = static_cast<uint64_t>(*bytes), .sha256 = *digest});
  }
  return true;
}

std::optional<ImportedModel> ModelFrom(const Json& json) {
  const auto key = KeyIn(json);
  if (!key) return {};
  const auto name = TextIn(json, "name");
  const auto publisher = TextIn(json, "publisher");
  const auto kind = TextIn(json, "kind");
  const auto collection = TextIn(json, "collection");
  const auto state = TextIn(json, "state");
  const auto at = NumberIn(json, "added_at");
  const auto who = TextIn(json, "added_by");
  const auto digest = TextIn(json, "fingerprint");
  if (state && *state != "present" && *state != "superseded" && *state != "withdrawn") return {};
  if (!name || !publisher || !kind || !collection || !state || !at || !who || !digest ||
      !DigestFromHex(*digest)) {
    return {};
  }
  ImportedModel model = {.model = {.name = *name,
                                   .source = std::get<0>(*key),
                                   .revision = std::get<1>(*key),
                                   .sub_path = std::get<2>(*key),
                                   .publisher = *publisher,
                                   .kind = *kind,
                                   .collection = *collection,
                                   .trust = "unverified"},
                         .stamp = {.at = *at, .who = *who},
                         .digest = *digest,
                         .state = *state};
  if (!ReadClaims(json, model.model)) return {};
  return model;
}

std::optional<StoredRelation> RelationFrom(const Json& json) {
  if (!json.is_object() || !json.contains("child") || !json.contains("parent")) return {};
  const auto child = KeyIn(json["child"]);
  const auto parent = KeyIn(json["parent"]);
  const auto kind = TextIn(json, "kind");
  const auto origin = TextIn(json, "origin");
  const auto at = NumberIn(json, "added_at");
  const auto who = TextIn(json, "added_by");
  if (!child || !parent || !kind || !origin || !at || !who) return {};
  StoredRelation stored = {.child = *child,
                           .parent = *parent,
                           .relation = {.kind = *kind, .measured = *origin == "measured"},
                           .stamp = {.at = *at, .who = *who}};
  const auto number = [&](const char* name) -> std::optional<double> {
    const auto member = json.find(name);
    if (member == json.end() || !member->is_number()) return {};
    return member->get<double>();
  };
  stored.relation.score = number("score");
  stored.relation.p_value = number("p_value");
  return stored;
}

// Calls `read` with the JSON of each line.
Result<void> ReadLines(const fs::path& file, std::string_view text,
                       const std::function<Result<void>(const Json&, size_t line)>& read) {
  size_t line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    ++line;
    auto json = ParseJson(text.substr(begin, end - begin));
    if (!json) return std::move(json).error().InFile(file.string());
    TG_TRY(read(*json, line));
    begin = end + 1;
  }
  return {};
}

class Import {
 public:
  Import(Registry& registry, fs::path folder, const Stamp& stamp)
      : registry_(registry), folder_(std::move(folder)), stamp_(stamp) {}

  // Everything is read and checked once, before the first row is written.
  Result<void> Check() {
    TG_ASSIGN(const auto manifest, ReadJsonFile(folder_ / "MANIFEST.json", kLargestFileBytes));
    if (!manifest.is_object() || TextIn(manifest, "schema") != kSchema ||
        !manifest.contains("files") || !manifest["files"].is_object()) {
      return BadExport(folder_ / "MANIFEST.json", "not the manifest of an export of a registry");
    }
    for (const auto& [name, digest] : manifest["files"].items()) {
      if (!digest.is_string()) return BadExport(folder_ / "MANIFEST.json", "a digest is no text");
      files_[name] = digest.get<std::string>();
    }
    TG_ASSIGN(const auto models, ReadChecked("models.jsonl", kLargestListBytes));
    TG_TRY(ReadLines(folder_ / "models.jsonl", models,
                     [&](const Json& json, size_t line) { return TakeModel(json, line); }));
    TG_ASSIGN(const auto relations, ReadChecked("relations.jsonl", kLargestListBytes));
    TG_TRY(ReadLines(folder_ / "relations.jsonl", relations,
                     [&](const Json& json, size_t line) -> Result<void> {
                       const auto relation = RelationFrom(json);
                       if (!relation) {
                         return BadExport(folder_ / "relations.jsonl", "a line is no relation",
                                          fmt::format("line {}", line));
                       }
                       relations_.push_back(*relation);
                       return {};
                     }));
    for (const ImportedModel& model : models_) {
      TG_TRY(ReadChecked(FingerprintName(model.digest), kLargestFileBytes));
    }
    return {};
  }

  Result<ImportSummary> Write() {
    ImportSummary summary;
    std::map<int64_t, std::string> states;
    for (const ImportedModel& each : models_) {
      const std::string name = FingerprintName(each.digest);
      TG_ASSIGN(const auto text, ReadChecked(name, kLargestFileBytes));
      const auto bytes = std::as_bytes(std::span(text));
      TG_ASSIGN(const auto print,
                PrepareFingerprint({bytes.begin(), bytes.end()}, (folder_ / name).string()));
      TG_ASSIGN(const auto added, AddModel(registry_, print, each.model, each.stamp));
      ++(added.addition == Addition::kAdded ? summary.added : summary.known);
      if (added.addition == Addition::kAdded) states[added.model.id] = each.state;
    }
    // Which revision came last, the exporting registry knew; here they came in another order.
    for (const auto& [id, state] : states) {
      TG_TRY(registry_.database().Run("UPDATE model SET state = $1 WHERE id = $2", {state, id}));
    }
    for (const StoredRelation& each : relations_) {
      TG_ASSIGN(const auto child, Find(each.child));
      TG_ASSIGN(const auto parent, Find(each.parent));
      if (!child || !parent) continue;
      TG_TRY(RelateModels(registry_, *child, *parent, each.relation, each.stamp));
      ++summary.relations;
    }
    TG_TRY(registry_.Log(stamp_, "imported", folder_.filename().string(),
                         fmt::format("{} added, {} known", summary.added, summary.known)));
    return summary;
  }

 private:
  Result<std::string> ReadChecked(const std::string& name, uint64_t limit) {
    const fs::path path = folder_ / name;
    const auto known = files_.find(name);
    if (known == files_.end()) return BadExport(path, "the manifest does not name this file");
    TG_ASSIGN(auto text, ReadSmallFile(path, limit));
    const std::string found = DigestOfText(text);
    if (found == known->second) return text;
    Error error =
        BadExport(path, "the file is not the one that the manifest names", "BLAKE3 " + found);
    error.expected = "BLAKE3 " + EscapeControl(known->second, 64);
    return error;
  }

  Result<void> TakeModel(const Json& json, size_t line) {
    auto model = ModelFrom(json);
    if (!model) {
      return BadExport(folder_ / "models.jsonl", "a line is no model",
                       fmt::format("line {}", line));
    }
    models_.push_back(*std::move(model));
    return {};
  }

  Result<std::optional<ModelRecord>> Find(const ModelKey& key) {
    return FindBySource(registry_, std::get<0>(key), std::get<1>(key), std::get<2>(key));
  }

  Registry& registry_;
  fs::path folder_;
  Stamp stamp_;
  std::map<std::string, std::string> files_;
  std::vector<ImportedModel> models_;
  std::vector<StoredRelation> relations_;
};

}  // namespace

Result<ExportSummary> ExportRegistry(Registry& registry, const fs::path& folder) {
  TG_TRY(MakeEmptyFolder(folder));
  TG_ASSIGN(auto models, ListModels(registry, {.all_states = true}));
  std::ranges::sort(models, {}, KeyOf);
  std::map<std::string, std::string> files;
  const auto write = [&](const std::string& name, std::string_view text) -> Result<void> {
    files[name] = DigestOfText(text);
    return WriteFileAtomically(folder / name, text);
  };
  ExportSummary summary = {.models = models.size()};
  std::string lines;
  for (const ModelRecord& model : models) {
    TG_ASSIGN(const auto details, DetailsOf(registry, model));
    lines += Line(ModelToJson(details));
    const std::string name = FingerprintName(HexOf(model.digest));
    if (files.contains(name)) continue;
    TG_ASSIGN(const auto bytes, FingerprintBytes(registry, model));
    TG_TRY(write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    ++summary.fingerprints;
  }
  TG_TRY(write("models.jsonl", lines));
  TG_ASSIGN(const auto relations, RelationsByKey(registry));
  summary.relations = relations.size();
  lines.clear();
  for (const StoredRelation& each : relations) lines += Line(RelationToJson(each));
  TG_TRY(write("relations.jsonl", lines));
  OrderedJson manifest = {{"schema", kSchema}, {"files", OrderedJson::object()}};
  for (const auto& [name, digest] : files) manifest["files"][name] = digest;
  TG_TRY(WriteFileAtomically(folder / "MANIFEST.json", manifest.dump(1) + "\n"));
  return summary;
}

Result<ImportSummary> ImportRegistry(Registry& registry, const fs::path& folder,
                                     const Stamp& stamp) {
  Import import(registry, folder, stamp);
  TG_TRY(import.Check());
  return import.Write();
}

}  // namespace tensorguard::internal
