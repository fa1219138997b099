#include "weights/adapters/kinds/structured_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/try.h"
#include "weights/adapters/adapter_options.h"

namespace tensorguard::internal {
namespace {

// sums = a's row times b, [rank] x [rank, columns].
void MultiplyRow(const PartNumbers& a, const PartNumbers& b, uint64_t row, std::span<float> sums) {
  std::fill(sums.begin(), sums.end(), 0.0f);
  for (uint64_t k = 0; k < b.shape[0]; ++k) {
    const float factor = a.Row(row)[k];
    const float* terms = b.Row(k);
    for (uint64_t i = 0; i < sums.size(); ++i) sums[i] += factor * terms[i];
  }
}

// One side of a Kronecker product: a matrix as stored, or the product of two thin ones.
struct KroneckerFactor {
  PartNumbers whole;  // or the left one of the two
  std::optional<PartNumbers> right = {};

  uint64_t rows() const { return whole.shape[0]; }
  uint64_t columns() const { return right ? right->shape[1] : whole.shape[1]; }
  void Row(uint64_t row, std::span<float> values) const {
    if (right) {
      MultiplyRow(whole, *right, row, values);
    } else {
      std::copy_n(whole.Row(row), values.size(), values.begin());
    }
  }
};

Result<KroneckerFactor> TakeFactor(const AdapterModule& module, const std::string& name) {
  if (module.Has(name)) {
    TG_ASSIGN(auto whole, module.Take(name, {kAnySize, kAnySize}));
    return KroneckerFactor{.whole = std::move(whole)};
  }
  TG_ASSIGN(auto left, module.Take(name + "_a", {kAnySize, kAnySize}));
  TG_ASSIGN(auto right, module.Take(name + "_b", {left.shape[1], kAnySize}));
  return KroneckerFactor{.whole = std::move(left), .right = std::move(right)};
}

}  // namespace

Result<RowChange> LohaChange(const AdapterModule& module) {
  TG_ASSIGN(auto first_a, module.Take("hada_w1_a", {module.outputs(), kAnySize}));
  const uint64_t rank = first_a.shape[1];
  TG_ASSIGN(auto first_b, module.Take("hada_w1_b", {rank, module.inputs()}));
  TG_ASSIGN(auto second_a, module.Take("hada_w2_a", {module.outputs(), rank}));
  TG_ASSIGN(auto second_b, module.Take("hada_w2_b", {rank, module.inputs()}));
  TG_ASSIGN(const auto scaling, ScalingOf(module.config().lora, module.name()));
  return RowChange([=](uint64_t row, std::span<float> values) {
    std::vector<float> first(values.size());
    std::vector<float> second(values.size());
    MultiplyRow(first_a, first_b, row, first);
    MultiplyRow(second_a, second_b, row, second);
    for (size_t i = 0; i < values.size(); ++i) values[i] += first[i] * second[i] * scaling;
  });
}

Result<RowChange> LokrChange(const AdapterModule& module) {
  TG_ASSIGN(auto outer, TakeFactor(module, "lokr_w1"));
  TG_ASSIGN(auto inner, TakeFactor(module, "lokr_w2"));
  if (outer.rows() * inner.rows() != module.outputs() ||
      outer.columns() * inner.columns() != module.inputs()) {
    return module.Unfit("lokr_w1", fmt::format("[{} x {}, {} x {}]", outer.rows(), inner.rows(),
                                               outer.columns(), inner.columns()));
  }
  TG_ASSIGN(const auto scaling, ScalingOf(module.config().lora, module.name()));
  return RowChange([=](uint64_t row, std::span<float> values) {
    std::vector<float> of_outer(outer.columns());
    std::vector<float> of_inner(inner.columns());
    outer.Row(row / inner.rows(), of_outer);
    inner.Row(row % inner.rows(), of_inner);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] += of_outer[i / of_inner.size()] * of_inner[i % of_inner.size()] * scaling;
    }
  });
}

Result<RowChange> C3aChange(const AdapterModule& module) {
  TG_ASSIGN(auto kernel, module.Take("c3a_kernel", {kAnySize, kAnySize, kAnySize}));
  const uint64_t size = kernel.shape[2];
  if (kernel.shape[0] * size != module.outputs() || kernel.shape[1] * size != module.inputs()) {
    return module.Unfit("c3a_kernel", fmt::format("[{} x {}, {} x {}]", kernel.shape[0], size,
                                                  kernel.shape[1], size));
  }
  const auto inputs = static_cast<float>(module.inputs());
  return RowChange([=](uint64_t row, std::span<float> values) {
    const float* blocks = kernel.Row(row / size);
    const uint64_t place = row % size;
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] += blocks[i / size * size + (i % size + size - place) % size] / inputs;
    }
  });
}

Result<RowChange> ShiraChange(const AdapterModule& module) {
  struct Addend {
    uint64_t row = 0;
    uint64_t column = 0;
    float value = 0;
  };
  TG_ASSIGN(const auto numbers, module.Take("shira_weight", {kAnySize}));
  const uint64_t count = numbers.shape[0];
  TG_ASSIGN(const auto places, module.Take("shira_indices", {2, count}));
  std::vector<Addend> addends;
  for (uint64_t i = 0; i < count; ++i) {
    const float row = places.Row(0)[i];
    const float column = places.Row(1)[i];
    if (!(row >= 0 && row < static_cast<float>(module.outputs()) && column >= 0 &&
          column < static_cast<float>(module.inputs()))) {
      return module.Unfit("shira_indices", "places inside of the matrix");
    }
    addends.push_back(
        {static_cast<uint64_t>(row), static_cast<uint64_t>(column), numbers.values[i]});
  }
  std::ranges::stable_sort(addends, {}, &Addend::row);
  return RowChange([addends = std::move(addends)](uint64_t row, std::span<float> values) {
    for (const Addend& addend : std::ranges::equal_range(addends, row, {}, &Addend::row)) {
      values[addend.column] += addend.value;
    }
  });
}

Result<RowChange> MissChange(const AdapterModule& module) {
  TG_ASSIGN(const auto way, TextOr(module.config().options, "init_weights", ""));
  if (way == "bat") {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "adapters of type MISS with init_weights \"bat\" are not supported",
                 .tensor = module.name()};
  }
  TG_ASSIGN(auto block, module.Take("miss_block", {kAnySize, kAnySize}));
  const uint64_t rank = block.shape[0];
  const uint64_t width = block.shape[1];
  if (way == "mini" ? module.outputs() % width != 0 : width != module.outputs()) {
    return module.Unfit("miss_block", fmt::format("{} outputs", width));
  }
  return RowChange([=, block = std::move(block)](uint64_t row, std::span<float> values) {
    for (size_t i = 0; i < values.size(); ++i) values[i] += block.Row(i % rank)[row % width];
  });
}

}  // namespace tensorguard::internal
