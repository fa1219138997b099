// Columns, wrapped paragraphs and readable numbers for a terminal of fixed-width letters.
#ifndef TENSORGUARD_CLI_OUTPUT_TEXT_LAYOUT_H_
#define TENSORGUARD_CLI_OUTPUT_TEXT_LAYOUT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tensorguard::internal::cli {

std::vector<std::string> Split(std::string_view text, char separator);

// 1234567 as "1,234,567".
std::string WithThousands(uint64_t number);

// "0:42", "1:02:03".
std::string ReadableDuration(double seconds);

// `text` broken at blanks so that no line is longer than `width`; every line starts with `indent`
// blanks. Ends with a line feed.
std::string Wrapped(std::string_view text, size_t indent, size_t width = 80);

enum class Align { kLeft, kRight };

// Rows of cells set in columns two blanks apart; the last column is not padded. REQUIRES: every row
// has as many cells as there are alignments. Each line starts with `indent` blanks.
std::string Columns(const std::vector<std::vector<std::string>>& rows,
                    const std::vector<Align>& alignments, size_t indent = 0);

// How many columns `text` takes: code points. Wide letters of East Asian scripts count as one.
size_t DisplayWidth(std::string_view text);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_TEXT_LAYOUT_H_
