#include "tokenizers/files/json_walk.h"

#include <fmt/format.h>

#include <set>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/json/json_text.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kDeepestNesting = 64;

class Walk : public nlohmann::json_sax<Json> {
 public:
  Walk(std::string_view text, const JsonVisitor& visit) : text_(text), visit_(visit) {}

  Result<void> Run() {
    if (text_.Parse(*this)) return {};
    if (!error_.byte_offset) error_.byte_offset = text_.LastByteRead();
    return std::move(error_);
  }

  bool null() override { return Visit({}); }
  bool boolean(bool value) override { return Visit(value); }
  bool number_integer(number_integer_t value) override { return Visit(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Visit(uint64_t{value}); }
  bool number_float(number_float_t value, const string_t&) override { return Visit(value); }
  bool string(string_t& value) override { return Visit(std::string_view(value)); }
  bool binary(binary_t&) override { return Fail("not valid JSON", "binary data"); }
  bool start_array(std::size_t) override { return Enter(/*is_array=*/true); }
  bool start_object(std::size_t) override { return Enter(/*is_array=*/false); }
  bool end_array() override { return Leave(); }
  bool end_object() override { return Leave(); }

  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) return Fail("key occurs twice in one JSON object", name);
    path_.back().key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::json::exception& exception) override {
    return Fail("not valid JSON", JsonSyntaxProblem(exception));
  }

 private:
  bool Fail(std::string problem, std::string found) {
    error_ = {.problem = std::move(problem), .found = std::move(found)};
    return false;
  }
  bool Visit(const JsonScalar& value) {
    auto visited = visit_(path_, value);
    if (!visited) {
      error_ = std::move(visited).error();
      return false;
    }
    CountElement();
    return true;
  }
  bool Enter(bool is_array) {
    path_.push_back({.in_array = is_array, .key = {}});
    keys_.emplace_back();
    if (path_.size() <= kDeepestNesting) return true;
    return Fail(fmt::format("JSON is nested deeper than {} levels", kDeepestNesting), "");
  }
  bool Leave() {
    path_.pop_back();
    keys_.pop_back();
    CountElement();
    return true;
  }
  void CountElement() {
    if (!path_.empty() && path_.back().in_array) ++path_.back().index;
  }

  JsonText text_;
  const JsonVisitor& visit_;
  std::vector<JsonStep> path_;
  std::vector<std::set<std::string>> keys_;
  Error error_;
};

}  // namespace

Result<void> WalkJson(std::string_view text, const JsonVisitor& visit) {
  return Walk(text, visit).Run();
}

}  // namespace tensorguard::internal
