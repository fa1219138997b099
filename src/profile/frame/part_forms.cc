#include "profile/frame/part_forms.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numeric>

#include "frame/frame_forms.h"
#include "profile/frame/merged_units.h"

namespace tensorguard::internal {
namespace {

// Below this part of the loudest, a unit writes nothing.
constexpr double kSilent = 1e-9;
// What writes less than this part of what it could, did nothing cancel, is what rounding left.
constexpr double kCancelled = 1e-3;
// Heads whose scores differ by less than this part of them ask the same.
constexpr double kSameScores = 0.01;

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

namespace {

// A head along the directions. Where several ask the same, it writes what all of them write.
struct HeadForms {
  arma::mat query;
  arma::mat key;
  arma::mat value;
  arma::mat output;
  arma::mat scores;
  arma::mat writing;
  double gross = 0;  // |output| |value|, of all that it stands for

  double Written() const {
    const double net = Norm(writing);
    return net > kCancelled * gross ? net : 0;
  }
};

std::vector<HeadForms> HeadsOf(const AttentionShape& shape, const Projection& query,
                               const Projection& key, const Projection& value,
                               const Projection& output) {
  const uint64_t group = shape.heads / shape.key_heads;
  std::vector<HeadForms> heads;
  for (uint64_t head = 0; head < shape.heads; ++head) {
    HeadForms forms = {.query = Head(query, head, shape.head_size),
                       .key = Head(key, head / group, shape.head_size),
                       .value = Head(value, head / group, shape.value_size),
                       .output = Head(output, head, shape.value_size),
                       .scores = {},
                       .writing = {}};
    forms.gross = Norm(forms.output) * Norm(forms.value);
    forms.scores = forms.query.t() * forms.key;
    forms.writing = forms.output.t() * forms.value;
    const auto same = std::ranges::find_if(heads, [&](const HeadForms& other) {
      const double norm = Norm(other.scores);
      return norm > 0 && Norm(arma::mat(forms.scores - other.scores)) < kSameScores * norm;
    });
    if (same == heads.end()) {
      heads.push_back(std::move(forms));
    } else {
      same->writing += forms.writing;
      same->gross += forms.gross;
    }
  }
  return heads;
}

// Those of the units that write most, the loudest first.
std::vector<arma::uword> LoudestFirst(const std::vector<double>& written) {
  std::vector<arma::uword> order(written.size());
  if (order.empty()) return order;
  std::iota(order.begin(), order.end(), arma::uword{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](size_t i) { return written[i]; });
  const double least = kSilent * written[order[0]];
  size_t count = 0;
  while (count < std::min(order.size(), kMostFrameUnits) && written[order[count]] > least) ++count;
  order.resize(count);
  return order;
}

LoudUnits LoudestOf(const std::vector<PartForms>& parts) {
  LoudUnits all;
  for (const PartForms& part : parts) {
    all.written.insert(all.written.end(), part.units.written.begin(), part.units.written.end());
    all.gates = arma::join_cols(all.gates, part.units.gates);
    all.ups = arma::join_cols(all.ups, part.units.ups);
    all.downs = arma::join_cols(all.downs, part.units.downs);
  }
  const auto order = LoudestFirst(all.written);
  LoudUnits units;
  if (order.empty()) return units;
  for (const arma::uword i : order) units.written.push_back(all.written[i]);
  const arma::uvec rows(order);
  if (!all.gates.is_empty()) units.gates = all.gates.rows(rows);
  units.ups = all.ups.rows(rows);
  units.downs = all.downs.rows(rows);
  return units;
}

// What each unit writes: |gate| |up| |down|.
std::vector<double> WrittenBy(const std::vector<double>* gate_norms,
                              const std::vector<double>& up_norms,
                              const std::vector<double>& down_norms) {
  std::vector<double> written(up_norms.size());
  for (size_t i = 0; i < written.size(); ++i) {
    written[i] = (gate_norms != nullptr ? (*gate_norms)[i] : 1) * up_norms[i] * down_norms[i];
  }
  return written;
}

PartForms FormsOfUnits(const Projection& gate, const Projection& up, const Projection& down) {
  const bool gated = &gate != &up;
  const auto gate_norms = ColumnNorms(gate);
  const auto up_norms = ColumnNorms(up);
  const auto down_norms = ColumnNorms(down);
  const auto written = WrittenBy(gated ? &gate_norms : nullptr, up_norms, down_norms);
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

// The columns `units`, each at unit norm, a row each.
arma::mat DirectionsOf(const std::vector<arma::uword>& units, const Projection& projection,
                       const std::vector<double>& norms) {
  arma::mat directions(units.size(), projection.rows());
  for (size_t row = 0; row < projection.rows(); ++row) {
    const auto values = projection.Row(row);
    for (size_t i = 0; i < units.size(); ++i) {
      const double norm = norms[units[i]];
      directions(i, row) = norm > 0 ? values[units[i]] / norm : 0;
    }
  }
  return directions;
}

LoudUnits LoudestOfUnits(const Projection& gate, const Projection& up, const Projection& down) {
  const bool gated = &gate != &up;
  const auto gate_norms = gated ? ColumnNorms(gate) : std::vector<double>();
  const auto up_norms = ColumnNorms(up);
  const auto down_norms = ColumnNorms(down);
  const auto written = WrittenBy(gated ? &gate_norms : nullptr, up_norms, down_norms);
  const auto order = LoudestFirst(written);
  LoudUnits units;
  if (order.empty()) return units;
  for (const arma::uword i : order) units.written.push_back(written[i]);
  if (gated) units.gates = DirectionsOf(order, gate, gate_norms);
  units.ups = DirectionsOf(order, up, up_norms);
  units.downs = DirectionsOf(order, down, down_norms);
  return units;
}

}  // namespace

PartForms AttentionForms(const AttentionShape& shape, const Projection& query,
                         const Projection& key, const Projection& value, const Projection& output) {
  const auto directions = static_cast<arma::uword>(query.rows());
  const auto heads = HeadsOf(shape, query, key, value, output);
  std::vector<double> written;
  for (const HeadForms& head : heads) written.push_back(head.Written());
  const auto shares = SaturatedShares(written);
  PartForms forms;
  for (arma::mat* form : {&forms.first, &forms.second, &forms.reads, &forms.writes}) {
    form->zeros(directions, directions);
  }
  for (size_t i = 0; i < heads.size(); ++i) {
    const HeadForms& head = heads[i];
    forms.written += written[i];
    if (shares[i] == 0) continue;
    AddOver(head.scores, shares[i], Norm(head.scores), forms.first);
    AddOver(head.writing, shares[i], written[i], forms.second);
    for (const arma::mat* rows : {&head.query, &head.key, &head.value}) {
      AddMoment(*rows, shares[i], forms.reads);
    }
    AddMoment(head.output, shares[i], forms.writes);
  }
  return forms;
}

PartForms FeedForwardForms(const Projection& gate, const Projection& up, const Projection& down) {
  const bool gated = &gate != &up;
  const auto merged = MergeUnits(gated ? &gate : nullptr, up, down);
  if (!merged) return FormsOfUnits(gate, up, down);
  return FormsOfUnits(gated ? merged->gate : merged->up, merged->up, merged->down);
}

LoudUnits LoudestUnits(const Projection& gate, const Projection& up, const Projection& down) {
  const bool gated = &gate != &up;
  const auto merged = MergeUnits(gated ? &gate : nullptr, up, down);
  if (!merged) return LoudestOfUnits(gate, up, down);
  return LoudestOfUnits(gated ? merged->gate : merged->up, merged->up, merged->down);
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
  mean.units = LoudestOf(parts);
  return mean;
}

}  // namespace tensorguard::internal
