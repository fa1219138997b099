// Whether byte ranges cover a stretch of a file exactly.
#ifndef TENSORGUARD_TESTS_SUPPORT_TILING_H_
#define TENSORGUARD_TESTS_SUPPORT_TILING_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace tensorguard::internal {

// True if `ranges` ([begin, end) each, in any order) cover [begin, end) without hole or overlap.
inline bool TilesExactly(std::vector<std::pair<uint64_t, uint64_t>> ranges, uint64_t begin,
                         uint64_t end) {
  std::sort(ranges.begin(), ranges.end());
  for (const auto& [range_begin, range_end] : ranges) {
    if (range_begin != begin || range_end < range_begin) return false;
    begin = range_end;
  }
  return begin == end;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_TILING_H_
