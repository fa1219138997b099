#include "drawing/html_text.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tensorguard::internal {
namespace {

// One hue for what counts, greys for the rest; the same in both schemes but for light and dark.
constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --quiet: #5b6570;
        --line: #d5dae0; --tint: #f3f5f7; --accent: #1f5fa8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --paper: #15181c; --quiet: #9aa4ae; --line: #363c43;
          --tint: #1e2227; --accent: #7db4f0; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin-bottom: 0.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
.verdict { border-left: 5px solid var(--accent); background: var(--tint); padding: 0.75rem 1rem; }
.verdict strong { font-size: 1.25rem; }
.quiet { color: var(--quiet); }
.maps { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: 0; max-width: 100%; overflow-x: auto; }
figcaption { font-weight: 600; margin-bottom: 0.25rem; }
svg text { fill: var(--ink); font-size: 10px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.15rem 0.8rem 0.15rem 0; border-bottom: 1px solid var(--line);
         vertical-align: top; overflow-wrap: break-word; }
.number { text-align: right; white-space: nowrap; }
.wide { overflow-x: auto; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--tint); padding: 0.5rem 0.75rem;
      font-size: 0.85rem; }
.wide + figure { margin-top: 1rem; }
.stacked td:first-child { min-width: 11rem; }
.digests td:nth-child(2) { white-space: nowrap; }
.digests td:nth-child(3) { overflow-wrap: anywhere; font-size: 0.85em; }
@media (max-width: 30rem) {
  body { margin: 1rem auto; font-size: 14px; }
  .stacked tr { display: block; padding: 0.25rem 0; border-bottom: 1px solid var(--line); }
  .stacked th, .stacked td { display: block; border: 0; padding: 0; } }
@media print {
  :root { color-scheme: light; --ink: #000000; --paper: #ffffff; --quiet: #444444; --line: #bbbbbb;
          --tint: #f3f5f7; --accent: #1f5fa8; }
  body { font-size: 10pt; max-width: none; margin: 0; }
  .verdict, svg rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; }
  figure, tr, .verdict { break-inside: avoid; }
  .wide, figure { overflow: visible; }
  details { display: none; } }
)";

}  // namespace

std::string EscapeHtml(std::string_view text, size_t longest) {
  return EscapeMarkup(EscapeControl(text, longest));
}

std::string EscapeMarkup(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += letter;
    }
  }
  return escaped;
}

std::string HtmlTable(const std::vector<std::string>& headings,
                      const std::vector<std::vector<std::string>>& rows,
                      size_t first_number_column) {
  const auto line = [&](const std::vector<std::string>& cells, std::string_view tag) {
    std::string html = "<tr>";
    for (size_t i = 0; i < cells.size(); ++i) {
      const char* kind = i >= first_number_column ? " class=\"number\"" : "";
      html += fmt::format("<{0}{1}>{2}</{0}>", tag, kind, EscapeHtml(cells[i]));
    }
    return html + "</tr>\n";
  };
  std::string html = "<div class=\"wide\"><table>\n" + line(headings, "th");
  for (const auto& row : rows) html += line(row, "td");
  return html + "</table></div>\n";
}

std::string HtmlList(const std::vector<std::string>& items) {
  if (items.empty()) return {};
  std::string html = "<ul>\n";
  for (const std::string& item : items) html += fmt::format("<li>{}</li>\n", EscapeHtml(item));
  return html + "</ul>\n";
}

std::string HtmlPage(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      EscapeHtml(title), kStyle, body);
}

}  // namespace tensorguard::internal
