#include "numerics/linear_assignment.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace tensorguard::internal {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// An assignment that grows row by row, with dual prices that prove each stage the cheapest:
// cost(row, column) - row_price - column_price >= 0 everywhere, 0 on assigned pairs.
class Assignment {
 public:
  explicit Assignment(const AssignmentCosts& costs)
      : costs_(costs),
        row_price_(costs.rows()),
        column_price_(costs.columns),
        column_of_row_(costs.rows(), kNone),
        row_of_column_(costs.columns, kNone),
        distance_(costs.columns),
        previous_column_(costs.columns),
        is_final_(costs.columns) {}

  // Each row its own cheapest column while that is free.
  void StartGreedily() {
    for (uint32_t row = 0; row < costs_.rows(); ++row) {
      const auto costs = costs_.Row(row);
      const auto cheapest = std::min_element(costs.begin(), costs.end());
      row_price_[row] = *cheapest;
      const auto column = static_cast<uint32_t>(cheapest - costs.begin());
      if (row_of_column_[column] == kNone) Assign(row, column);
    }
  }

  void AugmentAll() {
    for (uint32_t row = 0; row < costs_.rows(); ++row) {
      if (column_of_row_[row] == kNone) Augment(row);
    }
  }

  std::vector<uint32_t> column_of_row() && { return std::move(column_of_row_); }

 private:
  void Assign(uint32_t row, uint32_t column) {
    column_of_row_[row] = column;
    row_of_column_[column] = row;
  }

  // Dijkstra's search from `start_row` to the nearest free column; then prices and the path's pairs
  // are changed.
  void Augment(uint32_t start_row) {
    std::fill(distance_.begin(), distance_.end(), kInfinity);
    std::fill(is_final_.begin(), is_final_.end(), uint8_t{0});
    final_columns_.clear();
    uint32_t row = start_row;
    uint32_t column = kNone;
    double reached = 0.0;
    while (true) {
      column = Relax(row, column, reached);
      reached = distance_[column];
      is_final_[column] = 1;
      if (row_of_column_[column] == kNone) break;
      final_columns_.push_back(column);
      row = row_of_column_[column];
    }
    UpdatePrices(start_row, reached);
    while (column != kNone) {
      const uint32_t before = previous_column_[column];
      const uint32_t owner = before == kNone ? start_row : row_of_column_[before];
      Assign(owner, column);
      column = before;
    }
  }

  // Lowers the distances by ways over `row`, which was reached through `through`; returns the
  // nearest column that is not final.
  uint32_t Relax(uint32_t row, uint32_t through, double reached) {
    const auto costs = costs_.Row(row);
    const double base = reached - row_price_[row];
    uint32_t nearest = kNone;
    double nearest_distance = kInfinity;
    for (uint32_t column = 0; column < costs_.columns; ++column) {
      if (is_final_[column] != 0) continue;
      const double distance = base + costs[column] - column_price_[column];
      if (distance < distance_[column]) {
        distance_[column] = distance;
        previous_column_[column] = through;
      }
      if (nearest == kNone || distance_[column] < nearest_distance) {
        nearest = column;
        nearest_distance = distance_[column];
      }
    }
    return nearest;
  }

  void UpdatePrices(uint32_t start_row, double reached) {
    row_price_[start_row] += reached;
    for (const uint32_t column : final_columns_) {
      const double gain = reached - distance_[column];
      row_price_[row_of_column_[column]] += gain;
      column_price_[column] -= gain;
    }
  }

  const AssignmentCosts& costs_;
  std::vector<double> row_price_;
  std::vector<double> column_price_;
  std::vector<uint32_t> column_of_row_;
  std::vector<uint32_t> row_of_column_;
  // Of the search under way.
  std::vector<double> distance_;
  std::vector<uint32_t> previous_column_;
  std::vector<uint8_t> is_final_;
  std::vector<uint32_t> final_columns_;
};

}  // namespace

std::vector<uint32_t> AssignColumns(const AssignmentCosts& costs) {
  if (costs.rows() == 0) return {};
  Assignment assignment(costs);
  assignment.StartGreedily();
  assignment.AugmentAll();
  return std::move(assignment).column_of_row();
}

std::vector<uint32_t> AssignColumnsExhaustively(const AssignmentCosts& costs) {
  std::vector<uint32_t> order(costs.columns);
  std::iota(order.begin(), order.end(), 0u);
  std::vector<uint32_t> best;
  double best_cost = kInfinity;
  do {
    const std::vector<uint32_t> columns(order.begin(), order.begin() + costs.rows());
    const double cost = AssignmentCost(costs, columns);
    if (cost < best_cost) {
      best = columns;
      best_cost = cost;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

double AssignmentCost(const AssignmentCosts& costs, const std::vector<uint32_t>& column_of_row) {
  double sum = 0.0;
  for (size_t row = 0; row < column_of_row.size(); ++row) {
    sum += static_cast<double>(costs.Row(row)[column_of_row[row]]);
  }
  return sum;
}

}  // namespace tensorguard::internal
