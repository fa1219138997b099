#include "places/http/web_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "places/http/file_kinds.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kS3 = "s3://";

std::string ParentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

// A bucket whose name holds a dot has no certificate as a host.
std::string S3Base(const S3Service& s3, const std::string& bucket) {
  if (s3.endpoint) {
    std::string base = s3.endpoint->text();
    while (base.ends_with('/')) base.pop_back();
    return fmt::format("{}/{}", base, bucket);
  }
  if (bucket.find('.') != bucket.npos) {
    return fmt::format("https://s3.{}.amazonaws.com/{}", s3.region, bucket);
  }
  return fmt::format("https://{}.s3.{}.amazonaws.com", bucket, s3.region);
}

}  // namespace

WebFiles::WebFiles(S3Service s3, std::shared_ptr<RemoteFiles> remote)
    : s3_(std::move(s3)), remote_(std::move(remote)) {}

// REQUIRES: mutex_ is held.
std::string WebFiles::PathFor(const WebPlace& name) const {
  const auto is_free = [&](const std::string& path) {
    const auto known = known_.urls.find(path);
    return known == known_.urls.end() || known->second.text() == name.url.text();
  };
  const std::string folder = ParentOf(name.path);
  std::string path = name.path;
  for (unsigned number = 2; !is_free(path); ++number) {
    const std::string numbered = fmt::format("{}/#{}", folder, number);
    known_.numbered.emplace(numbered, folder);
    path = numbered + name.path.substr(folder.size());
  }
  return path;
}

fs::path WebFiles::Add(const WebPlace& name) const {
  const std::lock_guard lock(mutex_);
  if (name.is_folder) {
    known_.folders.insert(name.path);
    return name.path;
  }
  const std::string path = PathFor(name);
  known_.urls.emplace(path, name.url);
  known_.named.insert(path);
  const bool is_signed = name.url.text() != name.url.WithoutQuery();
  if (is_signed) known_.may_hide.insert(ParentOf(path));
  return path;
}

fs::path WebFiles::Add(const S3Place& name) const {
  std::string path = fmt::format("{}{}/{}", kS3, name.bucket, name.key);
  const bool is_folder = path.ends_with('/');
  while (path.ends_with('/')) path.pop_back();
  const std::lock_guard lock(mutex_);
  (is_folder ? known_.folders : known_.named).insert(path);
  known_.may_hide.insert(is_folder ? path : ParentOf(path));
  return path;
}

Result<Url> WebFiles::UrlOf(const std::string& name) const {
  std::string path = name;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.urls.find(path); found != known_.urls.end()) {
      return found->second;
    }
    const std::string parent = ParentOf(path);
    const auto numbered = known_.numbered.find(parent);
    if (numbered != known_.numbered.end()) path = numbered->second + path.substr(parent.size());
  }
  const size_t host_begin = path.find("://") + 3;
  const size_t host_end = std::min(path.find('/', host_begin), path.size());
  const std::string_view host = std::string_view(path).substr(host_begin, host_end - host_begin);
  const std::string way = PercentEncode(std::string_view(path).substr(host_end), true);
  const std::string base =
      path.starts_with(kS3) ? S3Base(s3_, std::string(host)) : path.substr(0, host_end);
  return Url::Parse(base + way);
}

Result<bool> WebFiles::Exists(const fs::path& path) const {
  auto is_folder = IsFolder(path);
  if (!is_folder || *is_folder) return is_folder;
  const auto file = Open(path);
  if (file) return true;
  if (file.error().kind == ErrorKind::kNotFound) return false;
  return file.error();
}

Result<bool> WebFiles::IsFolder(const fs::path& path) const {
  const std::lock_guard lock(mutex_);
  return known_.folders.contains(path.string());
}

Result<std::vector<std::string>> WebFiles::FilesIn(
    const fs::path& folder, std::span<const std::string> likely_names) const {
  std::vector<std::string> names;
  for (const std::string& name : likely_names) {
    TG_ASSIGN(const auto exists, Exists(folder / name));
    if (exists) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> WebFiles::FoldersIn(const fs::path&) const {
  return std::vector<std::string>();
}

Result<std::shared_ptr<const File>> WebFiles::Open(const fs::path& path) const {
  const std::string text = path.string();
  TG_ASSIGN(auto url, UrlOf(text));
  bool may_hide = false;
  {
    const std::lock_guard lock(mutex_);
    may_hide = !known_.named.contains(text) && known_.may_hide.contains(ParentOf(text));
  }
  return opened_.Get(text, [&] {
    return remote_->Open({.path = text,
                          .url = std::move(url),
                          .most_bytes = MostBytesOfKind(text),
                          .forbidden_is_missing = may_hide});
  });
}

}  // namespace tensorguard::internal
