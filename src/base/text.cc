#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tensorguard::internal {
namespace {

struct Decoded {
  char32_t code_point = 0;
  size_t length_bytes = 0;  // 0: not UTF-8 here
};

Decoded DecodeUtf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (length == 0 || lead > 0xF4 || text.size() < length) return {};
  char32_t code_point = lead & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code_point = (code_point << 6) | (byte(i) & 0x3Fu);
  }
  const bool overlong =
      (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (overlong || surrogate || code_point > 0x10FFFF) return {};
  return {code_point, length};
}

// Characters that change what a terminal shows without showing themselves.
bool IsHidden(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x061C ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE007F);
}

// How many letters are put in, left out, replaced or swapped with their neighbour.
size_t EditDistance(std::string_view a, std::string_view b) {
  // Rows i - 2, i - 1 and i of the table of distances between beginnings of a and b.
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = DecodeUtf8(text).length_bytes;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string EscapeControl(std::string_view text, size_t longest) {
  std::string safe;
  while (!text.empty()) {
    if (safe.size() >= longest) return safe + "...";
    const Decoded decoded = DecodeUtf8(text);
    if (decoded.length_bytes == 0) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (!IsHidden(decoded.code_point)) {
      safe += text.substr(0, decoded.length_bytes);
    } else if (decoded.code_point < 0x80) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned>(decoded.code_point));
    } else {
      safe += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(decoded.code_point));
    }
    text.remove_prefix(decoded.length_bytes);
  }
  return safe;
}

std::optional<std::string> NearestName(std::string_view given, std::span<const std::string> known) {
  constexpr size_t kLongestCompared = 256;  // the distance is quadratic and the text hostile
  if (given.size() > kLongestCompared) return {};
  std::optional<std::string> nearest;
  size_t nearest_distance = given.size() / 3 + 1;
  for (const std::string& name : known) {
    if (name.size() > kLongestCompared) continue;
    const size_t distance = EditDistance(LowerAscii(given), LowerAscii(name));
    if (distance >= nearest_distance) continue;
    nearest = name;
    nearest_distance = distance;
  }
  return nearest;
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

}  // namespace tensorguard::internal
