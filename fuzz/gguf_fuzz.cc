// Any bytes as a GGUF file: never a crash, and what is accepted lies inside the file, apart from
// each other. An input is two bytes that say how much zero data follows, low byte first, and the
// start of the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/dtype.h"
#include "formats/gguf.h"

namespace {

using tensorguard::TensorEntry;

void Require(bool property) {
  if (!property) std::abort();
}

void CheckAccepted(const tensorguard::TensorTable& table, uint64_t file_size) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  const TensorEntry* previous = nullptr;
  for (const TensorEntry& entry : table.tensors) {
    Require(previous == nullptr || previous->name < entry.name);
    const tensorguard::DTypeInfo& info = tensorguard::InfoOf(entry.dtype);
    const uint64_t bytes = entry.data_end_bytes - entry.data_begin_bytes;
    Require(entry.data_end_bytes > entry.data_begin_bytes && entry.data_end_bytes <= file_size);
    Require(info.block_elements != 0
                ? entry.element_count / info.block_elements * info.block_bytes == bytes
                : entry.element_count * info.bits == bytes * 8);
    ranges.push_back({entry.data_begin_bytes, entry.data_end_bytes});
    previous = &entry;
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i) Require(ranges[i - 1].second <= ranges[i].first);
}

// The text goes to a terminal: lines of printable characters.
void CheckRefused(const tensorguard::Error& error) {
  Require(!error.problem.empty());
  for (const char c : tensorguard::DescribeError(error)) {
    Require(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size < 2) return 0;
  const uint64_t data_bytes = input[0] | static_cast<uint64_t>(input[1]) << 8;
  const std::string_view start(reinterpret_cast<const char*>(input) + 2, size - 2);
  const uint64_t file_size = start.size() + data_bytes;
  const auto header = tensorguard::ParseGgufHeader(start, file_size);
  if (header) {
    CheckAccepted(header->table, file_size);
  } else {
    CheckRefused(header.error());
  }
  return 0;
}
