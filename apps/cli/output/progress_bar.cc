#include "cli/output/progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/readable_bytes.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

constexpr std::chrono::milliseconds kBetweenDrawings(100);
constexpr size_t kLongestBar = 30;
constexpr size_t kShortestBar = 5;
constexpr double kSecondsBeforeEstimate = 0.5;  // the rate of the first blocks says little

size_t TerminalWidth() {
  winsize size = {};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

double DoneFraction(const Progress& progress) {
  if (progress.bytes_total == 0) return 0;
  const double fraction =
      static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes_total);
  return std::min(fraction, 1.0);
}

// "1.2 GB", "1,200" of files.
std::string AmountText(uint64_t amount, ProgressUnit unit) {
  return unit == ProgressUnit::kBytes ? ReadableBytes(amount) : WithThousands(amount);
}

// "1.2 GB of 2.4 GB", "12 of 300 files".
std::string AmountsText(const Progress& progress) {
  return fmt::format("{} of {}{}", AmountText(progress.bytes_done, progress.unit),
                     AmountText(progress.bytes_total, progress.unit),
                     progress.unit == ProgressUnit::kFiles ? " files" : "");
}

std::string RateAndTimeLeft(const Progress& progress, double elapsed_seconds) {
  if (elapsed_seconds < kSecondsBeforeEstimate || progress.bytes_done == 0) return {};
  const double per_second = static_cast<double>(progress.bytes_done) / elapsed_seconds;
  const uint64_t left = progress.bytes_total - std::min(progress.bytes_done, progress.bytes_total);
  return fmt::format("  {}/s  {} left",
                     AmountText(static_cast<uint64_t>(per_second), progress.unit),
                     ReadableDuration(static_cast<double>(left) / per_second));
}

std::string FirstColumns(const std::string& text, size_t columns) {
  size_t end = 0;
  for (size_t shown = 0; end < text.size(); ++end) {
    const bool starts_letter = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (starts_letter && shown++ == columns) break;
  }
  return text.substr(0, end);
}

}  // namespace

std::string ProgressLine(const std::string& label, const Progress& progress, double elapsed_seconds,
                         size_t width) {
  const double fraction = DoneFraction(progress);
  const std::string amounts = fmt::format(" {:3.0f}%  {}{}", 100 * fraction, AmountsText(progress),
                                          RateAndTimeLeft(progress, elapsed_seconds));
  const size_t taken = DisplayWidth(label) + DisplayWidth(amounts) + 3;  // " [" and "]"
  const size_t room = width > taken ? width - taken : 0;
  const size_t bar = std::clamp(room, kShortestBar, kLongestBar);
  const auto filled = static_cast<size_t>(fraction * static_cast<double>(bar));
  return FirstColumns(fmt::format("{} [{}{}]{}", label, std::string(filled, '#'),
                                  std::string(bar - filled, '-'), amounts),
                      width);
}

ProgressBar::ProgressBar(std::string label, bool color)
    : label_(std::move(label)), color_(color), started_(Clock::now()) {}

ProgressBar::~ProgressBar() { Wipe(); }

void ProgressBar::Wipe() {
  const std::lock_guard lock(mutex_);
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_.reset();
}

void ProgressBar::Show(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (drawn_ && now - *drawn_ < kBetweenDrawings) return;
  drawn_ = now;
  const double elapsed_seconds = std::chrono::duration<double>(now - started_).count();
  // The last column stays free: some terminals wrap when it is written.
  const std::string line = ProgressLine(label_, progress, elapsed_seconds, TerminalWidth() - 1);
  std::fputs(fmt::format("\r{}{}{}\x1b[K", color_ ? "\x1b[36m" : "", line, color_ ? "\x1b[0m" : "")
                 .c_str(),
             stderr);
}

}  // namespace tensorguard::internal::cli
