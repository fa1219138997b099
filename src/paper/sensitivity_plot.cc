#include "paper/sensitivity_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/try.h"
#include "drawing/axis.h"
#include "drawing/series_style.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kColumns = 3;
constexpr size_t kMostPanels = 24;  // further roles share the last one
constexpr double kPanelWidth = 360;
constexpr double kPanelHeight = 190;
constexpr double kGapX = 62;
constexpr double kGapY = 58;
constexpr double kTop = 92;
constexpr double kLeft = 76;
constexpr double kMargin = 30;
constexpr double kMarkerRadius = 2.8;
constexpr double kWidestDodge = 4.2;  // between the perturbations of one tensor
constexpr double kFarthestGain = 1e100;

constexpr TextStyle kTitle = {.size = 17, .bold = true};
constexpr TextStyle kPanelTitle = {.size = 12, .bold = true};
constexpr TextStyle kTickText = {.size = 9.5, .color = kMutedInk};
constexpr TextStyle kAxisTitle = {.size = 11};
constexpr TextStyle kGainTitle = {.size = 11, .align = TextAlign::kCenter, .upward = true};
constexpr TextStyle kLegendText = {.size = 11.5};

// A row's place in its panel: the layer, or the number of its role.
struct PanelDot {
  const SensitivityRow* row = nullptr;
  uint64_t column = 0;
};

struct Panel {
  std::string title;
  std::vector<PanelDot> dots;
  std::vector<std::string> column_names;  // empty where the columns are layers

  uint64_t last_column() const {
    uint64_t last = 0;
    for (const PanelDot& dot : dots) last = std::max(last, dot.column);
    return last;
  }
};

size_t IndexIn(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

std::vector<Panel> PanelsOf(const std::vector<SensitivityRow>& rows) {
  std::vector<Panel> panels;
  Panel without_layer{.title = "without a layer", .dots = {}, .column_names = {}};
  for (const SensitivityRow& row : rows) {
    if (!row.layer) {
      without_layer.dots.push_back({&row, IndexIn(without_layer.column_names, row.role)});
      continue;
    }
    auto panel = std::find_if(panels.begin(), panels.end(),
                              [&](const Panel& each) { return each.title == row.role; });
    if (panel == panels.end() && panels.size() == kMostPanels) {
      panel = panels.end() - 1;
      panel->title = "other roles";
    } else if (panel == panels.end()) {
      panel = panels.insert(panels.end(), {.title = row.role, .dots = {}, .column_names = {}});
    }
    panel->dots.push_back({&row, *row.layer});
  }
  if (!without_layer.dots.empty()) panels.push_back(std::move(without_layer));
  return panels;
}

// The scale of all gains above 0; around 1 if there is none.
Result<Axis> GainAxis(const std::vector<SensitivityRow>& rows) {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  for (const SensitivityRow& row : rows) {
    for (const auto& [perturbation, gain] : row.gain) {
      if (!(gain >= 0 && gain <= kFarthestGain)) {
        return Error{.kind = ErrorKind::kUsage,
                     .problem = fmt::format("the gain under \"{}\" cannot be drawn", perturbation)}
            .InTensor(row.tensor);
      }
      if (gain == 0) continue;
      low = std::min(low, gain);
      high = std::max(high, gain);
    }
  }
  return high == 0 ? Axis::Logarithmic(1, 1) : Axis::Logarithmic(low, high);
}

std::vector<std::string> PerturbationsOf(const std::vector<SensitivityRow>& rows) {
  std::vector<std::string> names;
  for (const SensitivityRow& row : rows) {
    for (const auto& [name, gain] : row.gain) IndexIn(names, name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The middle of a column of dots.
double ColumnCenter(const Box& area, const Panel& panel, uint64_t column) {
  const double columns = static_cast<double>(panel.last_column()) + 1;
  return area.left + area.width * (static_cast<double>(column) + 0.5) / columns;
}

void DrawColumnTicks(Canvas& canvas, const Box& area, const Panel& panel) {
  TextStyle style = kTickText;
  style.align = TextAlign::kCenter;
  if (!panel.column_names.empty()) {
    const double room = area.width / static_cast<double>(panel.column_names.size()) - 4;
    for (size_t column = 0; column < panel.column_names.size(); ++column) {
      canvas.Text(FitText(canvas, panel.column_names[column], style, room),
                  {ColumnCenter(area, panel, column), area.bottom() + 14}, style);
    }
    return;
  }
  const uint64_t last = panel.last_column();
  uint64_t step = 1;
  for (const uint64_t next : {2, 5, 10, 20, 50, 100}) {
    if (last / step >= 10) step = next;
  }
  if (last / step >= 10) step = last / 8;
  for (uint64_t layer = 0; layer <= last && layer + step > layer; layer += step) {
    canvas.Text(fmt::format("{}", layer), {ColumnCenter(area, panel, layer), area.bottom() + 14},
                style);
  }
  style.size = kAxisTitle.size;
  canvas.Text("layer", {area.center().x, area.bottom() + 30}, style);
}

void DrawPanel(Canvas& canvas, const Box& area, const Panel& panel, const Axis& gains,
               const std::vector<std::string>& perturbations) {
  canvas.Text(FitText(canvas, panel.title, kPanelTitle, area.width), {area.left, area.top - 7},
              kPanelTitle);
  TextStyle tick_style = kTickText;
  tick_style.align = TextAlign::kRight;
  for (const Tick& tick : gains.ticks()) {
    const double y = area.bottom() - tick.position * area.height;
    canvas.Line({area.left, y}, {area.right(), y}, kGridInk, 1);
    canvas.Text(tick.label, {area.left - 6, y + 3.3}, tick_style);
  }
  canvas.Outline(area, kMutedInk, 0.8);
  DrawColumnTicks(canvas, area, panel);

  const double columns = static_cast<double>(panel.last_column()) + 1;
  const double count = static_cast<double>(perturbations.size());
  const double dodge = std::min(kWidestDodge, 0.8 * area.width / columns / count);
  for (const PanelDot& dot : panel.dots) {
    for (size_t i = 0; i < perturbations.size(); ++i) {
      const auto gain = dot.row->gain.find(perturbations[i]);
      if (gain == dot.row->gain.end()) continue;
      const double position = gain->second > 0 ? gains.PositionOf(gain->second) : 0;
      const double offset = (static_cast<double>(i) - (count - 1) / 2) * dodge;
      DrawMarker(
          canvas,
          {ColumnCenter(area, panel, dot.column) + offset, area.bottom() - position * area.height},
          kMarkerRadius, StyleOfSeries(i));
    }
  }
}

void DrawLegend(Canvas& canvas, const std::vector<std::string>& perturbations, double width) {
  double x = kLeft;
  for (size_t i = 0; i < perturbations.size(); ++i) {
    const std::string name = FitText(canvas, perturbations[i], kLegendText, 160);
    const double end = x + 16 + canvas.TextWidth(name, kLegendText);
    if (end > width - kMargin) return;
    DrawMarker(canvas, {x + 5, 54}, 4.5, StyleOfSeries(i));
    canvas.Text(name, {x + 16, 58}, kLegendText);
    x = end + 22;
  }
}

}  // namespace

Result<std::string> DrawSensitivityPlot(const SensitivityPlot& plot, ImageFormat format) {
  if (plot.rows.empty()) return Error{.kind = ErrorKind::kUsage, .problem = "no tensor to draw"};
  TG_ASSIGN(const auto gains, GainAxis(plot.rows));
  const std::vector<Panel> panels = PanelsOf(plot.rows);
  const std::vector<std::string> perturbations = PerturbationsOf(plot.rows);

  const size_t panel_rows = (panels.size() + kColumns - 1) / kColumns;
  const double width = kLeft + kColumns * kPanelWidth + (kColumns - 1) * kGapX + kMargin;
  const double height = kTop + static_cast<double>(panel_rows) * (kPanelHeight + kGapY);
  return DrawImage(format, width, height, [&](Canvas& canvas) {
    canvas.Text(FitText(canvas, plot.title, kTitle, width - kLeft - kMargin), {kLeft, 32}, kTitle);
    DrawLegend(canvas, perturbations, width);
    for (size_t i = 0; i < panels.size(); ++i) {
      const size_t row = i / kColumns;
      const size_t column = i % kColumns;
      const double left = kLeft + static_cast<double>(column) * (kPanelWidth + kGapX);
      const double top = kTop + static_cast<double>(row) * (kPanelHeight + kGapY);
      DrawPanel(canvas, {left, top, kPanelWidth, kPanelHeight}, panels[i], gains, perturbations);
      if (column != 0) continue;
      canvas.Text("response gain |Wx| / |x|", {34, top + kPanelHeight / 2}, kGainTitle);
    }
  });
}

}  // namespace tensorguard::internal
