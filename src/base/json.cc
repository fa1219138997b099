#include "base/json.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "base/file.h"

namespace tensorguard {
namespace {

constexpr size_t kDeepestNesting = 64;

// First pass: refuses what nlohmann::json would accept or only report without its place.
class StrictnessCheck : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_array() override { return Leave(); }
  bool start_object(std::size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }

  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    error = {.problem = "key occurs twice in one JSON object", .found = name};
    return false;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& exception) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error ..."
    const std::string_view text = exception.what();
    const size_t detail = text.find(": ");
    error = {.problem = "not valid JSON",
             .byte_offset = position == 0 ? 0 : position - 1,
             .found = std::string(detail == text.npos ? text : text.substr(detail + 2))};
    return false;
  }

  Error error;

 private:
  bool Enter() {
    keys_.emplace_back();
    if (keys_.size() <= kDeepestNesting) return true;
    error = {.problem = fmt::format("JSON is nested deeper than {} levels", kDeepestNesting)};
    return false;
  }
  bool Leave() {
    keys_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> keys_;
};

// `text` with NaN, Infinity and -Infinity outside of strings replaced by null.
std::string WithoutPythonNumbers(std::string_view text) {
  std::string replaced;
  replaced.reserve(text.size());
  bool in_string = false;
  for (size_t i = 0; i < text.size();) {
    size_t length = 1;
    std::string_view copy = text.substr(i, 1);
    if (in_string && text[i] == '\\') {
      length = 2;
      copy = text.substr(i, 2);
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
        if (text.substr(i, word.size()) != word) continue;
        length = word.size();
        copy = "null";
        break;
      }
    }
    replaced += copy;
    i += length;
  }
  return replaced;
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  StrictnessCheck check;
  if (Json::sax_parse(text, &check)) return Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const std::string tolerant = WithoutPythonNumbers(text);
  StrictnessCheck tolerant_check;
  // The byte offset of the first error is only true for the text as it is.
  if (tolerant == text || !Json::sax_parse(tolerant, &tolerant_check)) {
    return std::move(check.error);
  }
  return Json::parse(tolerant, nullptr, /*allow_exceptions=*/false);
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
  auto text = ReadSmallFile(path, limit_bytes);
  if (!text) return std::move(text).error();
  if (IsGitLfsPointer(*text)) return GitLfsPointerError(path.string());
  auto json = ParseJson(*text);
  if (!json) return std::move(json).error().InFile(path.string());
  return json;
}

}  // namespace tensorguard
