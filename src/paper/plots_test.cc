// Both plots as images: well-formed, decodable, the same bytes each time, hostile names.
#include <cairo.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "drawing/scatter_plot.h"
#include "drawing/series_style.h"
#include "paper/sensitivity_plot.h"

namespace tensorguard::internal {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ScatterPlot MakeScatter(size_t points, size_t families) {
  ScatterPlot plot{
      .title = "Families", .family_names = {}, .points = {}, .explained = {{0.5, 0.25}}};
  for (size_t f = 0; f < families; ++f) plot.family_names.push_back(fmt::format("family-{}", f));
  for (size_t i = 0; i < points; ++i) {
    const double angle = 2.4 * static_cast<double>(i);
    plot.points.push_back(
        {.name = fmt::format("model-{}-with-quite-a-long-name-at-version-1.{}", i, i),
         .x = std::cos(angle) * static_cast<double>(i),
         .y = std::sin(angle),
         .family = i % families,
         .is_center = i < families});
  }
  return plot;
}

SensitivityPlot MakeSensitivity() {
  SensitivityPlot plot{.title = "Gains", .rows = {}};
  for (uint64_t layer = 0; layer < 12; ++layer) {
    for (const char* role : {"query", "key"}) {
      plot.rows.push_back({.tensor = "t",
                           .role = role,
                           .layer = layer,
                           .gain = {{"gaussian", 0.5}, {"structured", 0.7}}});
    }
  }
  plot.rows.push_back({.tensor = "e", .role = "embedding", .gain = {{"gaussian", 0}}});
  return plot;
}

// Tags open and close in pairs, there is one root, and nothing but tags and blanks lies outside.
::testing::AssertionResult IsWellFormed(std::string_view svg) {
  std::vector<std::string> open;
  size_t roots = 0;
  for (size_t at = 0; at < svg.size();) {
    const size_t begin = svg.find('<', at);
    const std::string_view text = svg.substr(at, begin == svg.npos ? svg.npos : begin - at);
    if (text.find_first_not_of(" \n") != text.npos) {
      return ::testing::AssertionFailure() << "text between tags: " << text;
    }
    if (begin == svg.npos) break;
    const size_t end = svg.find('>', begin);
    if (end == svg.npos) return ::testing::AssertionFailure() << "a tag is not closed";
    const std::string_view tag = svg.substr(begin + 1, end - begin - 1);
    at = end + 1;
    if (tag.starts_with('?')) continue;
    const std::string name(tag.substr(0, tag.find(' ')));
    if (tag.starts_with('/')) {
      if (open.empty() || "/" + open.back() != name) {
        return ::testing::AssertionFailure() << name << " closes nothing";
      }
      open.pop_back();
    } else {
      if (open.empty()) ++roots;
      if (!tag.ends_with('/')) open.push_back(name);
    }
  }
  if (!open.empty()) return ::testing::AssertionFailure() << open.back() << " stays open";
  if (roots != 1) return ::testing::AssertionFailure() << roots << " roots";
  return ::testing::AssertionSuccess();
}

struct PngSize {
  int width = 0;
  int height = 0;
  std::set<uint32_t> colors;
};

PngSize DecodePng(const std::string& png) {
  std::string_view rest = png;
  const auto read = [](void* from, unsigned char* to, unsigned length) {
    auto& bytes = *static_cast<std::string_view*>(from);
    if (bytes.size() < length) return CAIRO_STATUS_READ_ERROR;
    std::memcpy(to, bytes.data(), length);
    bytes.remove_prefix(length);
    return CAIRO_STATUS_SUCCESS;
  };
  cairo_surface_t* surface = cairo_image_surface_create_from_png_stream(read, &rest);
  EXPECT_EQ(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
  PngSize size{cairo_image_surface_get_width(surface), cairo_image_surface_get_height(surface), {}};
  const unsigned char* rows = cairo_image_surface_get_data(surface);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      uint32_t pixel = 0;
      std::memcpy(&pixel, rows + y * cairo_image_surface_get_stride(surface) + 4 * x, 4);
      size.colors.insert(pixel & 0xFFFFFF);
    }
  }
  cairo_surface_destroy(surface);
  return size;
}

TEST(ScatterPlot, SvgIsWellFormedAndTheSameEachTime) {
  for (const auto& plot : {MakeScatter(3, 2), MakeScatter(58, 8), MakeScatter(200, 70)}) {
    const auto first = DrawScatterPlot(plot, ImageFormat::kSvg);
    ASSERT_TRUE(first) << DescribeError(first.error());
    EXPECT_TRUE(IsWellFormed(*first));
    EXPECT_THAT(*first, HasSubstr("<svg "));
    EXPECT_EQ(*first, *DrawScatterPlot(plot, ImageFormat::kSvg));
  }
}

TEST(ScatterPlot, PngDecodesAndShowsEveryFamily) {
  const ScatterPlot plot = MakeScatter(40, 8);
  const auto png = DrawScatterPlot(plot, ImageFormat::kPng);
  ASSERT_TRUE(png) << DescribeError(png.error());
  const PngSize image = DecodePng(*png);
  EXPECT_EQ(image.width, 2560);
  EXPECT_EQ(image.height, 1800);
  for (size_t family = 0; family < 8; ++family) {
    const Color color = StyleOfSeries(family).color;
    const auto byte = [](double part) { return static_cast<uint32_t>(std::lround(part * 255)); };
    const uint32_t pixel = byte(color.red) << 16 | byte(color.green) << 8 | byte(color.blue);
    EXPECT_TRUE(image.colors.contains(pixel)) << family;
  }
  EXPECT_EQ(*png, *DrawScatterPlot(plot, ImageFormat::kPng));
}

TEST(ScatterPlot, NamesCannotEnterTheMarkup) {
  ScatterPlot plot = MakeScatter(4, 2);
  plot.title = "</svg><script>alert(1)</script>\x1b[2J";
  plot.family_names[0] = "\"/><image href='http://example.org'/>";
  plot.points[0].name = std::string(100000, '<');
  plot.points[1].name = "\xFF\xFE\n\u202E";
  plot.points[2].name = "";
  const auto svg = DrawScatterPlot(plot, ImageFormat::kSvg);
  ASSERT_TRUE(svg) << DescribeError(svg.error());
  EXPECT_TRUE(IsWellFormed(*svg));
  EXPECT_THAT(*svg, Not(HasSubstr("script")));
  EXPECT_THAT(*svg, Not(HasSubstr("example.org")));
  EXPECT_LT(svg->size(), 300000u);
}

TEST(ScatterPlot, RefusesWhatCannotBeDrawn) {
  EXPECT_THAT(DrawScatterPlot({}, ImageFormat::kSvg).error().problem, HasSubstr("no point"));
  ScatterPlot plot = MakeScatter(3, 1);
  plot.points[1].y = std::numeric_limits<double>::quiet_NaN();
  const auto undrawable = DrawScatterPlot(plot, ImageFormat::kSvg);
  ASSERT_FALSE(undrawable);
  EXPECT_THAT(undrawable.error().problem, HasSubstr("coordinates of \"model-1-"));
  plot = MakeScatter(3, 1);
  plot.points[2].family = 1;
  const auto nameless = DrawScatterPlot(plot, ImageFormat::kPng);
  ASSERT_FALSE(nameless);
  EXPECT_THAT(nameless.error().problem, HasSubstr("a family without a name"));
}

TEST(SensitivityPlot, IsAnImageOfBothKinds) {
  const SensitivityPlot plot = MakeSensitivity();
  const auto svg = DrawSensitivityPlot(plot, ImageFormat::kSvg);
  ASSERT_TRUE(svg) << DescribeError(svg.error());
  EXPECT_TRUE(IsWellFormed(*svg));
  EXPECT_EQ(*svg, *DrawSensitivityPlot(plot, ImageFormat::kSvg));
  const auto png = DrawSensitivityPlot(plot, ImageFormat::kPng);
  ASSERT_TRUE(png);
  EXPECT_GT(DecodePng(*png).colors.size(), 10u);
}

TEST(SensitivityPlot, ManyRolesAndFarLayersFitOnTheSheet) {
  SensitivityPlot plot = MakeSensitivity();
  for (int i = 0; i < 200; ++i) {
    plot.rows.push_back({.tensor = "t",
                         .role = fmt::format("role-{}", i),
                         .layer = i == 0 ? UINT64_MAX : 3,
                         .gain = {{"gaussian", 1e90}, {fmt::format("noise-{}", i), 1e-90}}});
  }
  const auto svg = DrawSensitivityPlot(plot, ImageFormat::kSvg);
  ASSERT_TRUE(svg) << DescribeError(svg.error());
  EXPECT_TRUE(IsWellFormed(*svg));
}

TEST(SensitivityPlot, RefusesWhatCannotBeDrawn) {
  EXPECT_THAT(DrawSensitivityPlot({}, ImageFormat::kSvg).error().problem, HasSubstr("no tensor"));
  for (const double gain : {-1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
    SensitivityPlot plot = MakeSensitivity();
    plot.rows[1].gain["gaussian"] = gain;
    const auto refused = DrawSensitivityPlot(plot, ImageFormat::kSvg);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().tensor, "t");
    EXPECT_THAT(refused.error().problem, HasSubstr("gain under \"gaussian\""));
  }
}

TEST(Canvas, FitsTextByItsMiddle) {
  const auto drawn = DrawImage(ImageFormat::kSvg, 100, 100, [](Canvas& canvas) {
    const TextStyle style = {.size = 10};
    EXPECT_EQ(FitText(canvas, "short", style, 100), "short");
    const std::string name = "meta-llama/Llama-3.1-8B-Instruct-abliterated-v3";
    const std::string fitted = FitText(canvas, name, style, 100);
    EXPECT_THAT(fitted, StartsWith("meta-"));
    EXPECT_THAT(fitted, HasSubstr("\u2026"));
    EXPECT_THAT(fitted, EndsWith("-v3"));
    EXPECT_LE(canvas.TextWidth(fitted, style), 100);
    EXPECT_EQ(FitText(canvas, "a\nb", style, 100), "a\\x0ab");
    EXPECT_EQ(FitText(canvas, name, style, 0), "\u2026");
  });
  EXPECT_TRUE(drawn);
}

TEST(Canvas, KnowsTheFormatByTheName) {
  EXPECT_EQ(*ImageFormatOf("a/b.SVG"), ImageFormat::kSvg);
  EXPECT_EQ(*ImageFormatOf("b.png"), ImageFormat::kPng);
  const auto other = ImageFormatOf("plot.pdf");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(other.error().expected, "a name that ends in .svg or .png");
}

TEST(SeriesStyle, SixtyFourSeriesLookDifferent) {
  std::set<std::tuple<double, double, double, MarkerShape>> seen;
  for (size_t series = 0; series < 64; ++series) {
    const SeriesStyle style = StyleOfSeries(series);
    seen.insert({style.color.red, style.color.green, style.color.blue, style.shape});
  }
  EXPECT_EQ(seen.size(), 64u);
}

}  // namespace
}  // namespace tensorguard::internal
