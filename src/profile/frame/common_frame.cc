#include "profile/frame/common_frame.h"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <numeric>
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

// Along the directions of the forms.
Projection Leading(const Projection& projection) {
  if (projection.rows() <= kCandidateAxes) return projection;
  Projection leading(kCandidateAxes, projection.columns());
  for (size_t row = 0; row < leading.rows(); ++row) {
    std::ranges::copy(projection.Row(row), leading.Row(row).begin());
  }
  return leading;
}

// The axes of units along the directions, [directions, directions]: those of the forms first, then
// the directions that these leave out.
arma::mat UnitAxes(const arma::mat& of_forms, size_t directions) {
  arma::mat axes(directions, directions, arma::fill::eye);
  axes.submat(0, 0, of_forms.n_rows - 1, of_forms.n_cols - 1) = of_forms;
  return axes;
}

// rows' axes, each at unit norm; a row of zeros stays one.
FloatMatrix RowsInAxes(const arma::mat& rows, const arma::mat& axes) {
  if (rows.is_empty()) return {};
  const arma::mat turned = rows * axes;
  FloatMatrix result(turned.n_rows, turned.n_cols);
  for (arma::uword row = 0; row < turned.n_rows; ++row) {
    const double norm = arma::norm(turned.row(row));
    const double factor = norm > 1e-30 && std::isfinite(norm) ? 1 / norm : 0;
    for (arma::uword column = 0; column < turned.n_cols; ++column) {
      result.Row(row)[column] = static_cast<float>(factor * turned(row, column));
    }
  }
  return result;
}

// The rows along the axes.
FloatMatrix TokensInAxes(const FloatMatrix* rows, const FloatMatrix& directions,
                         const arma::mat& axes) {
  if (rows == nullptr || rows->columns() != directions.columns()) return {};
  arma::mat along(rows->rows(), directions.rows());
  for (size_t row = 0; row < rows->rows(); ++row) {
    for (size_t i = 0; i < directions.rows(); ++i) {
      along(row, i) = std::inner_product(rows->Row(row).begin(), rows->Row(row).end(),
                                         directions.Row(i).begin(), 0.0);
    }
  }
  const arma::mat turned = along * axes;
  FloatMatrix result(turned.n_rows, turned.n_cols);
  for (arma::uword row = 0; row < turned.n_rows; ++row) {
    for (arma::uword i = 0; i < turned.n_cols; ++i) {
      result.Row(row)[i] = static_cast<float>(turned(row, i));
    }
  }
  return result;
}

FrameUnits UnitsInAxes(const LoudUnits& units, const arma::mat& axes) {
  return {.gates = RowsInAxes(units.gates, axes),
          .ups = RowsInAxes(units.ups, axes),
          .downs = RowsInAxes(units.downs, axes)};
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
  std::vector<Projection> leading;
  for (const Projection& projection : projections) leading.push_back(Leading(projection));
  if (part.is_attention) {
    return AttentionForms(part.shape, leading[0], leading[1], leading[2], leading[3]);
  }
  const size_t up = projections.size() - 2;
  PartForms forms = FeedForwardForms(leading[0], leading[up], leading[up + 1]);
  forms.units = LoudestUnits(projections[0], projections[up], projections[up + 1]);
  return forms;
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
                                      const std::vector<FormsOfOneLayer>& forms,
                                      const FloatMatrix& directions, const StreamRows& tokens) {
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
  const arma::mat shared = SharedDirections(moments);
  if (shared.is_empty()) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "the system's linear algebra finds no axes"};
  }
  frame.axes = std::min<size_t>(kFrameAxes, shared.n_cols);
  const arma::mat axes = shared.cols(0, frame.axes - 1);
  frame.unit_axes = directions.rows();
  const arma::mat unit_axes = UnitAxes(shared, frame.unit_axes);
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
      layer.units = UnitsInAxes(forms[i].feed_forward->units, unit_axes);
    }
    const bool any = std::ranges::any_of(
        layer.forms, [](const FloatMatrix& matrix) { return !matrix.values().empty(); });
    if (any) frame.layers.push_back(std::move(layer));
  }
  if (frame.layers.empty()) return FrameForms();
  frame.token_inputs = TokensInAxes(tokens.inputs, directions, unit_axes);
  frame.token_outputs = TokensInAxes(tokens.outputs, directions, unit_axes);
  return frame;
}

}  // namespace tensorguard::internal
