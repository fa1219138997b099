// Transcripts: what a user types and what the program answers, as plain text.
//
//   # a comment
//   $ tensorguard inspect missing       a line for sh
//   name  missing                       what stdout must say
//   ! tensorguard: missing: ...         what stderr must say
//   ? 2                                 the exit status, 0 if not given
//
// "[...]" in a line stands for any text, alone in a line for any lines. Blank lines before a
// comment or a command only separate.
#ifndef TENSORGUARD_TESTS_CLI_TRANSCRIPT_H_
#define TENSORGUARD_TESTS_CLI_TRANSCRIPT_H_

#include <string>
#include <string_view>
#include <vector>

namespace tensorguard::internal {

struct TranscriptStep {
  size_t line_number = 0;
  std::string command;
  std::vector<std::string> output;
  std::vector<std::string> messages;
  int status = 0;
};

// Throws std::runtime_error for a text that is no transcript.
std::vector<TranscriptStep> ParseTranscript(std::string_view text);

// Whether `text` is what `expected` says, line by line.
bool MatchesLines(std::string_view text, const std::vector<std::string>& expected);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_CLI_TRANSCRIPT_H_
