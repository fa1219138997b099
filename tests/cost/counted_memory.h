// Memory that the program of these tests takes by new: at most at once, and all of it together.
#ifndef TENSORGUARD_TESTS_COST_COUNTED_MEMORY_H_
#define TENSORGUARD_TESTS_COST_COUNTED_MEMORY_H_

#include <cstddef>

namespace tensorguard::internal {

// Counts from its making on. One at a time; of all threads together.
class CountedMemory {
 public:
  CountedMemory();

  // The most that lived at one time beyond what lived at the start.
  size_t peak_bytes() const;
  // Everything that was taken, given back or not: what is copied again and again grows it.
  size_t taken_bytes() const;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_COST_COUNTED_MEMORY_H_
