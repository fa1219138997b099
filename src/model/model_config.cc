#include "model/model_config.h"

#include <string>

#include "architecture/config_checks.h"
#include "base/file.h"
#include "base/folder_of.h"
#include "base/try.h"

namespace tensorguard::internal {

namespace fs = std::filesystem;

namespace {

// An object with numbers that models have; null if there is no such file.
Result<Json> ReadSettings(const fs::path& file, const FileStore& files) {
  TG_ASSIGN(const auto exists, files.Exists(file));
  if (!exists) return Json();
  TG_ASSIGN(const auto text, ReadSmallFile(files, file, kSmallJsonLimitBytes));
  if (IsGitLfsPointer(text)) return GitLfsPointerError(file.string());
  auto config = ParseJson(text);
  if (!config) return std::move(config).error().InFile(file.string());
  if (!config->is_object()) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the model's configuration is not a JSON object",
                 .file = file.string(),
                 .found = config->type_name(),
                 .expected = "an object"};
  }
  for (auto checked : {CheckConfigNumbers(*config), CheckConfigText(text)}) {
    if (!checked) return std::move(checked).error().InFile(file.string());
  }
  return config;
}

}  // namespace

Result<Json> ReadConfig(const fs::path& folder, const FileStore& files) {
  return ReadSettings(folder / "config.json", files);
}

Result<Json> ReadNativeParams(const fs::path& folder, const FileStore& files) {
  const fs::path file = folder / "params.json";
  TG_ASSIGN(const auto exists, files.Exists(file));
  if (!exists) return Json();
  TG_ASSIGN(auto params, ReadJsonFile(files, file));
  if (!params.is_object()) return Json();
  // Meta writes -1 where its tokenizer tells.
  const auto vocabulary = params.find("vocab_size");
  if (vocabulary != params.end() && *vocabulary == -1) params.erase(vocabulary);
  auto checked = CheckConfigNumbers(params);
  if (!checked) return std::move(checked).error().InFile(file.string());
  return params;
}

Result<fs::path> FolderOfOnnxConfig(const fs::path& weight_file, const FileStore& files) {
  const fs::path folder = FolderOf(weight_file);
  TG_ASSIGN(const auto beside, files.Exists(folder / "config.json"));
  if (beside) return folder;
  const fs::path parent = folder == "." ? fs::path("..") : FolderOf(folder);
  const auto further_up = files.Exists(parent / "config.json");
  if (!further_up) return further_up.error();
  return *further_up ? parent : folder;
}

Result<OnnxSource> OnnxSourceOf(const Json& config, const fs::path& folder,
                                const FileStore& files) {
  OnnxSource source;
  const auto text = [](const Json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    const bool is_text = object.is_object() && found != object.end() && found->is_string();
    return is_text ? found->get<std::string>() : std::string();
  };
  source.model_type = text(config, "model_type");
  if (config.is_object()) {
    const auto tied = config.find("tie_word_embeddings");
    source.tied_head = tied != config.end() && tied->is_boolean() && tied->get<bool>();
  }
  const fs::path genai = folder / "genai_config.json";
  TG_ASSIGN(const auto exists, files.Exists(genai));
  if (!source.model_type.empty() || !exists) return source;
  TG_ASSIGN(const auto settings, ReadJsonFile(files, genai));
  if (settings.is_object() && settings.contains("model")) {
    source.model_type = text(settings["model"], "type");
  }
  return source;
}

}  // namespace tensorguard::internal
