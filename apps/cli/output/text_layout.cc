#include "cli/output/text_layout.h"

#include <fmt/format.h>

#include <algorithm>

namespace tensorguard::internal::cli {

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string WithThousands(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string ReadableDuration(double seconds) {
  constexpr double kLongestShown = 359'999;  // 99:59:59
  const auto whole = static_cast<uint64_t>(std::clamp(seconds, 0.0, kLongestShown));
  const uint64_t hours = whole / 3600;
  const uint64_t minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string Wrapped(std::string_view text, size_t indent, size_t width) {
  std::string wrapped;
  size_t column = 0;
  for (const std::string& word : Split(text, ' ')) {
    if (word.empty()) continue;
    if (column > 0 && column + 1 + DisplayWidth(word) <= width) {
      wrapped += ' ';
      ++column;
    } else {
      if (column > 0) wrapped += '\n';
      wrapped.append(indent, ' ');
      column = indent;
    }
    wrapped += word;
    column += DisplayWidth(word);
  }
  return wrapped + '\n';
}

size_t DisplayWidth(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string Columns(const std::vector<std::vector<std::string>>& rows,
                    const std::vector<Align>& alignments, size_t indent) {
  std::vector<size_t> widths(alignments.size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  std::string text;
  for (const auto& row : rows) {
    text.append(indent, ' ');
    for (size_t i = 0; i < widths.size(); ++i) {
      const size_t padding = widths[i] - DisplayWidth(row[i]);
      const bool last = i + 1 == widths.size();
      if (alignments[i] == Align::kRight) text.append(padding, ' ');
      text += row[i];
      if (alignments[i] == Align::kLeft && !last) text.append(padding, ' ');
      if (!last) text += "  ";
    }
    // A row may end in empty cells.
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace tensorguard::internal::cli
