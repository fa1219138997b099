#include "places/http/range_cache.h"

#include <algorithm>
#include <exception>
#include <optional>

namespace tensorguard::internal {

RangeCache::RangeCache(const CacheSettings& settings, TransferPool* pool)
    : settings_(settings), pool_(pool) {}

std::shared_ptr<RangeCache::CachedFile> RangeCache::Add(std::shared_ptr<HttpSource> source,
                                                        uint64_t size_bytes,
                                                        std::vector<std::byte> start) {
  auto file = std::make_shared<CachedFile>();
  file->size_bytes = size_bytes;
  file->source = std::move(source);
  const std::lock_guard lock(mutex_);
  file->id = ++last_file_;
  if (!start.empty()) {
    MakeRoom(start.size());
    auto piece = std::make_shared<Piece>();
    piece->end = start.size();
    piece->pending = false;
    piece->bytes = std::move(start);
    piece->last_use = ++uses_;
    held_bytes_ += piece->end;
    pieces_.emplace(Key{file->id, 0}, std::move(piece));
  }
  return file;
}

void RangeCache::Remove(const CachedFile& file) {
  const std::lock_guard lock(mutex_);
  const auto first = pieces_.lower_bound({file.id, 0});
  const auto last = pieces_.lower_bound({file.id + 1, 0});
  for (auto at = first; at != last; ++at) held_bytes_ -= at->second->end - at->second->begin;
  pieces_.erase(first, last);
}

Result<void> RangeCache::Read(CachedFile& file, uint64_t offset_bytes, std::span<std::byte> out) {
  const uint64_t end = offset_bytes + out.size();
  std::unique_lock lock(mutex_);
  const uint64_t ahead = NoteReader(file, offset_bytes, out.size());
  const uint64_t ahead_end = ahead == 0 ? end : std::min(PieceEnd(end + ahead), file.size_bytes);
  while (offset_bytes < end) {
    // Of a long read the next part only: what is fetched before it is wanted must fit the memory.
    const uint64_t window_end = std::min(ahead_end, offset_bytes + settings_.most_ahead_bytes);
    const auto piece = Request(file, offset_bytes, std::min(end, window_end), window_end);
    piece->last_use = ++uses_;
    changed_.wait(lock, [&] { return !piece->pending; });
    if (piece->error) return *piece->error;
    const uint64_t part = std::min(end, piece->end) - offset_bytes;
    lock.unlock();  // the bytes no longer change
    std::copy_n(piece->bytes.begin() + static_cast<ptrdiff_t>(offset_bytes - piece->begin), part,
                out.begin());
    lock.lock();
    out = out.subspan(part);
    offset_bytes += part;
  }
  return {};
}

// How far to read ahead: as far again as the reader has come in one run, so that a header or a
// single row fetches nothing that nobody wants. Threads that share a file come a little out of
// order.
uint64_t RangeCache::NoteReader(CachedFile& file, uint64_t offset_bytes, uint64_t size_bytes) {
  constexpr size_t kMostReaders = 16;
  constexpr uint64_t kDisorder = 8;
  const uint64_t reach = kDisorder * size_bytes;
  const auto found =
      std::find_if(file.readers.begin(), file.readers.end(), [&](const CachedFile::Reader& reader) {
        return offset_bytes <= reader.next_bytes + reach &&
               reader.next_bytes <= offset_bytes + reach;
      });
  CachedFile::Reader reader = {};
  if (found != file.readers.end()) {
    reader = *found;
    file.readers.erase(found);
  } else if (file.readers.size() == kMostReaders) {
    file.readers.erase(file.readers.begin());
  }
  const uint64_t run_bytes = reader.run_bytes;
  reader.next_bytes = std::max(reader.next_bytes, offset_bytes + size_bytes);
  reader.run_bytes += size_bytes;
  file.readers.push_back(reader);
  return run_bytes < settings_.least_run_bytes ? 0
                                               : std::min(run_bytes, settings_.most_ahead_bytes);
}

// The piece that holds this byte, or null.
std::shared_ptr<RangeCache::Piece> RangeCache::Find(const CachedFile& file, uint64_t offset_bytes) {
  auto after = pieces_.upper_bound({file.id, offset_bytes});
  if (after == pieces_.begin()) return nullptr;
  const auto at = std::prev(after);
  if (at->first.first != file.id || at->second->end <= offset_bytes) return nullptr;
  return at->second;
}

// Starts what is not there of [begin, end); of what lies past the first piece only what there is
// room for. A gap before `needed_end` is fetched at least least_request_bytes long. Gives the piece
// that holds `begin`.
std::shared_ptr<RangeCache::Piece> RangeCache::Request(const CachedFile& file, uint64_t begin,
                                                       uint64_t needed_end, uint64_t end) {
  std::shared_ptr<Piece> first;
  while (begin < end) {
    std::shared_ptr<Piece> piece = Find(file, begin);
    if (piece && piece->error) {  // asked for again
      held_bytes_ -= piece->end - piece->begin;
      pieces_.erase({file.id, piece->begin});
      piece = nullptr;
    }
    if (!piece) {
      uint64_t piece_end = std::min(PieceEnd(begin), end);
      if (begin < needed_end) {
        piece_end = std::max(piece_end, begin + settings_.least_request_bytes);
      }
      piece_end = std::min(piece_end, GapEnd(file, begin));
      const bool has_room = MakeRoom(piece_end - begin);
      if (!has_room && first) return first;
      piece = Start(file, begin, piece_end);
    }
    if (!first) first = piece;
    begin = piece->end;
  }
  return first;
}

// Pieces end at multiples, so that what is read ahead comes in few requests.
uint64_t RangeCache::PieceEnd(uint64_t begin) const {
  return (begin / settings_.piece_bytes + 1) * settings_.piece_bytes;
}

uint64_t RangeCache::GapEnd(const CachedFile& file, uint64_t begin) const {
  const auto next = pieces_.upper_bound({file.id, begin});
  const bool bounded = next != pieces_.end() && next->first.first == file.id;
  return bounded ? next->first.second : file.size_bytes;
}

std::shared_ptr<RangeCache::Piece> RangeCache::Start(const CachedFile& file, uint64_t begin,
                                                     uint64_t end) {
  auto piece = std::make_shared<Piece>();
  piece->begin = begin;
  piece->end = end;
  piece->last_use = ++uses_;
  held_bytes_ += end - begin;
  pieces_[{file.id, begin}] = piece;
  const auto fetch = [this, piece, source = file.source](HttpConnection& connection) {
    std::vector<std::byte> bytes;
    std::optional<Error> error;
    try {
      bytes.resize(piece->end - piece->begin);
      auto read = source->Read(connection, piece->begin, bytes);
      if (!read) error = std::move(read).error();
    } catch (const std::exception&) {
      error = Error{.kind = ErrorKind::kSystem, .problem = "out of memory"};
    }
    const std::lock_guard lock(mutex_);
    piece->bytes = std::move(bytes);
    piece->error = std::move(error);
    piece->pending = false;
    changed_.notify_all();
  };
  try {
    pool_->Run(fetch);
  } catch (...) {  // nobody will fetch it
    held_bytes_ -= end - begin;
    pieces_.erase({file.id, begin});
    throw;
  }
  return piece;
}

// Drops what was used longest ago. False if there is no room even so.
bool RangeCache::MakeRoom(uint64_t bytes) {
  while (held_bytes_ + bytes > settings_.most_bytes) {
    auto oldest = pieces_.end();
    for (auto at = pieces_.begin(); at != pieces_.end(); ++at) {
      if (at->second->pending) continue;
      if (oldest == pieces_.end() || at->second->last_use < oldest->second->last_use) oldest = at;
    }
    if (oldest == pieces_.end()) return false;
    held_bytes_ -= oldest->second->end - oldest->second->begin;
    pieces_.erase(oldest);
  }
  return true;
}

}  // namespace tensorguard::internal
