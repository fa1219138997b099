#include "api/fingerprinting/job_progress.h"

#include <utility>

namespace tensorguard::internal {

JobProgress::JobProgress(size_t model_count, ProgressCallback shown)
    : parts_(model_count), shown_(std::move(shown)) {}

ProgressCallback JobProgress::ForModel(size_t model) {
  if (!shown_) return {};
  return [this, model](const Progress& progress) {
    const std::lock_guard lock(mutex_);
    parts_[model] = {progress.bytes_done, progress.bytes_total, true};
    shown_(SumOfParts());
  };
}

void JobProgress::End(size_t model) {
  const std::lock_guard lock(mutex_);
  parts_[model].bytes_total = parts_[model].bytes_done;
  parts_[model].known = true;
}

Progress JobProgress::Sum() const {
  const std::lock_guard lock(mutex_);
  return SumOfParts();
}

Progress JobProgress::SumOfParts() const {
  Progress sum;
  uint64_t known = 0;
  for (const Part& part : parts_) {
    if (!part.known) continue;
    sum.bytes_done += part.bytes_done;
    sum.bytes_total += part.bytes_total;
    ++known;
  }
  if (known > 0) sum.bytes_total += sum.bytes_total / known * (parts_.size() - known);
  return sum;
}

}  // namespace tensorguard::internal
