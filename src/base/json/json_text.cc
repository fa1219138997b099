#include "base/json/json_text.h"

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

// "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error ...; last read:
// 'TOKEN'; expected ...", or "[json.exception.out_of_range.406] number overflow ...". The token is
// left out: the file may be one that nobody meant to show, under the name of a config.
std::string JsonSyntaxProblem(const nlohmann::json::exception& exception) {
  std::string text = exception.what();
  if (const size_t token = text.find("; last read: '"); token != text.npos) {
    const size_t expected = text.rfind("'; expected ");
    const bool goes_on = expected != text.npos && expected > token;
    text.erase(token, goes_on ? expected + 1 - token : text.npos);
  }
  const size_t prefix = text.find("] ");
  if (prefix != text.npos) text.erase(0, prefix + 2);
  if (text.starts_with("parse error")) text.erase(0, text.find(": ") + 2);
  if (text.size() <= kLongestProblemBytes) return text;
  const size_t half = kLongestProblemBytes / 2;
  return text.substr(0, half) + " ... " + text.substr(text.size() - half);
}

}  // namespace tensorguard::internal
