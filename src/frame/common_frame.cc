#include "frame/common_frame.h"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <utility>

#include "base/parallel.h"
#include "frame/frame.h"

namespace tensorguard {
namespace {

// axes' form axes at norm 1; 0 x 0 where that is zero.
FloatMatrix InAxes(const arma::mat& form, const arma::mat& axes) {
  const arma::mat turned = axes.t() * form * axes;
  const double norm = std::sqrt(arma::accu(turned % turned));
  if (!(norm > 1e-30) || !std::isfinite(norm)) return {};
  FloatMatrix result(turned.n_rows, turned.n_cols);
  for (arma::uword row = 0; row < turned.n_rows; ++row) {
    for (arma::uword column = 0; column < turned.n_cols; ++column) {
      result.Row(row)[column] = static_cast<float>(turned(row, column) / norm);
    }
  }
  return result;
}

void AddMoments(const std::optional<PartForms>& part, arma::mat& moment) {
  if (!part) return;
  if (moment.is_empty()) moment.zeros(arma::size(part->reads));
  moment += part->reads + part->writes;
}

}  // namespace

PartForms FormsOfPart(const FramePart& part, const std::vector<Projection>& projections) {
  if (part.is_attention) {
    return AttentionForms(part.shape, projections[0], projections[1], projections[2],
                          projections[3]);
  }
  const size_t up = projections.size() - 2;
  return FeedForwardForms(projections[0], projections[up], projections[up + 1]);
}

FormsOfOneLayer FormsOfLayer(const FrameLayer& layer, std::vector<PartForms> parts) {
  FormsOfOneLayer forms;
  std::vector<PartForms> blocks;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (layer.parts[i].is_attention) {
      forms.attention = std::move(parts[i]);
    } else {
      blocks.push_back(std::move(parts[i]));
    }
  }
  if (!blocks.empty()) forms.feed_forward = MeanForms(blocks);
  return forms;
}

Result<FrameForms> FormsInCommonFrame(const FramePlan& plan,
                                      const std::vector<FormsOfOneLayer>& forms) {
  UseOneLibraryThread();
  arma::mat moment;
  for (const FormsOfOneLayer& layer : forms) {
    AddMoments(layer.attention, moment);
    AddMoments(layer.feed_forward, moment);
  }
  FrameForms frame;
  if (moment.is_empty() || !moment.is_finite() || arma::trace(moment) <= 0) return frame;
  arma::vec shares;
  arma::mat turns;
  if (!arma::eig_sym(shares, turns, arma::mat(0.5 * (moment + moment.t())))) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "the system's linear algebra finds no axes"};
  }
  frame.axes = std::min<size_t>(kFrameAxes, turns.n_cols);
  const arma::mat axes = arma::mat(arma::fliplr(turns)).cols(0, frame.axes - 1);
  for (size_t i = 0; i < forms.size(); ++i) {
    LayerForms layer = {.stack = plan.layers[i].stack, .index = plan.layers[i].index};
    const auto form = [&](FormKind kind) -> FloatMatrix& {
      return layer.forms[static_cast<size_t>(kind)];
    };
    if (forms[i].attention) {
      form(FormKind::kQueryKey) = InAxes(forms[i].attention->first, axes);
      form(FormKind::kOutputValue) = InAxes(forms[i].attention->second, axes);
    }
    if (forms[i].feed_forward) {
      form(FormKind::kFeedForward) = InAxes(forms[i].feed_forward->first, axes);
      form(FormKind::kGates) = InAxes(forms[i].feed_forward->second, axes);
    }
    const bool any = std::ranges::any_of(
        layer.forms, [](const FloatMatrix& matrix) { return !matrix.values().empty(); });
    if (any) frame.layers.push_back(std::move(layer));
  }
  if (frame.layers.empty()) frame.axes = 0;
  return frame;
}

}  // namespace tensorguard
