// tensorguard fingerprint: the full or the paper profile of each model, written to a file.
#include <fmt/format.h>

#include <chrono>

#include "api/fingerprinting/fingerprint_files.h"
#include "api/json/fingerprint_json.h"
#include "base/readable_bytes.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/family_output.h"
#include "cli/output/standard_output.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

std::string ToText(const FingerprintedModel& done) {
  std::string text =
      fmt::format("{}  ({} parameters; {} read in {:.1f} s)\n", EscapeControl(done.output),
                  WithThousands(done.parameters), ReadableBytes(done.bytes_read), done.seconds);
  for (const std::string& note : done.notes) {
    text += fmt::format("note: {}\n", EscapeControl(note));
  }
  for (const std::string& name : done.zero_tensors) {
    text +=
        fmt::format("note: {} holds only zeros and counts in no feature\n", EscapeControl(name));
  }
  return text;
}

double SecondsNow() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Result<ExitStatus> RunFingerprint(const FingerprintOptions& options, Console& console) {
  std::vector<FingerprintedModel> models;  // for JSON
  std::vector<Error> errors;
  const auto take = [&](const Result<FingerprintedModel>& result) -> Result<void> {
    if (!result) {
      console.ReportError(result.error());
      errors.push_back(result.error());
    } else if (console.json()) {
      models.push_back(*result);
    } else if (!IsStandardOutput(result->output)) {
      console.Print(ToText(*result));
      return console.Flush();
    }
    return {};
  };
  TG_TRY(
      FingerprintModels({.models = options.models,
                         .base = options.base,
                         .output = options.output,
                         .profile = options.profile == "paper" ? Profile::kPaper : Profile::kFull,
                         .incomplete = options.incomplete,
                         .threads = options.threads,
                         .jobs = options.jobs,
                         .clock = SecondsNow},
                        take, SessionOf(console, options.part, options.models.size() == 1)));
  if (console.json()) console.PrintJson(FingerprintedModelsToJson(models, errors));
  if (errors.empty()) return ExitStatus::kDone;
  if (options.models.size() > 1) {
    console.Note(FailureCount(errors.size(), options.models.size()));
  }
  return ExitStatus::kError;
}

}  // namespace tensorguard::internal::cli
