#include "tests/support/zip_builder.h"

#include <zlib.h>

namespace tensorguard::internal {
namespace {

// As much as unpacks, at most `bytes`.
std::string Inflate(const std::string& data, size_t bytes) {
  z_stream stream = {};
  std::string unpacked(bytes, '\0');
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
  stream.avail_out = static_cast<uInt>(unpacked.size());
  inflate(&stream, Z_FINISH);
  unpacked.resize(stream.total_out);
  inflateEnd(&stream);
  return unpacked;
}

// Of what the entry's data unpack to.
uint32_t SumOfUnpacked(const BuiltZipEntry& entry) {
  const auto sum = [](const std::string& bytes) {
    return static_cast<uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
  };
  return entry.method == 0 ? sum(entry.data)
                           : sum(Inflate(entry.data, entry.size_bytes.value_or(0)));
}

// What the local and the central header have in common: version, flags ... lengths of the data.
std::string SharedFields(const BuiltZipEntry& entry) {
  const auto length = static_cast<uint32_t>(entry.data.size());
  return LittleEndian<uint16_t>(20) + LittleEndian(entry.flags) + LittleEndian(entry.method) +
         std::string(4, '\0') + LittleEndian(entry.crc32.value_or(SumOfUnpacked(entry))) +
         LittleEndian(entry.packed_bytes.value_or(length)) +
         LittleEndian(entry.size_bytes.value_or(length));
}

}  // namespace

std::string BuildZip(const std::vector<BuiltZipEntry>& entries, const ZipLies& lies) {
  std::string file;
  std::string directory;
  for (const BuiltZipEntry& entry : entries) {
    const auto begin = static_cast<uint32_t>(file.size());
    const std::string local_name = entry.local_name.value_or(entry.name);
    file += "PK\x03\x04" + SharedFields(entry) +
            LittleEndian(static_cast<uint16_t>(local_name.size())) + LittleEndian<uint16_t>(0) +
            local_name + entry.data;
    directory += "PK\x01\x02" + LittleEndian<uint16_t>(20) + SharedFields(entry) +
                 LittleEndian(static_cast<uint16_t>(entry.name.size())) +
                 LittleEndian(static_cast<uint16_t>(entry.central_extra.size())) +
                 std::string(10, '\0') + LittleEndian(entry.header_begin.value_or(begin)) +
                 entry.name + entry.central_extra;
  }
  const auto directory_begin = static_cast<uint32_t>(file.size());
  const auto count = lies.entries.value_or(static_cast<uint16_t>(entries.size()));
  file += directory + lies.before_end + "PK\x05\x06" + std::string(4, '\0') + LittleEndian(count) +
          LittleEndian(count) +
          LittleEndian(lies.directory_bytes.value_or(static_cast<uint32_t>(directory.size()))) +
          LittleEndian(lies.directory_begin.value_or(directory_begin)) +
          LittleEndian(static_cast<uint16_t>(lies.comment.size())) + lies.comment;
  return file;
}

std::string Deflate(const std::string& data) {
  z_stream stream = {};
  std::string packed(data.size() + data.size() / 100 + 100, '\0');
  if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace tensorguard::internal
