#include "profile/frame/part_forms.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace tensorguard::internal {
namespace {

// Below this part of the loudest, a unit writes nothing.
constexpr double kSilent = 1e-9;

std::vector<double> ColumnNorms(const Projection& projection) {
  std::vector<double> norms(projection.columns());
  for (size_t row = 0; row < projection.rows(); ++row) {
    const auto values = projection.Row(row);
    for (size_t i = 0; i < norms.size(); ++i) {
      norms[i] += static_cast<double>(values[i]) * values[i];
    }
  }
  for (double& norm : norms) norm = std::sqrt(norm);
  return norms;
}

// Columns times the factors, over their norms.
arma::mat Directions(const Projection& projection, const std::vector<double>& norms,
                     const std::vector<double>* factors = nullptr) {
  arma::mat directions(projection.columns(), projection.rows());
  for (size_t row = 0; row < projection.rows(); ++row) {
    const auto values = projection.Row(row);
    double* column = directions.colptr(row);
    for (size_t i = 0; i < norms.size(); ++i) {
      const double factor = factors == nullptr ? 1 : (*factors)[i];
      column[i] = norms[i] > 0 ? factor * values[i] / norms[i] : 0;
    }
  }
  return directions;
}

// The columns of one head, a row each.
arma::mat Head(const Projection& projection, uint64_t head, uint64_t size) {
  arma::mat rows(size, projection.rows());
  for (size_t direction = 0; direction < projection.rows(); ++direction) {
    const auto values = projection.Row(direction);
    for (uint64_t i = 0; i < size; ++i) rows(i, direction) = values[head * size + i];
  }
  return rows;
}

double Norm(const arma::mat& matrix) { return std::sqrt(arma::accu(matrix % matrix)); }

void AddOver(const arma::mat& matrix, double factor, double norm, arma::mat& sum) {
  if (norm > 0) sum += (factor / norm) * matrix;
}

void AddMoment(const arma::mat& rows, double factor, arma::mat& sum) {
  const arma::mat moment = rows.t() * rows;
  AddOver(moment, factor, arma::trace(moment), sum);
}

}  // namespace

std::vector<double> SaturatedShares(const std::vector<double>& written) {
  std::vector<double> shares(written.size());
  if (written.empty()) return shares;
  const double most = *std::max_element(written.begin(), written.end());
  std::vector<double> audible;
  std::copy_if(written.begin(), written.end(), std::back_inserter(audible),
               [&](double share) { return share > kSilent * most; });
  if (audible.empty()) return shares;
  const auto middle = audible.begin() + static_cast<ptrdiff_t>(audible.size() / 2);
  std::nth_element(audible.begin(), middle, audible.end());
  double sum = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    if (written[i] > kSilent * most) shares[i] = written[i] / (written[i] + *middle);
    sum += shares[i];
  }
  for (double& share : shares) share /= sum;
  return shares;
}

PartForms AttentionForms(const AttentionShape& shape, const Projection& query,
                         const Projection& key, const Projection& value, const Projection& output) {
  const uint64_t group = shape.heads / shape.key_heads;
  const auto directions = static_cast<arma::uword>(query.rows());
  std::vector<double> written(shape.heads);
  for (uint64_t head = 0; head < shape.heads; ++head) {
    written[head] = Norm(Head(output, head, shape.value_size).t() *
                         Head(value, head / group, shape.value_size));
  }
  const auto shares = SaturatedShares(written);
  PartForms forms;
  for (arma::mat* form : {&forms.first, &forms.second, &forms.reads, &forms.writes}) {
    form->zeros(directions, directions);
  }
  for (uint64_t head = 0; head < shape.heads; ++head) {
    forms.written += written[head];
    if (shares[head] == 0) continue;
    const arma::mat q = Head(query, head, shape.head_size);
    const arma::mat k = Head(key, head / group, shape.head_size);
    const arma::mat v = Head(value, head / group, shape.value_size);
    const arma::mat o = Head(output, head, shape.value_size);
    const arma::mat scores = q.t() * k;
    AddOver(scores, shares[head], Norm(scores), forms.first);
    AddOver(o.t() * v, shares[head], written[head], forms.second);
    for (const arma::mat* rows : {&q, &k, &v}) AddMoment(*rows, shares[head], forms.reads);
    AddMoment(o, shares[head], forms.writes);
  }
  return forms;
}

PartForms FeedForwardForms(const Projection& gate, const Projection& up, const Projection& down) {
  const bool gated = &gate != &up;
  const auto gate_norms = ColumnNorms(gate);
  const auto up_norms = ColumnNorms(up);
  const auto down_norms = ColumnNorms(down);
  std::vector<double> written(up_norms.size());
  for (size_t i = 0; i < written.size(); ++i) {
    written[i] = (gated ? gate_norms[i] : 1) * up_norms[i] * down_norms[i];
  }
  const auto shares = SaturatedShares(written);
  PartForms forms;
  for (const double share : written) forms.written += share;
  const arma::mat ups = Directions(up, up_norms);
  const arma::mat weighed_ups = Directions(up, up_norms, &shares);
  const arma::mat downs = Directions(down, down_norms);
  forms.first = downs.t() * weighed_ups;
  forms.writes = downs.t() * Directions(down, down_norms, &shares);
  forms.reads = ups.t() * weighed_ups;
  forms.second = gated ? Directions(gate, gate_norms).t() * Directions(gate, gate_norms, &shares)
                       : forms.reads;
  forms.reads += forms.second;
  return forms;
}

PartForms MeanForms(const std::vector<PartForms>& parts) {
  if (parts.size() == 1) return parts[0];
  std::vector<double> written;
  for (const PartForms& part : parts) written.push_back(part.written);
  const auto shares = SaturatedShares(written);
  PartForms mean;
  for (size_t i = 0; i < parts.size(); ++i) {
    mean.written += parts[i].written;
    for (const auto form :
         {&PartForms::first, &PartForms::second, &PartForms::reads, &PartForms::writes}) {
      if ((mean.*form).is_empty()) (mean.*form).zeros(arma::size(parts[i].*form));
      mean.*form += shares[i] * (parts[i].*form);
    }
  }
  return mean;
}

}  // namespace tensorguard::internal
