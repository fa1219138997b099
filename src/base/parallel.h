// Work split over threads.
#ifndef TENSORGUARD_BASE_PARALLEL_H_
#define TENSORGUARD_BASE_PARALLEL_H_

#include <cstddef>
#include <functional>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// Calls work(i) for every i in [0, count) from up to `threads` threads (0: one per processor; the
// calling thread is one of them). Which thread does which i is not fixed, so results must not
// depend on it: write to slot i, reduce afterwards in order. After an error no new i is started; of
// several errors the one with the smallest i is returned.
Result<void> ParallelFor(size_t count, unsigned threads,
                         const std::function<Result<void>(size_t)>& work);

// Keeps the linear algebra libraries (those built with OpenMP) from starting threads of their own
// when the calling thread uses them; their results would hang on the number of them, and the
// processors have work. ParallelFor does so for its threads.
void UseOneLibraryThread();

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_PARALLEL_H_
