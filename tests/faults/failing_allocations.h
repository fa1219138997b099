// Makes new fail in this program: one allocation, or all from one point on.
#ifndef TENSORGUARD_TESTS_FAULTS_FAILING_ALLOCATIONS_H_
#define TENSORGUARD_TESTS_FAULTS_FAILING_ALLOCATIONS_H_

#include <cstdint>

namespace tensorguard::internal {

enum class FailingAllocations { kOne, kAllFrom };

// From now until the object's end, allocation number `first` (from 1 on, of all threads together)
// throws std::bad_alloc, or it and all after it. One object at a time.
class AllocationFault {
 public:
  AllocationFault(FailingAllocations which, uint64_t first);
  ~AllocationFault();
  AllocationFault(const AllocationFault&) = delete;
  AllocationFault& operator=(const AllocationFault&) = delete;

  uint64_t allocations() const;  // since the beginning
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_FAULTS_FAILING_ALLOCATIONS_H_
