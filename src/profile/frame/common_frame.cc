#include "profile/frame/common_frame.h"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <utility>

#include "base/parallel.h"
#include "profile/frame/frame.h"

namespace tensorguard::internal {
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

// Second moments of what reads and of what writes the residual stream.
struct StreamMoments {
  arma::mat reads;
  arma::mat writes;
};

void AddMoments(const std::optional<PartForms>& part, StreamMoments& moments) {
  if (!part) return;
  if (moments.reads.is_empty()) {
    moments.reads.zeros(arma::size(part->reads));
    moments.writes.zeros(arma::size(part->writes));
  }
  moments.reads += part->reads;
  moments.writes += part->writes;
}

// Of writes^(1/2) reads writes^(1/2), leading first: a direction counts as far as it is both
// written and read. Empty where the system's linear algebra fails.
arma::mat SharedDirections(const StreamMoments& moments) {
  arma::vec shares;
  arma::mat turns;
  if (!arma::eig_sym(shares, turns, arma::mat(0.5 * (moments.writes + moments.writes.t())))) {
    return {};
  }
  const arma::mat root =
      turns * arma::diagmat(arma::sqrt(arma::clamp(shares, 0, arma::datum::inf))) * turns.t();
  const arma::mat both = root * moments.reads * root;
  if (!arma::eig_sym(shares, turns, arma::mat(0.5 * (both + both.t())))) return {};
  return arma::fliplr(turns);
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
  StreamMoments moments;
  for (const FormsOfOneLayer& layer : forms) {
    AddMoments(layer.attention, moments);
    AddMoments(layer.feed_forward, moments);
  }
  FrameForms frame;
  if (moments.reads.is_empty() || !moments.reads.is_finite() || !moments.writes.is_finite() ||
      arma::trace(moments.reads) <= 0) {
    return frame;
  }
  const arma::mat directions = SharedDirections(moments);
  if (directions.is_empty()) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "the system's linear algebra finds no axes"};
  }
  frame.axes = std::min<size_t>(kFrameAxes, directions.n_cols);
  const arma::mat axes = directions.cols(0, frame.axes - 1);
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

}  // namespace tensorguard::internal
