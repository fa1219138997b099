// Makes the bytes of zip archives for tests, right ones and wrong ones.
#ifndef TENSORGUARD_TESTS_SUPPORT_ZIP_BUILDER_H_
#define TENSORGUARD_TESTS_SUPPORT_ZIP_BUILDER_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace tensorguard::internal {

// A number's little-endian bytes.
template <typename T>
std::string LittleEndian(T number) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &number, sizeof(T));
  return bytes;
}

struct BuiltZipEntry {
  std::string name;
  std::string data;  // as it lies in the file
  uint16_t method = 0;
  uint16_t flags = 0;
  // What the archive says, where it is not the truth.
  std::optional<uint32_t> packed_bytes = {};
  std::optional<uint32_t> size_bytes = {};
  std::optional<uint32_t> header_begin = {};
  std::optional<std::string> local_name = {};
  std::string central_extra = {};
  std::optional<uint32_t> crc32 = {};
};

struct ZipLies {
  std::optional<uint16_t> entries = {};
  std::optional<uint32_t> directory_bytes = {};
  std::optional<uint32_t> directory_begin = {};
  std::string before_end = {};  // bytes between the directory and its end record
  std::string comment = {};
};

std::string BuildZip(const std::vector<BuiltZipEntry>& entries, const ZipLies& lies = {});

// `data` deflated without a header (method 8).
std::string Deflate(const std::string& data);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_ZIP_BUILDER_H_
