#include "api/place_settings.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

// The first that is set and not empty.
std::string FirstOf(const ReadVariable& variable, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto value = variable(name); value && !value->empty()) return *std::move(value);
  }
  return {};
}

// huggingface_hub: 1, ON, YES and TRUE in any case.
bool IsOn(const ReadVariable& variable, const char* name) {
  std::string value = variable(name).value_or("");
  std::transform(value.begin(), value.end(), value.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

std::string Trimmed(std::string text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  const auto begin = std::find_if_not(text.begin(), text.end(), is_space);
  return {begin, text.end()};
}

fs::path HubHome(const ReadVariable& variable) {
  if (const std::string home = FirstOf(variable, {"HF_HOME"}); !home.empty()) return home;
  const std::string cache = FirstOf(variable, {"XDG_CACHE_HOME"});
  if (!cache.empty()) return fs::path(cache) / "huggingface";
  const std::string user = FirstOf(variable, {"HOME"});
  return user.empty() ? fs::path() : fs::path(user) / ".cache" / "huggingface";
}

// A token in a file serves where it can be read; without one, the Hub says so where it wants one.
std::string HubToken(const ReadVariable& variable, const fs::path& home) {
  constexpr uint64_t kLongestToken = 4096;
  std::string given = Trimmed(FirstOf(variable, {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}));
  if (!given.empty()) return given;
  if (IsOn(variable, "HF_HUB_DISABLE_IMPLICIT_TOKEN")) return {};
  fs::path file = FirstOf(variable, {"HF_TOKEN_PATH"});
  if (file.empty() && !home.empty()) file = home / "token";
  if (file.empty()) return {};
  auto stored = ReadSmallFile(file, kLongestToken);
  return stored ? Trimmed(*std::move(stored)) : std::string();
}

}  // namespace

PlaceOptions PlaceOptionsFrom(const ReadVariable& variable) {
  PlaceOptions options;
  const fs::path home = HubHome(variable);
  if (auto endpoint = FirstOf(variable, {"HF_ENDPOINT"}); !endpoint.empty()) {
    options.hub_endpoint = std::move(endpoint);
  }
  options.hub_token = HubToken(variable, home);
  options.hub_cache = FirstOf(variable, {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
  if (options.hub_cache.empty() && !home.empty()) options.hub_cache = home / "hub";
  options.offline = IsOn(variable, "HF_HUB_OFFLINE");
  if (auto region = FirstOf(variable, {"AWS_REGION", "AWS_DEFAULT_REGION"}); !region.empty()) {
    options.s3_region = std::move(region);
  }
  options.s3_endpoint = FirstOf(variable, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  options.remote.http.certificates_file =
      FirstOf(variable, {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"});
  options.remote.fetch.allow_private_redirects =
      IsOn(variable, "TENSORGUARD_ALLOW_PRIVATE_REDIRECTS");
  if (auto folder = FirstOf(variable, {"TMPDIR"}); !folder.empty()) {
    options.remote.fetch.temporary_folder = std::move(folder);
  }
  return options;
}

}  // namespace tensorguard::internal
