#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json/json_text.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kDeepestNesting = 64;
// The smallest values take three bytes of text and a hundred of memory. So many are always read; of
// a longer text one for every so many bytes, fewer than lists of files and tensors have.
constexpr size_t kAlwaysValues = 1 << 20;
constexpr size_t kBytesPerValue = 16;

// First pass: refuses what nlohmann::json would accept or only report without its place.
class StrictnessCheck : public nlohmann::json_sax<Json> {
 public:
  explicit StrictnessCheck(std::string_view text)
      : text_(text), most_values_(kAlwaysValues + text.size() / kBytesPerValue) {}

  bool Passes() { return text_.Parse(*this); }

  bool null() override { return Count(); }
  bool boolean(bool) override { return Count(); }
  bool number_integer(number_integer_t) override { return Count(); }
  bool number_unsigned(number_unsigned_t) override { return Count(); }
  bool number_float(number_float_t, const string_t&) override { return Count(); }
  bool string(string_t&) override { return Count(); }
  bool binary(binary_t&) override { return true; }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_array() override { return Leave(); }
  bool start_object(std::size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }

  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    return Fail("key occurs twice in one JSON object", name);
  }

  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::json::exception& exception) override {
    return Fail("not valid JSON", JsonSyntaxProblem(exception));
  }

  Error error;

 private:
  bool Fail(std::string problem, std::string found) {
    error = {.problem = std::move(problem),
             .byte_offset = text_.LastByteRead(),
             .found = std::move(found)};
    return false;
  }
  bool Count() {
    if (++values_ <= most_values_) return true;
    return Fail(fmt::format("JSON holds more than {} values", most_values_), "");
  }
  bool Enter() {
    if (!Count()) return false;
    keys_.emplace_back();
    if (keys_.size() <= kDeepestNesting) return true;
    return Fail(fmt::format("JSON is nested deeper than {} levels", kDeepestNesting), "");
  }
  bool Leave() {
    keys_.pop_back();
    return true;
  }

  JsonText text_;
  size_t most_values_;
  size_t values_ = 0;
  std::vector<std::set<std::string>> keys_;
};

// The length of the NaN, Infinity or -Infinity that `text` starts with; 0 if it does not.
size_t PythonNumberLength(std::string_view text) {
  for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
    if (text.starts_with(word)) return word.size();
  }
  return 0;
}

// `text` with `stand_in(length)` for every such number outside of strings.
template <typename StandIn>
std::string ReplacePythonNumbers(std::string_view text, StandIn stand_in) {
  std::string replaced;
  replaced.reserve(text.size());
  bool in_string = false;
  while (!text.empty()) {
    size_t length = in_string ? 0 : PythonNumberLength(text);
    if (length != 0) {
      replaced += stand_in(length);
    } else {
      if (text[0] == '"') in_string = !in_string;
      length = in_string && text[0] == '\\' ? std::min<size_t>(2, text.size()) : 1;
      replaced += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return replaced;
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  StrictnessCheck check(text);
  if (check.Passes()) return Json::parse(text, nullptr, /*allow_exceptions=*/false);

  // A value of the same length, so that a problem further on keeps its place.
  const std::string same_length =
      ReplacePythonNumbers(text, [](size_t length) { return "[]" + std::string(length - 2, ' '); });
  if (same_length == text) return std::move(check.error);
  StrictnessCheck tolerant_check(same_length);
  if (!tolerant_check.Passes()) {
    const bool is_elsewhere = tolerant_check.error.byte_offset > check.error.byte_offset;
    return std::move(is_elsewhere ? tolerant_check.error : check.error);
  }
  const std::string with_null = ReplacePythonNumbers(text, [](size_t) { return "null"; });
  return Json::parse(with_null, nullptr, /*allow_exceptions=*/false);
}

bool IsGitLfsPointer(std::string_view text) {
  return text.starts_with("version https://git-lfs.github.com/spec/");
}

Error GitLfsPointerError(std::string_view path) {
  return {.kind = ErrorKind::kBadFile,
          .problem = "a Git LFS pointer, not the file itself",
          .file = std::string(path),
          .advice = "run \"git lfs pull\" in the folder to fetch the file"};
}

Result<Json> ReadJsonFile(const std::filesystem::path& path, uint64_t limit_bytes) {
  return ReadJsonFile(*LocalFiles(), path, limit_bytes);
}

Result<Json> ReadJsonFile(const FileStore& files, const std::filesystem::path& path,
                          uint64_t limit_bytes) {
  TG_ASSIGN(auto text, ReadSmallFile(files, path, limit_bytes));
  if (IsGitLfsPointer(text)) return GitLfsPointerError(path.string());
  auto json = ParseJson(text);
  if (!json) return std::move(json).error().InFile(path.string());
  return json;
}

}  // namespace tensorguard::internal
