// tensorguard compare by the full profile: a verdict on a pair of models.
#include "api/json/comparison_json.h"
#include "api/reading/file_digests.h"
#include "base/build_commit.h"
#include "base/file.h"
#include "base/try.h"
#include "cli/commands/console_session.h"
#include "cli/commands/profile_commands.h"
#include "cli/output/comparison_output.h"
#include "cli/output/family_output.h"

namespace tensorguard::internal::cli {

Result<ExitStatus> RunCompareByFullProfile(const CompareOptions& options, Console& console) {
  TG_ASSIGN(const auto pair, ComparePair({.first = options.first,
                                          .second = options.second,
                                          .base = options.base,
                                          .known = options.known,
                                          .deep = options.deep,
                                          .quick_bytes = options.quick_bytes,
                                          .incomplete = options.incomplete,
                                          .threads = options.threads},
                                         SessionOf(console, options.part, false)));
  if (options.html) {
    PageOrigin origin = {.version = TENSORGUARD_VERSION,
                         .commit = std::string(BuildCommit()),
                         .command = options.command,
                         .json = JsonText(ComparedPairToJson(pair))};
    TG_ASSIGN(origin.first_files, DigestsOfFiles(options.first, SessionOf(console)));
    TG_ASSIGN(origin.second_files, DigestsOfFiles(options.second, SessionOf(console)));
    const std::string page = ComparedPairToHtml(pair, std::move(origin));
    TG_TRY(WriteFileAtomically(*options.html, page));
  }
  if (console.json()) {
    console.PrintJson(ComparedPairToJson(pair, options.html));
  } else {
    console.Print(ComparedPairToText(pair));
  }
  return StatusAfter(pair.shortfall, StatusOf(VerdictName(pair.verdict), options.fail_on), console);
}

}  // namespace tensorguard::internal::cli
