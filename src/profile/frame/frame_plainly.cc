#include <algorithm>
#include <armadillo>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/try.h"
#include "profile/frame/common_frame.h"
#include "profile/frame/frame.h"
#include "profile/frame/frame_plan.h"

namespace tensorguard::internal {
namespace {

// [hidden, outer]: the stream's side of the whole weight, behind its gains.
Result<arma::mat> StreamSide(const FramePlan& plan, const StreamWeight& of) {
  TG_ASSIGN(const auto values, ReadWeight(*plan.source, *of.weight));
  arma::mat side(plan.hidden, of.outer());
  for (uint64_t outer = 0; outer < of.outer(); ++outer) {
    const double inner = of.inner_factors ? (*of.inner_factors)[outer] : 1;
    for (uint64_t i = 0; i < plan.hidden; ++i) {
      const double value = of.writes ? values.Row(i)[outer] : values.Row(outer)[i];
      side(i, outer) = value * inner * (*of.stream_factors)[i];
    }
  }
  return side;
}

// The leading eigenvectors of the whole second moment of what reads the stream: [hidden, count].
Result<arma::mat> AxesOf(const FramePlan& plan, size_t count) {
  arma::mat moment(plan.hidden, plan.hidden, arma::fill::zeros);
  for (const StreamWeight& weight : plan.weights) {
    if (weight.writes) continue;
    TG_ASSIGN(const auto side, StreamSide(plan, weight));
    for (arma::uword i = 0; i < side.n_cols; ++i) {
      arma::vec row = side.col(i);
      if (plan.centres) row -= arma::mean(row);
      const double square = arma::dot(row, row);
      if (square > 0) moment += row * row.t() / square;
    }
  }
  arma::vec shares;
  arma::mat turns;
  if (!arma::eig_sym(shares, turns, moment)) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "the system's linear algebra finds no axes"};
  }
  const auto kept = std::min<arma::uword>(count, plan.hidden);
  return arma::mat(arma::mat(arma::fliplr(turns)).cols(0, kept - 1));
}

}  // namespace

Result<FrameForms> ComputeFrameFormsPlainly(const Network& network) {
  UseOneLibraryThread();
  TG_ASSIGN(const auto plan, PlanFrame(network));
  if (plan.layers.empty()) return FrameForms();
  TG_ASSIGN(const auto axes, AxesOf(plan, kUnitDirections));
  std::vector<FormsOfOneLayer> forms;
  for (const FrameLayer& layer : plan.layers) {
    std::vector<PartForms> parts;
    for (const FramePart& part : layer.parts) {
      std::vector<Projection> projections;
      for (const size_t weight : part.weights) {
        TG_ASSIGN(const auto side, StreamSide(plan, plan.weights[weight]));
        const arma::mat along = axes.t() * side;
        Projection projection(along.n_rows, along.n_cols);
        for (size_t row = 0; row < along.n_rows; ++row) {
          for (size_t i = 0; i < along.n_cols; ++i) {
            projection.Row(row)[i] = static_cast<float>(along(row, i));
          }
        }
        projections.push_back(std::move(projection));
      }
      parts.push_back(FormsOfPart(part, projections));
    }
    forms.push_back(FormsOfLayer(layer, std::move(parts)));
  }
  FloatMatrix directions(axes.n_cols, axes.n_rows);
  for (size_t row = 0; row < directions.rows(); ++row) {
    for (size_t i = 0; i < directions.columns(); ++i) {
      directions.Row(row)[i] = static_cast<float>(axes(i, row));
    }
  }
  return FormsInCommonFrame(plan, forms, directions, {});
}

}  // namespace tensorguard::internal
