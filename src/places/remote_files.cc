#include "places/remote_files.h"

#include <optional>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {

class RemoteFile : public File {
 public:
  RemoteFile(std::shared_ptr<RemoteFiles> files, std::shared_ptr<RangeCache::CachedFile> cached)
      : File(cached->source->path(), cached->size_bytes),
        files_(std::move(files)),
        cached_(std::move(cached)) {}
  ~RemoteFile() override { files_->cache_.Remove(*cached_); }

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    if (offset_bytes <= size_bytes() && out.size() <= size_bytes() - offset_bytes) {
      return files_->cache_.Read(*cached_, offset_bytes, out);
    }
    return Error{
        .problem = "file ends while being read", .file = path(), .byte_offset = offset_bytes};
  }

 private:
  std::shared_ptr<RemoteFiles> files_;
  std::shared_ptr<RangeCache::CachedFile> cached_;
};

RemoteFiles::RemoteFiles(const RemoteSettings& settings)
    : settings_(settings),
      pool_(settings.http, settings.most_connections),
      cache_(settings.cache, &pool_) {}

// The pool's threads write into the cache.
RemoteFiles::~RemoteFiles() { pool_.Stop(); }

Result<std::shared_ptr<const File>> RemoteFiles::Open(HttpPlace place) {
  return Open(std::move(place), settings_.fetch, held_);
}

Result<std::string> RemoteFiles::Fetch(HttpPlace place, uint64_t limit_bytes) {
  FetchSettings fetch = settings_.fetch;
  fetch.most_memory_bytes = limit_bytes;
  fetch.most_temporary_bytes = 0;
  TG_ASSIGN(const auto file, Open(std::move(place), fetch, std::make_shared<HeldDownloads>()));
  return ReadWholeFile(*file, limit_bytes);
}

Result<std::shared_ptr<const File>> RemoteFiles::Open(HttpPlace place, const FetchSettings& fetch,
                                                      std::shared_ptr<HeldDownloads> held) {
  const auto source =
      std::make_shared<HttpSource>(std::move(place), fetch, pool_.wait(), std::move(held));
  std::optional<Result<HttpSource::Opened>> opened;
  pool_.RunAndWait([&](HttpConnection& connection) { opened = source->Open(connection); });
  if (!*opened) return opened->error();
  HttpSource::Opened& start = **opened;
  if (start.whole_file) return std::move(start.whole_file);
  auto cached = cache_.Add(source, start.size_bytes, std::move(start.start));
  return std::shared_ptr<const File>(
      std::make_shared<RemoteFile>(shared_from_this(), std::move(cached)));
}

}  // namespace tensorguard::internal
