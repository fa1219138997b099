// Text and pieces of a self-contained HTML page.
#ifndef TENSORGUARD_DRAWING_HTML_TEXT_H_
#define TENSORGUARD_DRAWING_HTML_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace tensorguard::internal {

// For element content and quoted attributes: & < > " ' as references, the rest as EscapeControl:
// names from files must not steer the page. Cut as there, after `longest` bytes.
std::string EscapeHtml(std::string_view text, size_t longest = 400);

// The same of text that holds no control characters, never cut: of JSON.
std::string EscapeMarkup(std::string_view text);

// A table from raw texts, all escaped; columns from `first_number_column` on are aligned right.
std::string HtmlTable(const std::vector<std::string>& headings,
                      const std::vector<std::vector<std::string>>& rows,
                      size_t first_number_column = 1);

// A list of raw texts, escaped; empty text for none.
std::string HtmlList(const std::vector<std::string>& items);

// A whole page: no script, nothing loaded from elsewhere, readable in light and dark and on paper.
// `title` is raw text, `body` is HTML.
std::string HtmlPage(std::string_view title, std::string_view body);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DRAWING_HTML_TEXT_H_
