#include "base/json_text.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kLongestProblemBytes = 300;

}  // namespace

bool JsonText::Parse(nlohmann::json_sax<nlohmann::json>& events) {
  const size_t zero = text_.find('\0');
  if (zero != text_.npos) {
    reached_ = text_.data() + zero + 1;
    const auto problem = nlohmann::detail::parse_error::create(101, zero, "a zero byte", nullptr);
    return events.parse_error(zero, "", problem);
  }
  return nlohmann::json::sax_parse(Iterator(text_.data(), &reached_),
                                   Iterator(text_.data() + text_.size(), &reached_), &events);
}

// "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error ...", or
// "[json.exception.out_of_range.406] number overflow ...". The end of a long text says what was
// expected; its middle is the token, which may be as long as the file.
std::string JsonSyntaxProblem(const nlohmann::json::exception& exception) {
  std::string_view text = exception.what();
  const size_t prefix = text.find("] ");
  if (prefix != text.npos) text.remove_prefix(prefix + 2);
  if (text.starts_with("parse error")) text.remove_prefix(text.find(": ") + 2);
  if (text.size() <= kLongestProblemBytes) return std::string(text);
  const size_t half = kLongestProblemBytes / 2;
  return std::string(text.substr(0, half)) + " ... " + std::string(text.substr(text.size() - half));
}

}  // namespace tensorguard::internal
