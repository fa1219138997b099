// tensorguard sensitivity: how each tensor responds to each perturbation.
#include "paper/sensitivity.h"

#include <fmt/format.h>

#include <array>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/models/models.h"
#include "cli/output/text_layout.h"
#include "paper/sensitivity_plot.h"

namespace tensorguard::internal::cli {
namespace {

OrderedJson ToJson(const Model& model, const std::vector<TensorSensitivity>& sensitivities) {
  OrderedJson json = ResultObject("sensitivity");
  json["model"] = model.name;
  json["tensors"] = OrderedJson::array();
  for (const TensorSensitivity& each : sensitivities) {
    const TensorRole& role = model.architecture.roles[each.tensor_index];
    OrderedJson tensor = {{"name", model.weights->tensors()[each.tensor_index].name},
                          {"role", RoleName(role.role)}};
    tensor["layer"] = role.layer ? OrderedJson(*role.layer) : OrderedJson();
    for (size_t i = 0; i < kNoiseCount; ++i) {
      const std::string noise(NoiseName(kAllNoises[i]));
      tensor["gain"][noise] = each.gain[i];
      tensor["gradient_norm"][noise] = each.gradient_norm[i];
    }
    json["tensors"].push_back(std::move(tensor));
  }
  return json;
}

// The score is a property of the input, not of the weights: a row for each width says it all.
std::string PublishedScores(const Model& model,
                            const std::vector<TensorSensitivity>& sensitivities) {
  struct Width {
    size_t tensors = 0;
    std::array<double, kNoiseCount> score = {};
  };
  std::map<uint64_t, Width> widths;
  for (const TensorSensitivity& each : sensitivities) {
    Width& width = widths[model.weights->tensors()[each.tensor_index].shape.back()];
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

std::string ToText(const Model& model, const std::vector<TensorSensitivity>& sensitivities) {
  std::vector<std::vector<std::string>> rows = {{"layer", "role"}};
  std::vector<Align> alignments = {Align::kRight, Align::kLeft};
  for (const Noise noise : kAllNoises) {
    rows.front().emplace_back(NoiseName(noise));
    alignments.push_back(Align::kRight);
  }
  rows.front().push_back("tensor");
  alignments.push_back(Align::kLeft);
  for (const TensorSensitivity& each : sensitivities) {
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
         PublishedScores(model, sensitivities);
}

Result<void> WritePlot(const Model& model, const std::vector<TensorSensitivity>& sensitivities,
                       const std::string& file, ImageFormat format) {
  SensitivityPlot plot = {.title = "Response gains of " + model.name, .rows = {}};
  for (const TensorSensitivity& each : sensitivities) {
    const TensorRole& role = model.architecture.roles[each.tensor_index];
    SensitivityRow row = {.tensor = model.weights->tensors()[each.tensor_index].name,
                          .role = std::string(RoleName(role.role))};
    if (role.layer) row.layer = *role.layer;
    for (size_t i = 0; i < kNoiseCount; ++i) {
      row.gain.emplace(NoiseName(kAllNoises[i]), each.gain[i]);
    }
    plot.rows.push_back(std::move(row));
  }
  const auto image = DrawSensitivityPlot(plot, format);
  if (!image) return image.error();
  return WriteFileAtomically(file, *image);
}

}  // namespace

Result<ExitStatus> RunSensitivity(const SensitivityOptions& options, Console& console) {
  if (auto base = CheckBase({options.model}, options.base); !base) return std::move(base).error();
  std::optional<ImageFormat> plot_format;
  if (options.plot) {
    const auto format = ImageFormatOf(*options.plot);
    if (!format) return format.error();
    plot_format = *format;
  }
  const auto model = OpenWithBase(options.model, options.base);
  if (!model) return model.error();
  const auto measured = MeasureSensitivity(
      *model->weights,
      {.threads = options.threads, .on_progress = console.ShowProgress(model->name)});
  console.EndProgress();
  if (!measured) return Error(measured.error()).InFile(options.model);
  if (plot_format) {
    if (auto drawn = WritePlot(*model, *measured, *options.plot, *plot_format); !drawn) {
      return std::move(drawn).error();
    }
  }
  if (console.json()) {
    console.PrintJson(ToJson(*model, *measured));
  } else {
    console.Print(ToText(*model, *measured));
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
