// tensorguard sensitivity: how each tensor responds to each perturbation.
#include <fmt/format.h>

#include <array>
#include <map>

#include "api/json/sensitivity_json.h"
#include "api/models.h"
#include "api/paper/measured_sensitivity.h"
#include "base/file.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

// The score is a property of the input, not of the weights: a row for each width says it all.
std::string PublishedScores(const MeasuredSensitivity& measured) {
  struct Width {
    size_t tensors = 0;
    std::array<double, kNoiseCount> score = {};
  };
  std::map<uint64_t, Width> widths;
  for (const TensorSensitivity& each : measured.tensors) {
    Width& width = widths[measured.model.weights->tensors()[each.tensor_index].shape.back()];
    ++width.tensors;
    width.score = each.gradient_norm;
  }
  std::vector<std::vector<std::string>> rows = {{"width", "tensors"}};
  for (const Noise noise : kAllNoises) rows.front().emplace_back(NoiseName(noise));
  for (const auto& [columns, width] : widths) {
    rows.push_back({WithThousands(columns), WithThousands(width.tensors)});
    for (const double score : width.score) rows.back().push_back(fmt::format("{:.4g}", score));
  }
  return Columns(rows, std::vector<Align>(kNoiseCount + 2, Align::kRight));
}

std::string ToText(const MeasuredSensitivity& measured) {
  const Model& model = measured.model;
  std::vector<std::vector<std::string>> rows = {{"layer", "role"}};
  std::vector<Align> alignments = {Align::kRight, Align::kLeft};
  for (const Noise noise : kAllNoises) {
    rows.front().emplace_back(NoiseName(noise));
    alignments.push_back(Align::kRight);
  }
  rows.front().push_back("tensor");
  alignments.push_back(Align::kLeft);
  for (const TensorSensitivity& each : measured.tensors) {
    const TensorRole& role = model.architecture.roles[each.tensor_index];
    rows.push_back(
        {role.layer ? std::to_string(*role.layer) : "-", std::string(RoleName(role.role))});
    for (const double gain : each.gain) rows.back().push_back(fmt::format("{:.4g}", gain));
    rows.back().push_back(EscapeControl(model.weights->tensors()[each.tensor_index].name));
  }
  return "gain ||Wx|| / ||x|| of each tensor for each perturbed input x\n\n" +
         Columns(rows, alignments) +
         "\npublished score ||x||, the norm of the gradient: one for all tensors of an input "
         "width\n\n" +
         PublishedScores(measured);
}

}  // namespace

Result<ExitStatus> RunSensitivity(const SensitivityOptions& options, Console& console) {
  const Session session = SessionOf(console, options.part, true);
  TG_TRY(CheckBase({options.model}, options.base, session));
  std::optional<ImageFormat> plot_format;
  if (options.plot) {
    TG_ASSIGN(const auto format, ImageFormatOf(*options.plot));
    plot_format = format;
  }
  TG_ASSIGN(
      const auto measured,
      MeasureModelSensitivity(
          {.model = options.model, .base = options.base, .threads = options.threads}, session));
  if (plot_format) {
    TG_ASSIGN(const auto plot, DrawMeasuredSensitivity(measured, *plot_format));
    TG_TRY(WriteFileAtomically(*options.plot, plot));
  }
  if (console.json()) {
    console.PrintJson(MeasuredSensitivityToJson(measured));
  } else {
    console.Print(ToText(measured));
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
