#include "api/evaluation/kept_answers.h"

#include <fmt/format.h>

#include <system_error>

#include "api/json/result_json.h"
#include "base/file.h"
#include "base/json/json_members.h"
#include "base/try.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

namespace fs = std::filesystem;

constexpr uint64_t kMostVersion = 1'000'000;
constexpr uint64_t kMostBudgetBytes = uint64_t{1} << 62;

Result<KeptAnswers> KeptAnswers::Open(const fs::path& folder,
                                      std::optional<uint64_t> budget_bytes) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "cannot make the folder: " + problem.message(),
                 .file = folder.string()};
  }
  KeptAnswers kept(folder / "answers.json", budget_bytes);
  if (fs::exists(kept.file_, problem)) TG_TRY(kept.Read());
  return kept;
}

std::optional<PairAnswer> KeptAnswers::Find(const ListedPair& pair) const {
  for (const Entry& entry : entries_) {
    if (entry.a == pair.a && entry.b == pair.b && entry.budget_bytes == budget_bytes_ &&
        entry.fingerprint_version == kFingerprintVersion) {
      return entry.answer;
    }
  }
  return {};
}

Result<void> KeptAnswers::Keep(const ListedPair& pair, const PairAnswer& answer) {
  entries_.push_back({.a = pair.a,
                      .b = pair.b,
                      .fingerprint_version = kFingerprintVersion,
                      .budget_bytes = budget_bytes_,
                      .answer = answer});
  return Write();
}

Result<KeptAnswers::Entry> KeptAnswers::EntryOf(const Json& json, const std::string& where) {
  JsonMembers members(json, where);
  const auto is_null = [&](const char* name) { return members.Has(name) && json[name].is_null(); };
  Entry entry = {.a = members.Text("a"),
                 .b = members.Text("b"),
                 .fingerprint_version =
                     static_cast<int>(members.Number("fingerprint_version", 0, kMostVersion)),
                 .answer = {.verdict = members.Text("verdict")}};
  if (json.is_object() && !is_null("budget_bytes")) {
    entry.budget_bytes = members.Number("budget_bytes", 1, kMostBudgetBytes);
  }
  if (json.is_object() && !is_null("score")) entry.answer.score = members.Real("score");
  TG_TRY(members.Check());
  return entry;
}

Result<void> KeptAnswers::Read() {
  TG_ASSIGN(const auto json, ReadJsonFile(file_));
  if (!json.is_array()) {
    return Error{.problem = "not a list of answers", .file = file_.string(), .expected = "a list"};
  }
  for (const Json& each : json) {
    auto entry = EntryOf(each, fmt::format("answers[{}]", entries_.size()));
    if (!entry) return std::move(entry).error().InFile(file_.string());
    entries_.push_back(*std::move(entry));
  }
  return {};
}

Result<void> KeptAnswers::Write() const {
  std::string text = "[\n";
  for (const Entry& entry : entries_) {
    OrderedJson json = {{"a", entry.a}, {"b", entry.b}};
    json["verdict"] = entry.answer.verdict;
    json["score"] = NumberOrNull(entry.answer.score);
    json["fingerprint_version"] = entry.fingerprint_version;
    json["budget_bytes"] = entry.budget_bytes ? OrderedJson(*entry.budget_bytes) : OrderedJson();
    std::string line = JsonText(json);
    line.pop_back();
    text += (&entry == &entries_.front() ? "" : ",\n") + line;
  }
  return WriteFileAtomically(file_, text + "\n]\n");
}

}  // namespace tensorguard::internal
