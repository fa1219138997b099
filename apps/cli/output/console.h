// Where the program writes: results to stdout, messages and progress to stderr.
#ifndef TENSORGUARD_CLI_OUTPUT_CONSOLE_H_
#define TENSORGUARD_CLI_OUTPUT_CONSOLE_H_

#include <memory>
#include <string>
#include <string_view>

#include "api/json/result_json.h"
#include "api/listener.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

class ProgressBar;

// For one thread at a time, but for the progress callbacks.
class Console : public Listener {
 public:
  Console(bool json, bool quiet);
  ~Console() override;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  bool json() const { return json_; }

  // Results, kept until Flush. Names from files must be escaped before they get here.
  void Print(std::string_view text);
  void PrintJson(const OrderedJson& object);

  // Writes what was printed to stdout. A reader that has gone away is no error, a full disk is.
  Result<void> Flush();

  // A line on stderr, not with --quiet.
  void Note(std::string_view text) override;

  // "tensorguard: " and the error's description on stderr, always.
  void ReportError(const Error& error) override;

  // A progress bar that replaces the last one; does nothing where stderr is no terminal and with
  // --quiet. `label` is shown before the bar, escaped.
  ProgressCallback ShowProgress(std::string_view label) override;
  void EndProgress() override;

 private:
  void WipeProgress();  // before other text; the bar comes back below it

  bool json_;
  bool quiet_;
  bool terminal_;  // stderr can show a bar
  bool color_;
  bool reader_gone_ = false;
  std::string pending_;
  std::shared_ptr<ProgressBar> bar_;
};

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_CONSOLE_H_
