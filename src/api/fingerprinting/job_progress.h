// One progress bar for several models that are worked on at once.
#ifndef TENSORGUARD_API_FINGERPRINTING_JOB_PROGRESS_H_
#define TENSORGUARD_API_FINGERPRINTING_JOB_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "tensorguard/progress.h"

namespace tensorguard::internal {

// Thread-safe. Must outlive the callbacks that it gives.
class JobProgress {
 public:
  // `shown` is told how far all models together are; may be empty.
  JobProgress(size_t model_count, ProgressCallback shown);

  // To be called with the progress of one model. Empty if nothing is shown.
  ProgressCallback ForModel(size_t model);

  // The model is done, or could not be read: nothing of it is left to wait for.
  void End(size_t model);

  // What is known now: models that have not begun count as the mean of those that have.
  Progress Sum() const;

 private:
  struct Part {
    uint64_t bytes_done = 0;
    uint64_t bytes_total = 0;
    bool known = false;
  };

  Progress SumOfParts() const;

  mutable std::mutex mutex_;
  std::vector<Part> parts_;  // guarded by mutex_
  ProgressCallback shown_;   // called under mutex_, so never twice at once
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_FINGERPRINTING_JOB_PROGRESS_H_
