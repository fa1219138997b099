#include "places/places.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/try.h"
#include "places/http/http_connection.h"
#include "places/http/web_files.h"
#include "places/hub/hub.h"
#include "places/hub/hub_files.h"
#include "places/place_name.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

bool IsToken(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

Error OfflineError(const HubPlace& name) {
  return {.kind = ErrorKind::kNotFound,
          .problem = "the Hub's cache does not hold the model, and the Hub is not to be asked",
          .file = name.Root(),
          .advice = "unset HF_HUB_OFFLINE, or download the model first"};
}

}  // namespace

// The path of an argument; its model's files too, where finding the path meant finding them.
struct Places::Located {
  fs::path path;
  std::optional<ModelFiles> files = {};
};

struct Places::State {
  PlaceOptions options;
  std::shared_ptr<RemoteFiles> remote;
  HubFiles hub;
  WebFiles web;

  Result<Located> LocateOnHub(const HubPlace& name) const;
};

// A cache that holds a part of the model is of no use: the rest may be of another commit.
Result<Places::Located> Places::State::LocateOnHub(const HubPlace& name) const {
  TG_ASSIGN(const auto snapshot, FindCachedSnapshot(options.hub_cache, name));
  if (snapshot) {
    const fs::path path = name.file.empty() ? *snapshot : *snapshot / name.file;
    TG_ASSIGN(auto whole, FindWholeModel(path));
    if (whole || options.offline) return Located{path, std::move(whole)};
  }
  if (options.offline) return OfflineError(name);
  TG_TRY(hub.List(name));
  return Located{name.file.empty() ? fs::path(name.Root()) : fs::path(name.Root()) / name.file};
}

Places::Places(std::unique_ptr<State> state) : state_(std::move(state)) {}
Places::~Places() = default;

Result<std::shared_ptr<const Places>> Places::Create(PlaceOptions options) {
  StartHttp();  // each connection says itself if it failed
  TG_ASSIGN(auto endpoint, Url::Parse(options.hub_endpoint));
  if (!IsToken(options.hub_token)) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "the Hub's token holds other than visible characters"};
  }
  S3Service s3 = {.region = options.s3_region, .endpoint = {}};
  if (!options.s3_endpoint.empty()) {
    TG_ASSIGN(auto s3_endpoint, Url::Parse(options.s3_endpoint));
    s3.endpoint = std::move(s3_endpoint);
  }
  auto remote = std::make_shared<RemoteFiles>(options.remote);
  const std::string token = options.hub_token;
  return std::shared_ptr<const Places>(new Places(std::unique_ptr<State>(
      new State{std::move(options), remote, HubFiles(std::move(endpoint), token, remote),
                WebFiles(std::move(s3), remote)})));
}

Result<Places::Located> Places::LocateAny(std::string_view argument) const {
  TG_ASSIGN(const auto place, ParsePlaceName(argument));
  if (const auto* hub = std::get_if<HubPlace>(&place)) return state_->LocateOnHub(*hub);
  if (const auto* local = std::get_if<LocalPlace>(&place)) return Located{local->path};
  const auto* web = std::get_if<WebPlace>(&place);
  return Located{web != nullptr ? state_->web.Add(*web)
                                : state_->web.Add(std::get<S3Place>(place))};
}

Result<fs::path> Places::Locate(std::string_view argument) const {
  TG_ASSIGN(auto located, LocateAny(argument));
  return std::move(located.path);
}

Result<ModelFiles> Places::Find(std::string_view argument) const {
  TG_ASSIGN(auto located, LocateAny(argument));
  if (located.files) return *std::move(located.files);
  return FindModelFiles(located.path, *this);
}

const FileStore& Places::StoreOf(const fs::path& path) const {
  const std::string text = path.string();
  if (text.starts_with("hf://")) return state_->hub;
  if (IsPlaceUrl(text) && !text.starts_with("file:")) return state_->web;
  return *LocalFiles();
}

Result<bool> Places::Exists(const fs::path& path) const { return StoreOf(path).Exists(path); }

Result<bool> Places::IsFolder(const fs::path& path) const { return StoreOf(path).IsFolder(path); }

Result<std::vector<std::string>> Places::FilesIn(const fs::path& folder,
                                                 std::span<const std::string> likely_names) const {
  return StoreOf(folder).FilesIn(folder, likely_names);
}

Result<std::vector<std::string>> Places::FoldersIn(const fs::path& folder) const {
  return StoreOf(folder).FoldersIn(folder);
}

Result<std::shared_ptr<const File>> Places::Open(const fs::path& path) const {
  return StoreOf(path).Open(path);
}

Result<std::optional<StatedContent>> Places::StatedContentOf(const fs::path& path) const {
  const std::optional<StatedContent> nothing;
  if (&StoreOf(path) == &state_->hub) {
    TG_ASSIGN(const auto file, state_->hub.Look(path));
    if (file.sha256.empty() || !file.size_bytes) return nothing;
    return std::optional(StatedContent{.bytes = *file.size_bytes, .sha256 = file.sha256});
  }
  const auto cached = CachedSha256(state_->options.hub_cache, path);
  if (!cached) return nothing;
  TG_ASSIGN(const auto file, Open(path));
  return std::optional(StatedContent{.bytes = file->size_bytes(), .sha256 = *cached});
}

uint64_t Places::received_bytes() const { return state_->remote->received_bytes(); }

}  // namespace tensorguard::internal
