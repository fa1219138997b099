#include "drawing/scatter_plot.h"

#include <fmt/format.h>

#include <numeric>

#include "base/try.h"
#include "drawing/axis.h"
#include "drawing/label_layout.h"
#include "drawing/series_style.h"

namespace tensorguard::internal {
namespace {

constexpr double kWidth = 1280;
constexpr double kHeight = 900;
constexpr Box kArea = {70, 56, 960, 786};
constexpr double kLegendLeft = 1052;
constexpr double kLegendTextWidth = kWidth - kLegendLeft - 62;
constexpr double kLegendRow = 21;
constexpr size_t kMostLegendRows = 30;

constexpr double kMarkerRadius = 5;
constexpr double kRingRadius = 8.5;
constexpr double kLabelWidth = 172;
constexpr size_t kMostLabels = 160;
constexpr double kFarthest = 1e100;

constexpr TextStyle kTitle = {.size = 17, .bold = true};
constexpr TextStyle kLabel = {.size = 9.5};
constexpr TextStyle kCenterLabel = {.size = 9.5, .bold = true};
constexpr TextStyle kTickText = {.size = 10, .color = kMutedInk};
constexpr TextStyle kAxisTitle = {.size = 12.5};
constexpr TextStyle kLegendText = {.size = 11.5};

TextStyle Aligned(TextStyle style, TextAlign align) {
  style.align = align;
  return style;
}

Result<void> Check(const ScatterPlot& plot) {
  if (plot.points.empty()) return Error{.kind = ErrorKind::kUsage, .problem = "no point to draw"};
  for (const ScatterPoint& point : plot.points) {
    if (!(std::abs(point.x) <= kFarthest) || !(std::abs(point.y) <= kFarthest)) {
      return Error{.kind = ErrorKind::kUsage,
                   .problem = fmt::format("the coordinates of \"{}\" cannot be drawn", point.name)};
    }
    if (point.family >= plot.family_names.size()) {
      return Error{.kind = ErrorKind::kUsage,
                   .problem = fmt::format("\"{}\" is in a family without a name", point.name)};
    }
  }
  return {};
}

struct Axes {
  Axis x;
  Axis y;

  Point PlaceOf(const ScatterPoint& point) const {
    return {kArea.left + x.PositionOf(point.x) * kArea.width,
            kArea.bottom() - y.PositionOf(point.y) * kArea.height};
  }
};

Axes AxesOf(const std::vector<ScatterPoint>& points) {
  const auto [left, right] = std::minmax_element(
      points.begin(), points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  const auto [bottom, top] = std::minmax_element(
      points.begin(), points.end(), [](const auto& a, const auto& b) { return a.y < b.y; });
  return {Axis::Linear(left->x, right->x), Axis::Linear(bottom->y, top->y)};
}

void DrawAxes(Canvas& canvas, const Axes& axes, const ScatterPlot& plot) {
  for (const Tick& tick : axes.x.ticks()) {
    const double x = kArea.left + tick.position * kArea.width;
    canvas.Line({x, kArea.top}, {x, kArea.bottom()}, kGridInk, 1);
    canvas.Text(tick.label, {x, kArea.bottom() + 16}, Aligned(kTickText, TextAlign::kCenter));
  }
  for (const Tick& tick : axes.y.ticks()) {
    const double y = kArea.bottom() - tick.position * kArea.height;
    canvas.Line({kArea.left, y}, {kArea.right(), y}, kGridInk, 1);
    canvas.Text(tick.label, {kArea.left - 8, y + 3.5}, Aligned(kTickText, TextAlign::kRight));
  }
  canvas.Outline(kArea, kMutedInk, 1);

  const auto title = [&](size_t component) {
    if (!plot.explained)
      return std::string(component == 0 ? "near is alike; axes have no meaning" : "");
    return fmt::format("Principal component {} ({:.1f}% of the variance)", component + 1,
                       100 * (*plot.explained)[component]);
  };
  TextStyle style = Aligned(kAxisTitle, TextAlign::kCenter);
  canvas.Text(title(0), {kArea.center().x, kArea.bottom() + 40}, style);
  style.upward = true;
  canvas.Text(title(1), {kArea.left - 48, kArea.center().y}, style);
}

void DrawLegend(Canvas& canvas, const ScatterPlot& plot) {
  std::vector<size_t> members(plot.family_names.size());
  for (const ScatterPoint& point : plot.points) ++members[point.family];

  double y = kArea.top + 12;
  TextStyle heading = kLegendText;
  heading.bold = true;
  canvas.Text("Family (models)", {kLegendLeft, y}, heading);
  const size_t shown = std::min(members.size(), kMostLegendRows);
  for (size_t family = 0; family < shown; ++family) {
    y += kLegendRow;
    DrawMarker(canvas, {kLegendLeft + 7, y - 4}, kMarkerRadius, StyleOfSeries(family));
    const std::string name =
        FitText(canvas, plot.family_names[family], kLegendText, kLegendTextWidth);
    canvas.Text(fmt::format("{} ({})", name, members[family]), {kLegendLeft + 22, y}, kLegendText);
  }
  if (shown < members.size()) {
    y += kLegendRow;
    canvas.Text(fmt::format("and {} more", members.size() - shown), {kLegendLeft + 22, y},
                kLegendText);
  }
  y += 1.6 * kLegendRow;
  canvas.Ring({kLegendLeft + 7, y - 4}, kRingRadius, kInk, 1.4);
  canvas.Text(plot.center_label, {kLegendLeft + 22, y}, kLegendText);
}

struct Label {
  size_t point = 0;
  std::string text;
  TextStyle style;
};

// Centres first, then the others in their order, as many as a page holds.
std::vector<Label> LabelsOf(const Canvas& canvas, const ScatterPlot& plot) {
  std::vector<Label> labels;
  for (const bool centers : {true, false}) {
    const TextStyle style = centers ? kCenterLabel : kLabel;
    for (size_t i = 0; i < plot.points.size() && labels.size() < kMostLabels; ++i) {
      if (plot.points[i].is_center != centers) continue;
      labels.push_back({i, FitText(canvas, plot.points[i].name, style, kLabelWidth), style});
    }
  }
  return labels;
}

void DrawLabels(Canvas& canvas, const ScatterPlot& plot, const Axes& axes) {
  const std::vector<Label> labels = LabelsOf(canvas, plot);
  std::vector<LabelRequest> requests;
  for (const Label& label : labels) {
    const ScatterPoint& point = plot.points[label.point];
    requests.push_back({.anchor = axes.PlaceOf(point),
                        .anchor_radius = point.is_center ? kRingRadius : kMarkerRadius + 1,
                        .width = canvas.TextWidth(label.text, label.style),
                        .height = label.style.size});
  }
  const auto boxes = LayOutLabels(requests, Grown(kArea, -3));
  size_t left_out = plot.points.size() - labels.size();
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!boxes[i]) {
      ++left_out;
      continue;
    }
    if (const auto leader = LeaderLine(requests[i], *boxes[i])) {
      canvas.Line(leader->from, leader->to, kMutedInk, 0.5);
    }
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!boxes[i]) continue;
    constexpr double kDescent = 0.24;  // of the size, below the baseline
    const double baseline = boxes[i]->bottom() - kDescent * labels[i].style.size;
    canvas.Text(labels[i].text, {boxes[i]->left, baseline}, labels[i].style);
  }
  if (left_out > 0) {
    canvas.Text(fmt::format("{} names left out for lack of room", left_out),
                {kArea.right(), kArea.bottom() + 40}, Aligned(kTickText, TextAlign::kRight));
  }
}

}  // namespace

Result<std::string> DrawScatterPlot(const ScatterPlot& plot, ImageFormat format) {
  TG_TRY(Check(plot));
  return DrawImage(format, kWidth, kHeight, [&](Canvas& canvas) {
    const Axes axes = AxesOf(plot.points);
    canvas.Text(FitText(canvas, plot.title, kTitle, kArea.width), {kArea.left, 34}, kTitle);
    DrawAxes(canvas, axes, plot);
    DrawLegend(canvas, plot);
    DrawLabels(canvas, plot, axes);
    for (const ScatterPoint& point : plot.points) {
      DrawMarker(canvas, axes.PlaceOf(point), kMarkerRadius, StyleOfSeries(point.family));
    }
    for (const ScatterPoint& point : plot.points) {
      if (point.is_center) canvas.Ring(axes.PlaceOf(point), kRingRadius, kInk, 1.4);
    }
  });
}

}  // namespace tensorguard::internal
