// Answers of an evaluation that may be interrupted, so that it can go on where it was.
#ifndef TENSORGUARD_API_EVALUATION_KEPT_ANSWERS_H_
#define TENSORGUARD_API_EVALUATION_KEPT_ANSWERS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "evaluation/evaluation.h"
#include "evaluation/pair_list.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// FOLDER/answers.json. Answers of another budget or another version of fingerprints stay in it and
// are passed over. Not thread-safe.
class KeptAnswers {
 public:
  // Makes the folder where it is not there. `budget_bytes`: what answers are given with; empty for
  // whole models. Errors: kSystem; those of ReadJsonFile; kBadFile for a file that this program
  // would not have written.
  static Result<KeptAnswers> Open(const std::filesystem::path& folder,
                                  std::optional<uint64_t> budget_bytes);

  // Empty for a pair that has no answer yet.
  std::optional<PairAnswer> Find(const ListedPair& pair) const;

  // On the disk when it returns. Errors: those of WriteFileAtomically.
  Result<void> Keep(const ListedPair& pair, const PairAnswer& answer);

 private:
  struct Entry {
    std::string a = {};
    std::string b = {};
    int fingerprint_version = 0;
    std::optional<uint64_t> budget_bytes = {};
    PairAnswer answer = {};
  };

  KeptAnswers(std::filesystem::path file, std::optional<uint64_t> budget_bytes)
      : file_(std::move(file)), budget_bytes_(budget_bytes) {}

  // `where`: for errors.
  static Result<Entry> EntryOf(const Json& json, const std::string& where);
  Result<void> Read();
  Result<void> Write() const;

  std::filesystem::path file_;
  std::optional<uint64_t> budget_bytes_;
  std::vector<Entry> entries_ = {};
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_EVALUATION_KEPT_ANSWERS_H_
