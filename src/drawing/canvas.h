// A sheet to draw on that becomes an SVG or a PNG image.
#ifndef TENSORGUARD_DRAWING_CANVAS_H_
#define TENSORGUARD_DRAWING_CANVAS_H_

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "drawing/geometry.h"
#include "tensorguard/result.h"

typedef struct _cairo cairo_t;  // NOLINT: cairo's own declaration, to keep its header out of ours

namespace tensorguard::internal {

enum class ImageFormat { kSvg, kPng };

// By the ending: .svg or .png. Errors: kUsage.
Result<ImageFormat> ImageFormatOf(const std::filesystem::path& path);

struct Color {
  double red = 0;  // 0 to 1
  double green = 0;
  double blue = 0;
};

inline constexpr Color kInk = {0.13, 0.13, 0.13};
inline constexpr Color kMutedInk = {0.42, 0.42, 0.42};
inline constexpr Color kGridInk = {0.90, 0.90, 0.90};

enum class TextAlign { kLeft, kCenter, kRight };

struct TextStyle {
  double size = 11;
  Color color = kInk;
  TextAlign align = TextAlign::kLeft;
  bool bold = false;
  bool upward = false;  // rotated by a quarter turn, to be read from below
};

// Lengths are in points of the SVG; a PNG has two pixels per point. Text is drawn as the outlines
// of its glyphs, so that no text from outside enters the SVG's markup.
class Canvas {
 public:
  // REQUIRES: `context` outlives the canvas.
  explicit Canvas(cairo_t* context);

  void Line(Point from, Point to, Color color, double width);
  void Outline(const Box& box, Color color, double width);
  // Filled, with a thin dark edge.
  void Polygon(std::span<const Point> corners, Color fill);
  void Disc(Point center, double radius, Color fill);
  void Ring(Point center, double radius, Color color, double width);

  // `at` is on the baseline. REQUIRES: `text` is UTF-8 (FitText makes it so).
  void Text(std::string_view text, Point at, const TextStyle& style);
  double TextWidth(std::string_view text, const TextStyle& style) const;

 private:
  void FillWithEdge(Color fill);

  cairo_t* context_;
};

// The image's bytes; the same drawing gives the same bytes where the same fonts are installed.
// REQUIRES: width and height in [1, 10000]. Errors: kSystem if cairo fails (no memory).
Result<std::string> DrawImage(ImageFormat format, double width, double height,
                              const std::function<void(Canvas&)>& draw);

// `text` safe to show (EscapeControl) and, where it is wider than `width`, with its middle replaced
// by an ellipsis: model names differ at both ends.
std::string FitText(const Canvas& canvas, std::string_view text, const TextStyle& style,
                    double width);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DRAWING_CANVAS_H_
