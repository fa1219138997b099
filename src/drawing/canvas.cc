#include "drawing/canvas.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <memory>
#include <numbers>
#include <vector>

#include "base/text.h"

namespace tensorguard::internal {
namespace {

constexpr double kPixelsPerPoint = 2;
constexpr size_t kLongestTextBytes = 200;
constexpr std::string_view kEllipsis = "\u2026";

struct DestroySurface {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using SurfacePointer = std::unique_ptr<cairo_surface_t, DestroySurface>;

struct DestroyContext {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
using ContextPointer = std::unique_ptr<cairo_t, DestroyContext>;

cairo_status_t AppendTo(void* image, const unsigned char* bytes, unsigned length) {
  static_cast<std::string*>(image)->append(reinterpret_cast<const char*>(bytes), length);
  return CAIRO_STATUS_SUCCESS;
}

void SetColor(cairo_t* context, Color color) {
  cairo_set_source_rgb(context, color.red, color.green, color.blue);
}

void SetFont(cairo_t* context, const TextStyle& style) {
  cairo_select_font_face(context, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context, style.size);
}

// No hinting: text then is as wide in a PNG as in an SVG, and both lay out alike.
void SetFontOptions(cairo_t* context) {
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_set_font_options(context, options);
  cairo_font_options_destroy(options);
}

// Cairo names the drawing's group by a counter of the whole process.
void RemoveSurfaceNumbers(std::string& svg) {
  constexpr std::string_view kOpening = " id=\"surface";
  for (size_t at = svg.find(kOpening); at != svg.npos; at = svg.find(kOpening, at)) {
    svg.erase(at, svg.find('"', at + kOpening.size()) + 1 - at);
  }
}

// Where the UTF-8 characters of `text` begin, and its end.
std::vector<size_t> CharacterBounds(std::string_view text) {
  std::vector<size_t> bounds;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) bounds.push_back(i);
  }
  bounds.push_back(text.size());
  return bounds;
}

}  // namespace

Result<ImageFormat> ImageFormatOf(const std::filesystem::path& path) {
  const std::string ending = LowerAscii(path.extension().string());
  if (ending == ".svg") return ImageFormat::kSvg;
  if (ending == ".png") return ImageFormat::kPng;
  return Error{.kind = ErrorKind::kUsage,
               .problem = "an image's name must say its format",
               .file = path.string(),
               .expected = "a name that ends in .svg or .png"};
}

Canvas::Canvas(cairo_t* context) : context_(context) {}

void Canvas::Line(Point from, Point to, Color color, double width) {
  SetColor(context_, color);
  cairo_set_line_width(context_, width);
  cairo_move_to(context_, from.x, from.y);
  cairo_line_to(context_, to.x, to.y);
  cairo_stroke(context_);
}

void Canvas::Outline(const Box& box, Color color, double width) {
  SetColor(context_, color);
  cairo_set_line_width(context_, width);
  cairo_rectangle(context_, box.left, box.top, box.width, box.height);
  cairo_stroke(context_);
}

void Canvas::FillWithEdge(Color fill) {
  SetColor(context_, fill);
  cairo_fill_preserve(context_);
  SetColor(context_, kInk);
  cairo_set_line_width(context_, 0.6);
  cairo_stroke(context_);
}

void Canvas::Polygon(std::span<const Point> corners, Color fill) {
  for (const Point corner : corners) cairo_line_to(context_, corner.x, corner.y);
  cairo_close_path(context_);
  FillWithEdge(fill);
}

void Canvas::Disc(Point center, double radius, Color fill) {
  cairo_arc(context_, center.x, center.y, radius, 0, 2 * std::numbers::pi);
  FillWithEdge(fill);
}

void Canvas::Ring(Point center, double radius, Color color, double width) {
  SetColor(context_, color);
  cairo_set_line_width(context_, width);
  cairo_arc(context_, center.x, center.y, radius, 0, 2 * std::numbers::pi);
  cairo_stroke(context_);
}

void Canvas::Text(std::string_view text, Point at, const TextStyle& style) {
  const double width = TextWidth(text, style);
  const double shift = style.align == TextAlign::kLeft     ? 0
                       : style.align == TextAlign::kCenter ? width / 2
                                                           : width;
  cairo_save(context_);
  SetColor(context_, style.color);
  cairo_translate(context_, at.x, at.y);
  if (style.upward) cairo_rotate(context_, -std::numbers::pi / 2);
  cairo_move_to(context_, -shift, 0);
  cairo_show_text(context_, std::string(text).c_str());
  cairo_new_path(context_);
  cairo_restore(context_);
}

double Canvas::TextWidth(std::string_view text, const TextStyle& style) const {
  SetFont(context_, style);
  cairo_text_extents_t extents;
  cairo_text_extents(context_, std::string(text).c_str(), &extents);
  return extents.x_advance;
}

Result<std::string> DrawImage(ImageFormat format, double width, double height,
                              const std::function<void(Canvas&)>& draw) {
  std::string image;
  const bool svg = format == ImageFormat::kSvg;
  const SurfacePointer surface(
      svg ? cairo_svg_surface_create_for_stream(AppendTo, &image, width, height)
          : cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                       static_cast<int>(width * kPixelsPerPoint),
                                       static_cast<int>(height * kPixelsPerPoint)));
  cairo_status_t status = CAIRO_STATUS_SUCCESS;
  {
    const ContextPointer context(cairo_create(surface.get()));
    if (!svg) cairo_scale(context.get(), kPixelsPerPoint, kPixelsPerPoint);
    SetFontOptions(context.get());
    SetColor(context.get(), {1, 1, 1});
    cairo_paint(context.get());
    Canvas canvas(context.get());
    draw(canvas);
    status = cairo_status(context.get());
  }
  if (status == CAIRO_STATUS_SUCCESS && !svg) {
    status = cairo_surface_write_to_png_stream(surface.get(), AppendTo, &image);
  }
  cairo_surface_finish(surface.get());
  if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface.get());
  if (status != CAIRO_STATUS_SUCCESS) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "the image cannot be drawn",
                 .found = cairo_status_to_string(status)};
  }
  if (svg) RemoveSurfaceNumbers(image);
  return image;
}

std::string FitText(const Canvas& canvas, std::string_view text, const TextStyle& style,
                    double width) {
  std::string safe = EscapeControl(text, kLongestTextBytes);
  if (canvas.TextWidth(safe, style) <= width) return safe;
  const std::vector<size_t> bounds = CharacterBounds(safe);
  const size_t characters = bounds.size() - 1;
  for (size_t kept = characters; kept-- > 0;) {
    const size_t head = (kept + 1) / 2;
    const size_t tail = kept - head;
    std::string shorter = safe.substr(0, bounds[head]);
    shorter += kEllipsis;
    shorter += safe.substr(bounds[characters - tail]);
    if (canvas.TextWidth(shorter, style) <= width) return shorter;
  }
  return std::string(kEllipsis);
}

}  // namespace tensorguard::internal
