#include "places/hub/hub.h"

#include <algorithm>

#include "base/file_store.h"
#include "base/json.h"
#include "base/try.h"
#include "tokenizers/vocabulary.h"
#include "weights/files/weight_files.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLongestRefBytes = 200;

bool StaysInside(std::string_view path) {
  if (path.empty() || path.size() > 4096) return false;
  const bool has_control = std::any_of(path.begin(), path.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (has_control) return false;
  const fs::path parts{path};
  return !parts.is_absolute() && std::none_of(parts.begin(), parts.end(), [](const fs::path& part) {
    return part == "." || part == ".." || part.empty();
  });
}

Error BadListing(std::string found) {
  return {.problem = "the Hub's answer is not the description of a model",
          .found = std::move(found),
          .expected = "an object with \"sha\" and \"siblings\", each with a \"rfilename\""};
}

HubFile FileOf(const Json& sibling) {
  HubFile file;
  const auto size = sibling.find("size");
  if (size != sibling.end() && size->is_number_unsigned()) file.size_bytes = size->get<uint64_t>();
  const auto large = sibling.find("lfs");
  if (large == sibling.end() || !large->is_object()) return file;
  const auto sha256 = large->find("sha256");
  if (sha256 != large->end() && sha256->is_string()) file.sha256 = sha256->get<std::string>();
  return file;
}

// "models--ORG--NAME".
std::string CacheFolderName(std::string_view repository) {
  std::string name = "models--";
  for (const char c : repository) name += c == '/' ? std::string("--") : std::string(1, c);
  return name;
}

Result<std::optional<std::string>> CachedCommit(const fs::path& folder, const HubPlace& name) {
  if (IsCommit(name.revision)) return std::optional(name.revision);
  const fs::path reference = folder / "refs" / name.revision;
  TG_ASSIGN(const auto exists, LocalFiles()->Exists(reference));
  if (!exists) return std::optional<std::string>();
  auto commit = ReadSmallFile(reference, kLongestRefBytes);
  if (!commit) return std::move(commit).error();
  while (commit->ends_with('\n') || commit->ends_with('\r')) commit->pop_back();
  if (IsCommit(*commit)) return std::optional(*std::move(commit));
  return Error{
      .problem = "reference does not name a commit", .file = reference.string(), .found = *commit};
}

}  // namespace

bool IsCommit(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() >= 40 && text.size() <= 64 && std::all_of(text.begin(), text.end(), is_hex);
}

Result<HubListing> ParseHubListing(std::string_view text) {
  TG_ASSIGN(const auto json, ParseJson(text));
  if (!json.is_object()) return BadListing(json.type_name());
  const auto commit = json.find("sha");
  if (commit == json.end() || !commit->is_string() || !IsCommit(commit->get<std::string>())) {
    return BadListing("no commit");
  }
  const auto siblings = json.find("siblings");
  if (siblings == json.end() || !siblings->is_array()) return BadListing("no files");
  if (siblings->size() > kMostHubFiles) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "repository on the Hub has more files than this program lists",
                 .found = std::to_string(siblings->size()),
                 .expected = "at most " + std::to_string(kMostHubFiles)};
  }
  HubListing listing = {.commit = commit->get<std::string>(), .files = {}};
  for (const Json& sibling : *siblings) {
    const auto name = sibling.is_object() ? sibling.find("rfilename") : sibling.end();
    if (!sibling.is_object() || name == sibling.end() || !name->is_string()) {
      return BadListing("a file without a name");
    }
    auto path = name->get<std::string>();
    if (!StaysInside(path)) return BadListing(path);
    listing.files.emplace(std::move(path), FileOf(sibling));
  }
  return listing;
}

Result<std::optional<fs::path>> FindCachedSnapshot(const fs::path& cache, const HubPlace& name) {
  if (cache.empty()) return std::optional<fs::path>();
  const fs::path folder = cache / CacheFolderName(name.repository);
  TG_ASSIGN(const auto commit, CachedCommit(folder, name));
  if (!commit) return std::optional<fs::path>();
  const fs::path snapshot = folder / "snapshots" / *commit;
  const auto is_folder = LocalFiles()->IsFolder(snapshot);
  if (!is_folder) return is_folder.error();
  return *is_folder ? std::optional(snapshot) : std::nullopt;
}

std::optional<std::string> CachedSha256(const fs::path& cache, const fs::path& path) {
  constexpr size_t kDigits = 64;
  std::error_code no_cache;
  std::error_code no_file;
  const fs::path root = fs::canonical(cache, no_cache);
  const fs::path blob = fs::canonical(path, no_file);
  if (cache.empty() || no_cache || no_file) return {};
  const fs::path folder = blob.parent_path();  // CACHE/models--ORG--NAME/blobs
  std::string name = blob.filename().string();
  const bool in_cache = folder.filename() == "blobs" && folder.parent_path().parent_path() == root;
  if (!in_cache || name.size() != kDigits || !IsCommit(name)) return {};
  return name;
}

Result<std::optional<ModelFiles>> FindWholeModel(const fs::path& path) {
  const std::optional<ModelFiles> none;
  auto found = FindModelFiles(path);
  if (!found) return none;  // asking the Hub tells whether the model is any better
  const auto adapter =
      found->is_adapter ? FindWeightFiles(path) : Result<WeightFiles>(WeightFiles());
  if (!adapter) return none;
  const auto& parts = found->is_adapter ? adapter->files : found->weights->files;
  for (const fs::path& part : parts) {
    TG_ASSIGN(const auto exists, LocalFiles()->Exists(part));
    if (!exists) return none;
  }
  if (found->is_adapter || parts[0].extension() == ".gguf") return std::optional(*std::move(found));
  const auto has_config = LocalFiles()->Exists(found->folder / "config.json");
  if (!has_config) return has_config.error();
  TG_ASSIGN(const auto tokenizer, FindTokenizerFile(found->folder));
  return *has_config && tokenizer ? std::optional(*std::move(found)) : none;
}

}  // namespace tensorguard::internal
