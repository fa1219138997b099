#include "cli/output/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "base/text.h"
#include "cli/output/progress_bar.h"

namespace tensorguard::internal::cli {
namespace {

constexpr size_t kLongestLabel = 30;

bool CanMoveCursor() {
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return !dumb && ::isatty(STDERR_FILENO) == 1;
}

bool WantsColor() {
  const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org
  return no_color == nullptr || *no_color == '\0';
}

}  // namespace

Console::Console(bool json, bool quiet)
    : json_(json), quiet_(quiet), terminal_(CanMoveCursor()), color_(WantsColor()) {}

Console::~Console() = default;

void Console::Print(std::string_view text) { pending_ += text; }

void Console::PrintJson(const OrderedJson& object) { Print(JsonText(object)); }

Result<void> Console::Flush() {
  WipeProgress();
  std::string_view rest = pending_;
  while (!rest.empty() && !reader_gone_) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      reader_gone_ = true;
    } else if (errno != EINTR) {
      const int error_number = errno;
      pending_.clear();
      return Error{.kind = ErrorKind::kSystem,
                   .problem = fmt::format("cannot write to standard output: {}",
                                          std::generic_category().message(error_number))};
    }
  }
  pending_.clear();
  return {};
}

void Console::Note(std::string_view text) {
  if (quiet_) return;
  WipeProgress();
  std::fputs(fmt::format("tensorguard: {}\n", text).c_str(), stderr);
}

void Console::ReportError(const Error& error) {
  WipeProgress();
  std::fputs(fmt::format("tensorguard: {}\n", DescribeError(error)).c_str(), stderr);
}

ProgressCallback Console::ShowProgress(std::string_view label) {
  EndProgress();
  if (!terminal_ || quiet_) return {};
  bar_ = std::make_shared<ProgressBar>(EscapeControl(label, kLongestLabel), color_);
  return [bar = bar_](const Progress& progress) { bar->Show(progress); };
}

void Console::EndProgress() { bar_.reset(); }

void Console::WipeProgress() {
  if (bar_) bar_->Wipe();
}

}  // namespace tensorguard::internal::cli
