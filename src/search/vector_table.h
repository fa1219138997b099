// The search vectors of very many models in memory, and the nearest of them.
#ifndef TENSORGUARD_SEARCH_VECTOR_TABLE_H_
#define TENSORGUARD_SEARCH_VECTOR_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fingerprint/search_vector.h"

namespace tensorguard::internal {

struct NearVector {
  int64_t fingerprint = 0;  // its row in the registry
  double score = 0;         // SearchScore
};

// 280 bytes a model. Reading from several threads at once is safe.
class VectorTable {
 public:
  void Reserve(size_t count);
  // REQUIRES: rows come in ascending order, each once.
  void Add(int64_t fingerprint, const SearchVector& vector);
  void Remove(int64_t fingerprint);  // nothing, if it is not there

  size_t size() const { return fingerprints_.size(); }
  // 0 for an empty table.
  int64_t last() const { return fingerprints_.empty() ? 0 : fingerprints_.back(); }

  // The `count` with the highest scores, highest first, of equal ones the lower row. Every vector
  // is compared, so this is exact, and the same for any number of threads (0: one per processor)
  // and on any processor.
  std::vector<NearVector> Nearest(const SearchVector& query, size_t count,
                                  unsigned threads = 0) const;

  // The same one vector after the other, by SearchScore: what Nearest is tested against.
  std::vector<NearVector> NearestPlainly(const SearchVector& query, size_t count) const;

 private:
  std::vector<int64_t> fingerprints_;
  std::vector<int8_t> numbers_;  // [size, kSearchNumbers]
  std::vector<std::array<float, kScreenedParts>> inverse_norms_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_SEARCH_VECTOR_TABLE_H_
