// Any bytes as a safetensors header: never a crash, and what is accepted describes the file
// exactly. An input is two bytes that say how much data follows the header, low byte first, and the
// header.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/refusal_checks.h"
#include "safetensors/dtype.h"
#include "safetensors/safetensors.h"
#include "tests/support/tiling.h"

namespace {

using tensorguard::internal::CheckRefused;
using tensorguard::internal::Require;
using tensorguard::internal::TensorEntry;

constexpr uint64_t kLengthFieldBytes = 8;

void CheckAccepted(const tensorguard::internal::TensorTable& table, uint64_t data_begin,
                   uint64_t file_size) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  const TensorEntry* previous = nullptr;
  for (const TensorEntry& entry : table.tensors) {
    Require(previous == nullptr || previous->name < entry.name);
    Require((entry.data_end_bytes - entry.data_begin_bytes) * 8 ==
            entry.element_count * tensorguard::internal::InfoOf(entry.dtype).bits);
    ranges.push_back({entry.data_begin_bytes, entry.data_end_bytes});
    previous = &entry;
  }
  Require(tensorguard::internal::TilesExactly(std::move(ranges), data_begin, file_size));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size < 2) return 0;
  const uint64_t data_bytes = input[0] | static_cast<uint64_t>(input[1]) << 8;
  const std::string_view header(reinterpret_cast<const char*>(input) + 2, size - 2);
  const uint64_t data_begin = kLengthFieldBytes + header.size();
  const uint64_t file_size = data_begin + data_bytes;
  const auto table = tensorguard::internal::ParseSafetensorsHeader(header, file_size);
  if (table) {
    CheckAccepted(*table, data_begin, file_size);
  } else {
    CheckRefused(table.error());
  }
  return 0;
}
