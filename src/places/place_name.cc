#include "places/place_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kHub = "hf://";
constexpr std::string_view kS3 = "s3://";
constexpr std::string_view kFile = "file://";
constexpr std::array kSchemes =
    std::to_array<std::string_view>({kHub, "https://", "http://", kS3, kFile});

// The scheme in front in lower case; empty if there is none.
std::string_view SchemeOf(std::string_view text) {
  for (const std::string_view scheme : kSchemes) {
    const bool same = text.size() >= scheme.size() &&
                      std::equal(scheme.begin(), scheme.end(), text.begin(), [](char a, char b) {
                        return a == (b >= 'A' && b <= 'Z' ? b + 32 : b);
                      });
    if (same) return scheme;
  }
  return {};
}

Error BadHubName(std::string problem, std::string_view text) {
  return {.kind = ErrorKind::kUsage,
          .problem = std::move(problem),
          .found = std::string(text),
          .expected = "hf://ORG/NAME, hf://ORG/NAME@REVISION or hf://ORG/NAME@REVISION/FILE"};
}

// The Hub's rule: letters, digits, "-", "_" and ".", at most 96 of them.
bool IsRepositoryPart(std::string_view part) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
  };
  return !part.empty() && part.size() <= 96 && part.front() != '.' && part.front() != '-' &&
         std::all_of(part.begin(), part.end(), allowed);
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// No part may be empty, "." or "..".
bool IsPlainPath(std::string_view path) {
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return !HasControl(path);
}

std::string_view TakeUpTo(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

// "refs/pr/1" and "refs/convert/parquet" are written with these slashes.
constexpr std::array kPlainBeginnings =
    std::to_array<std::string_view>({"refs/pr/", "refs/convert/"});

std::string_view TakeRevision(std::string_view& text) {
  for (const std::string_view beginning : kPlainBeginnings) {
    if (!text.starts_with(beginning)) continue;
    const size_t end = std::min(text.find('/', beginning.size()), text.size());
    const std::string_view revision = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return revision;
  }
  return TakeUpTo(text, '/');
}

Result<PlaceName> ParseHubName(std::string_view text) {
  std::string_view rest = text.substr(kHub.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  for (const std::string_view other : {"datasets/", "spaces/", "buckets/"}) {
    if (rest.starts_with(other)) return BadHubName("only models are read from the Hub", text);
  }
  HubPlace name;
  const size_t at = rest.find('@');
  const size_t slash = rest.find('/');
  // NAME@..., ORG/NAME@... or ORG/NAME/FILE, which may hold an "@" of its own.
  const size_t second = slash == rest.npos ? rest.npos : rest.find('/', slash + 1);
  const bool has_revision = at < second;
  name.repository = rest.substr(0, has_revision ? at : second);
  std::string_view revision = "main";
  if (has_revision) {
    rest.remove_prefix(at + 1);
    revision = TakeRevision(rest);
    name.file = rest;
  } else if (second != rest.npos) {
    name.file = rest.substr(second + 1);
  }
  const size_t organisation_end = name.repository.find('/');
  const std::string_view repository = name.repository;
  const bool named = IsRepositoryPart(repository.substr(0, organisation_end)) &&
                     (organisation_end == repository.npos ||
                      IsRepositoryPart(repository.substr(organisation_end + 1)));
  if (!named) return BadHubName("not the name of a model on the Hub", text);
  auto decoded = PercentDecode(revision);
  if (!decoded || !IsPlainPath(*decoded)) return BadHubName("not a revision", text);
  if (!name.file.empty() && !IsPlainPath(name.file)) return BadHubName("not a file's path", text);
  name.revision = *std::move(decoded);
  return PlaceName(std::move(name));
}

Result<PlaceName> ParseS3Name(std::string_view text) {
  std::string_view rest = text.substr(kS3.size());
  const std::string_view bucket = TakeUpTo(rest, '/');
  // A bucket's name becomes part of a host's.
  if (!IsRepositoryPart(bucket) || rest.empty() || HasControl(rest)) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "not the name of an object in S3",
                 .found = std::string(text),
                 .expected = "s3://BUCKET/KEY"};
  }
  return PlaceName(S3Place{.bucket = std::string(bucket), .key = std::string(rest)});
}

Result<PlaceName> ParseFileName(std::string_view text) {
  std::string_view rest = text.substr(kFile.size());
  if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  if (!rest.starts_with('/')) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a file URL names this machine's files only",
                 .found = std::string(text),
                 .expected = "file:///PATH"};
  }
  TG_ASSIGN(auto path, PercentDecode(rest));
  return PlaceName(LocalPlace{std::move(path)});
}

Result<PlaceName> ParseWebName(std::string_view text) {
  TG_ASSIGN(auto url, Url::Parse(text));
  TG_ASSIGN(auto path, PercentDecode(url.WithoutQuery()));
  const bool is_folder = path.ends_with('/');
  while (path.ends_with('/')) path.pop_back();
  return PlaceName(
      WebPlace{.url = std::move(url), .is_folder = is_folder, .path = std::move(path)});
}

}  // namespace

std::string HubPlace::Root() const {
  if (revision == "main") return fmt::format("{}{}", kHub, repository);
  std::string_view plain;
  for (const std::string_view beginning : kPlainBeginnings) {
    if (revision.starts_with(beginning)) plain = beginning;
  }
  return fmt::format("{}{}@{}{}", kHub, repository, plain,
                     PercentEncode(std::string_view(revision).substr(plain.size()), false));
}

bool IsPlaceUrl(std::string_view text) { return !SchemeOf(text).empty(); }

Result<PlaceName> ParsePlaceName(std::string_view text) {
  const std::string_view scheme = SchemeOf(text);
  if (scheme == kHub) return ParseHubName(text);
  if (scheme == kS3) return ParseS3Name(text);
  if (scheme == kFile) return ParseFileName(text);
  if (!scheme.empty()) return ParseWebName(text);
  const size_t scheme_end = text.find("://");
  if (scheme_end == text.npos || text.find('/') < scheme_end || scheme_end == 0) {
    return PlaceName(LocalPlace{std::string(text)});
  }
  return Error{.kind = ErrorKind::kUsage,
               .problem = "models are not read from such a place",
               .found = std::string(text.substr(0, scheme_end + 3)),
               .expected = "a path, hf://, https://, http://, s3:// or file://"};
}

std::string LastPartOf(std::string_view text) {
  if (!IsPlaceUrl(text)) return {};
  const auto name = ParsePlaceName(text);
  if (!name) return {};
  std::string path;
  if (const auto* hub = std::get_if<HubPlace>(&*name)) {
    path = hub->file.empty() ? hub->repository : hub->file;
  } else if (const auto* web = std::get_if<WebPlace>(&*name)) {
    path = web->path;
  } else if (const auto* s3 = std::get_if<S3Place>(&*name)) {
    path = s3->key;
  } else {
    path = std::get<LocalPlace>(*name).path;
  }
  while (path.ends_with('/')) path.pop_back();
  return path.substr(path.rfind('/') + 1);
}

}  // namespace tensorguard::internal
