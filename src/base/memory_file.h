// Bytes in memory as a file.
#ifndef TENSORGUARD_BASE_MEMORY_FILE_H_
#define TENSORGUARD_BASE_MEMORY_FILE_H_

#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "base/file.h"

namespace tensorguard::internal {

// `bytes` must outlive it; `name` stands for a path in errors.
class MemoryFile final : public File {
 public:
  MemoryFile(std::string name, std::span<const std::byte> bytes)
      : File(std::move(name), bytes.size()), bytes_(bytes) {}

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    if (offset_bytes > bytes_.size() || out.size() > bytes_.size() - offset_bytes) {
      return Error{
          .kind = ErrorKind::kBadFile, .problem = "file ends while being read", .file = path()};
    }
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset_bytes, out.size());
    return {};
  }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_MEMORY_FILE_H_
