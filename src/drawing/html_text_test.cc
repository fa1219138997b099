#include "drawing/html_text.h"

#include <gtest/gtest.h>

#include "drawing/heat_map.h"

namespace tensorguard::internal {
namespace {

TEST(EscapeHtml, MakesNamesHarmless) {
  EXPECT_EQ(EscapeMarkup(std::string(1000, '<')).size(), 4000U);
  EXPECT_EQ(EscapeHtml("<script>\"a\" & 'b'</script>"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
  EXPECT_EQ(EscapeHtml("a\x1b[31m").find('\x1b'), std::string::npos);
  EXPECT_EQ(EscapeHtml("a\u202eb").find("\u202e"), std::string::npos);
}

TEST(HtmlPage, HoldsEverythingItself) {
  const std::string page = HtmlPage("a < b", "<p>x</p>");
  EXPECT_NE(page.find("<title>a &lt; b</title>"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_EQ(page.find("src="), std::string::npos);
}

TEST(HtmlTable, EscapesEveryCell) {
  const std::string table = HtmlTable({"<h>"}, {{"<c>"}});
  EXPECT_EQ(table.find("<h>"), std::string::npos);
  EXPECT_EQ(table.find("<c>"), std::string::npos);
  EXPECT_NE(table.find("&lt;c&gt;"), std::string::npos);
}

TEST(DrawHeatMap, MissingIsNotZero) {
  const std::string map = DrawHeatMap({.title = "layers",
                                       .row_names = {"0"},
                                       .column_names = {"0", "1"},
                                       .values = {{0.0, {}}},
                                       .framed = {{0, 0}}});
  EXPECT_NE(map.find("0, 0: 0.000"), std::string::npos);
  EXPECT_NE(map.find("0, 1: nothing to compare"), std::string::npos);
  EXPECT_NE(map.find("url(#nothing)"), std::string::npos);
}

TEST(DrawHeatMap, AHundredLayersFitThePage) {
  HeatMap map;
  for (size_t i = 0; i < 100; ++i) map.row_names.push_back(std::to_string(i));
  map.column_names = map.row_names;
  map.values.assign(100, std::vector<std::optional<double>>(100, 0.5));
  const std::string svg = DrawHeatMap(map);
  const size_t at = svg.find("width=\"") + 7;
  EXPECT_LT(std::stoi(svg.substr(at)), 640);
}

}  // namespace
}  // namespace tensorguard::internal
