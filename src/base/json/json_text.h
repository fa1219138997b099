// JSON text on its way through the parser: how far it has been read, and what is wrong with it.
#ifndef TENSORGUARD_BASE_JSON_JSON_TEXT_H_
#define TENSORGUARD_BASE_JSON_JSON_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tensorguard::internal {

// Feeds `text` to a parser of nlohmann::json and knows the byte it took last, so that errors of its
// caller have a place too. `text` must outlive it.
class JsonText {
 public:
  explicit JsonText(std::string_view text) : text_(text), reached_(text.data()) {}

  // Runs the parser; false if it or `events` refused the text. A zero byte ends the text for the
  // parser, so whatever follows one would go unread: it is refused as a syntax error.
  bool Parse(nlohmann::json_sax<nlohmann::json>& events);

  // From the start of the text. Of a number, the byte after it.
  uint64_t LastByteRead() const {
    return reached_ == text_.data() ? 0 : static_cast<uint64_t>(reached_ - text_.data()) - 1;
  }

 private:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    Iterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
    reference operator*() const { return *at_; }
    Iterator& operator++() {
      *reached_ = ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const char* at_;
    const char** reached_;
  };

  std::string_view text_;
  const char* reached_;
};

// The parser's own words for a syntax error, without its prefix and at most about 300 bytes.
std::string JsonSyntaxProblem(const nlohmann::json::exception& exception);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_JSON_JSON_TEXT_H_
