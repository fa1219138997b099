// Any part of deflated data, without unpacking all of it or holding it in memory.
#ifndef TENSORGUARD_FORMATS_ARCHIVES_DEFLATED_DATA_H_
#define TENSORGUARD_FORMATS_ARCHIVES_DEFLATED_DATA_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "formats/byte_source.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A stream without a header (RFC 1951), as zip entries hold. Remembers states of the decompression
// on its way, 48 KiB each, one per 4 MiB of what it unpacks: a read starts at the state before it,
// and one that goes on where the last ended starts there. Thread-safe.
class DeflatedData {
 public:
  // Bytes [begin_bytes, end_bytes) of the file, which unpack to `size_bytes`.
  DeflatedData(uint64_t begin_bytes, uint64_t end_bytes, uint64_t size_bytes);
  ~DeflatedData();
  DeflatedData(const DeflatedData&) = delete;
  DeflatedData& operator=(const DeflatedData&) = delete;

  uint64_t size_bytes() const { return size_bytes_; }

  // Fills `out` from unpacked byte `offset_bytes` on. `source` is the file. Errors: kBadFile if the
  // stream is broken or shorter; those of the source.
  Result<void> ReadAt(const ByteSource& source, uint64_t offset_bytes,
                      std::span<std::byte> out) const;

 private:
  class Stream;

  std::unique_ptr<Stream> StreamBefore(uint64_t offset_bytes) const;
  void Remember(const Stream& stream) const;

  uint64_t begin_bytes_;
  uint64_t end_bytes_;
  uint64_t size_bytes_;
  mutable std::mutex mutex_;
  mutable std::map<uint64_t, std::unique_ptr<Stream>> states_;  // by place; guarded by mutex_
  mutable std::unique_ptr<Stream> last_;                        // guarded by mutex_
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_ARCHIVES_DEFLATED_DATA_H_
