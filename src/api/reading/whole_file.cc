#include "api/reading/whole_file.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "api/cancellable_weights.h"
#include "base/try.h"

namespace tensorguard::internal {

Result<void> ReadThrough(const File& file, std::string_view label,
                         const std::function<void(std::span<const std::byte>)>& take,
                         const Session& session) {
  constexpr uint64_t kBlockBytes = uint64_t{4} << 20;
  const ProgressCallback progress = session.listener.ShowProgress(label);
  std::vector<std::byte> block(std::min(kBlockBytes, file.size_bytes()));
  for (uint64_t offset = 0; offset < file.size_bytes();) {
    TG_TRY(CheckCancelled(session.listener));
    const auto count = std::min<uint64_t>(block.size(), file.size_bytes() - offset);
    const auto bytes = std::span(block).first(static_cast<size_t>(count));
    TG_TRY(file.ReadAt(offset, bytes));
    take(bytes);
    offset += count;
    if (progress) {
      progress({.what = file.path(), .bytes_done = offset, .bytes_total = file.size_bytes()});
    }
  }
  session.listener.EndProgress();
  return {};
}

}  // namespace tensorguard::internal
