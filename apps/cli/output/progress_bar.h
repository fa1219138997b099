// One line that tells how far long work is.
#ifndef TENSORGUARD_CLI_OUTPUT_PROGRESS_BAR_H_
#define TENSORGUARD_CLI_OUTPUT_PROGRESS_BAR_H_

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "tensorguard/progress.h"

namespace tensorguard::internal::cli {

// "alder [####----]  50%  1.2 GB of 2.4 GB  512.0 MB/s  0:02 left" in at most `width` columns: the
// bar shrinks first, then what stands at the end is cut. `label` must be safe to show.
std::string ProgressLine(const std::string& label, const Progress& progress, double elapsed_seconds,
                         size_t width);

// Draws that line on stderr, at most ten times a second. Thread-safe. REQUIRES: stderr is a
// terminal.
class ProgressBar {
 public:
  ProgressBar(std::string label, bool color);
  ~ProgressBar();  // wipes the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Show(const Progress& progress);

  // Makes room for other text; the next Show draws the line again.
  void Wipe();

 private:
  using Clock = std::chrono::steady_clock;

  std::mutex mutex_;  // guards what follows, and the line
  std::string label_;
  bool color_;
  Clock::time_point started_;
  std::optional<Clock::time_point> drawn_;
};

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_PROGRESS_BAR_H_
