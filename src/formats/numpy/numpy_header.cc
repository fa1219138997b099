#include "formats/numpy/numpy_header.h"

#include <charconv>
#include <optional>
#include <utility>

#include "safetensors/tensor_layout.h"

namespace tensorguard::internal {
namespace {

// Python's literals, as far as the header needs them.
class Literals {
 public:
  explicit Literals(std::string_view text) : rest_(text) {}

  // Takes `token` if it comes next, after spaces.
  bool Take(std::string_view token) {
    SkipSpaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  bool AtEnd() {
    SkipSpaces();
    return rest_.empty();
  }

  // A quoted text without escapes.
  std::optional<std::string> Text() {
    SkipSpaces();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return {};
    const size_t end = rest_.find(rest_[0], 1);
    if (end == rest_.npos) return {};
    std::string text(rest_.substr(1, end - 1));
    if (text.find('\\') != text.npos) return {};
    rest_.remove_prefix(end + 1);
    return text;
  }

  // Python 2 wrote long integers as 3L.
  std::optional<uint64_t> Number() {
    SkipSpaces();
    uint64_t number = 0;
    const auto [end, failed] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (failed != std::errc()) return {};
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    Take("L");
    return number;
  }

 private:
  void SkipSpaces() {
    const size_t begin = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(begin == rest_.npos ? rest_.size() : begin);
  }

  std::string_view rest_;
};

std::optional<std::vector<uint64_t>> Shape(Literals& literals) {
  std::vector<uint64_t> shape;
  if (!literals.Take("(")) return {};
  while (!literals.Take(")")) {
    const auto dimension = literals.Number();
    if (!dimension || shape.size() == kMostDimensions) return {};
    shape.push_back(*dimension);
    if (literals.Take(",")) continue;
    if (literals.Take(")") && shape.size() > 1) return shape;
    return {};
  }
  return shape;
}

struct Fields {
  std::optional<std::string> descr;
  std::optional<bool> column_major;
  std::optional<std::vector<uint64_t>> shape;
};

// The value of one key. False: not understood, or there for the second time.
bool TakeValue(Literals& literals, std::string_view key, Fields& fields) {
  if (key == "descr" && !fields.descr) {
    fields.descr = literals.Text();
    return fields.descr.has_value();
  }
  if (key == "fortran_order" && !fields.column_major) {
    if (literals.Take("True")) fields.column_major = true;
    if (!fields.column_major && literals.Take("False")) fields.column_major = false;
    return fields.column_major.has_value();
  }
  if (key != "shape" || fields.shape) return false;
  fields.shape = Shape(literals);
  return fields.shape.has_value();
}

}  // namespace

Result<NumpyHeader> ParseNumpyHeader(std::string_view text) {
  const Error broken = {.problem = "header of the array is not understood",
                        .expected = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }"};
  Literals literals(text);
  Fields fields;
  if (!literals.Take("{")) return broken;
  while (!literals.Take("}")) {
    const auto key = literals.Text();
    if (!key || !literals.Take(":")) return broken;
    if (*key == "descr" && literals.Take("[")) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "an array of structures is not read"};
    }
    if (!TakeValue(literals, *key, fields)) return broken;
    if (literals.Take(",")) continue;
    if (!literals.Take("}")) return broken;
    break;
  }
  if (!literals.AtEnd() || !fields.descr || !fields.column_major || !fields.shape) return broken;
  return NumpyHeader{*std::move(fields.descr), *fields.column_major, *std::move(fields.shape)};
}

}  // namespace tensorguard::internal
