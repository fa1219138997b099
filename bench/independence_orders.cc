#include "independence_orders.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "numerics/float_matrix.h"
#include "numerics/linear_assignment.h"

namespace tensorguard::internal {
namespace {

// rows [units, hidden] of the matrix that is stored so, or of the transpose of `down`.
FloatMatrix UnitRowsOf(const TensorValues& tensor, bool by_column) {
  const uint64_t units = tensor.shape[by_column ? 1 : 0];
  const uint64_t hidden = tensor.shape[by_column ? 0 : 1];
  FloatMatrix rows(units, hidden);
  for (uint64_t unit = 0; unit < units; ++unit) {
    double square = 0.0;
    for (uint64_t i = 0; i < hidden; ++i) {
      const float value = tensor.values[by_column ? i * units + unit : unit * hidden + i];
      rows.Row(unit)[i] = value;
      square += static_cast<double>(value) * static_cast<double>(value);
    }
    for (float& value : rows.Row(unit)) value /= static_cast<float>(std::sqrt(square));
  }
  return rows;
}

struct UnitPart {
  const char* name;
  bool by_column;
};
constexpr UnitPart kUnitParts[] = {{"gate_proj", false}, {"up_proj", false}, {"down_proj", true}};

std::string UnitTensor(uint64_t layer, const UnitPart& part) {
  return fmt::format("model.layers.{}.mlp.{}.weight", layer, part.name);
}

// Minus the sum over gate, up and down of the cosines of all units of two layers.
FloatMatrix Distances(const NetworkMaker::Tensors& a, const NetworkMaker::Tensors& b,
                      uint64_t layer) {
  FloatMatrix distances;
  for (const UnitPart& part : kUnitParts) {
    const FloatMatrix rows_a = UnitRowsOf(a.at(UnitTensor(layer, part)), part.by_column);
    const FloatMatrix rows_b = UnitRowsOf(b.at(UnitTensor(layer, part)), part.by_column);
    if (distances.rows() == 0) distances = FloatMatrix(rows_a.rows(), rows_b.rows());
    for (size_t i = 0; i < rows_a.rows(); ++i) {
      for (size_t j = 0; j < rows_b.rows(); ++j) {
        for (size_t k = 0; k < rows_a.columns(); ++k) {
          distances.Row(i)[j] -= rows_a.Row(i)[k] * rows_b.Row(j)[k];
        }
      }
    }
  }
  return distances;
}

std::vector<uint32_t> ChosenOrder(const FloatMatrix& distances, Ordering ordering) {
  if (ordering == Ordering::kAll)
    return AssignColumns({.values = distances.values(), .columns = distances.columns()});
  std::vector<uint32_t> order(distances.rows());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  if (ordering == Ordering::kNone) return order;
  for (uint32_t i = 0; i + 1 < order.size(); i += 2) {
    const float in_place = distances.Row(i)[i] + distances.Row(i + 1)[i + 1];
    if (distances.Row(i)[i + 1] + distances.Row(i + 1)[i] < in_place) {
      std::swap(order[i], order[i + 1]);
    }
  }
  return order;
}

}  // namespace

void OrderUnitsAs(const NetworkMaker::Tensors& target, uint64_t layers, Ordering ordering,
                  NetworkMaker::Tensors* tensors) {
  for (uint64_t layer = 0; layer < layers; ++layer) {
    const auto order = ChosenOrder(Distances(target, *tensors, layer), ordering);
    for (const UnitPart& part : kUnitParts) {
      TensorValues& tensor = tensors->at(UnitTensor(layer, part));
      const std::vector<float> before = tensor.values;
      const uint64_t units = order.size();
      const uint64_t hidden = before.size() / units;
      for (uint64_t unit = 0; unit < units; ++unit) {
        for (uint64_t i = 0; i < hidden; ++i) {
          const auto place = [&](uint64_t of) {
            return part.by_column ? i * units + of : of * hidden + i;
          };
          tensor.values[place(unit)] = before[place(order[unit])];
        }
      }
    }
  }
}

}  // namespace tensorguard::internal
