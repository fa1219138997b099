// Pieces of remote files in memory: fetched many at once, read ahead, and dropped when old.
#ifndef TENSORGUARD_PLACES_HTTP_RANGE_CACHE_H_
#define TENSORGUARD_PLACES_HTTP_RANGE_CACHE_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "places/http/http_source.h"
#include "places/http/transfer_pool.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct CacheSettings {
  uint64_t piece_bytes = 1 << 20;           // of one request
  uint64_t least_request_bytes = 32 << 10;  // so that a header's small reads share requests
  uint64_t least_run_bytes = 256 << 10;     // read in order before anything is read ahead
  uint64_t most_ahead_bytes = 16 << 20;     // of one reader
  // Of all files together; above it by a piece for each thread that waits for one.
  uint64_t most_bytes = 256 << 20;
};

// Thread-safe.
class RangeCache {
 public:
  RangeCache(const CacheSettings& settings, TransferPool* pool);

  // One file's pieces. To be given to one cache only.
  struct CachedFile {
    uint64_t id = 0;
    uint64_t size_bytes = 0;
    std::shared_ptr<HttpSource> source;
    // Where readers that go through the file in order are; guarded by the cache.
    struct Reader {
      uint64_t next_bytes = 0;
      uint64_t run_bytes = 0;
    };
    std::vector<Reader> readers = {};
  };

  std::shared_ptr<CachedFile> Add(std::shared_ptr<HttpSource> source, uint64_t size_bytes,
                                  std::vector<std::byte> start);
  void Remove(const CachedFile& file);

  // REQUIRES: the range is inside the file. Errors: those of HttpSource::Read.
  Result<void> Read(CachedFile& file, uint64_t offset_bytes, std::span<std::byte> out);

 private:
  struct Piece {
    uint64_t begin = 0;
    uint64_t end = 0;
    bool pending = true;
    std::optional<Error> error = {};
    std::vector<std::byte> bytes = {};
    uint64_t last_use = 0;
  };
  using Key = std::pair<uint64_t, uint64_t>;  // file, begin
  using Pieces = std::map<Key, std::shared_ptr<Piece>>;

  uint64_t NoteReader(CachedFile& file, uint64_t offset_bytes, uint64_t size_bytes);
  std::shared_ptr<Piece> Find(const CachedFile& file, uint64_t offset_bytes);
  std::shared_ptr<Piece> Request(const CachedFile& file, uint64_t begin, uint64_t needed_end,
                                 uint64_t end);
  std::shared_ptr<Piece> Start(const CachedFile& file, uint64_t begin, uint64_t end);
  uint64_t PieceEnd(uint64_t begin) const;
  uint64_t GapEnd(const CachedFile& file, uint64_t begin) const;
  bool MakeRoom(uint64_t bytes);

  const CacheSettings settings_;
  TransferPool* const pool_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  Pieces pieces_;
  uint64_t held_bytes_ = 0;
  uint64_t uses_ = 0;
  uint64_t last_file_ = 0;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_RANGE_CACHE_H_
