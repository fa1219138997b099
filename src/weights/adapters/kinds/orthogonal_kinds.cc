#include "weights/adapters/kinds/orthogonal_kinds.h"

#include <fmt/format.h>

#include <armadillo>
#include <cmath>
#include <utility>
#include <vector>

#include "base/try.h"
#include "weights/adapters/adapter_options.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kDefaultNeumannTerms = 5;

Error Singular(const AdapterModule& module) {
  return {.problem = "a block of the adapter has no Cayley transform", .tensor = module.name()};
}

// (I - S) (I + S)^-1. Empty where that has no inverse.
arma::mat Cayley(const arma::mat& skew) {
  const arma::mat one(arma::size(skew), arma::fill::eye);
  arma::mat turned;
  // X (I + S) = I - S, by the transposes.
  if (!arma::solve(turned, arma::mat((one + skew).t()), arma::mat((one - skew).t()),
                   arma::solve_opts::no_approx)) {
    return {};
  }
  return turned.t();
}

// The series of the same, cut off as the library does: its last power counts once.
arma::mat CayleySeries(const arma::mat& skew, uint64_t terms) {
  arma::mat sum(arma::size(skew), arma::fill::eye);
  if (terms <= 1) return sum;
  sum += 2 * skew;
  if (terms == 2) return sum;
  arma::mat power = skew * skew;
  sum += 2 * power;
  for (uint64_t i = 3; i + 1 < terms; ++i) {
    power = power * skew;
    sum += 2 * power;
  }
  return sum + power * skew;
}

// Each stretch of a row times the transpose of its block, over and over if there is one block only.
RowChange TurnBlocks(std::vector<arma::fmat> blocks) {
  return [blocks = std::move(blocks)](uint64_t, std::span<float> values) {
    const size_t size = blocks[0].n_rows;
    std::vector<float> turned(size);
    for (size_t first = 0; first < values.size(); first += size) {
      const arma::fmat& block = blocks[first / size % blocks.size()];
      std::fill(turned.begin(), turned.end(), 0.0f);
      for (size_t j = 0; j < size; ++j) {
        const float value = values[first + j];
        const float* column = block.colptr(j);
        for (size_t i = 0; i < size; ++i) turned[i] += column[i] * value;
      }
      std::copy(turned.begin(), turned.end(), values.begin() + static_cast<ptrdiff_t>(first));
    }
  };
}

// The width of skew matrices that have so many numbers above their diagonal; 0 if none has.
uint64_t SkewSize(uint64_t numbers) {
  const auto size = static_cast<uint64_t>(
      std::llround((1 + std::sqrt(1 + 8.0 * static_cast<double>(numbers))) / 2));
  return size * (size - 1) / 2 == numbers ? size : 0;
}

}  // namespace

Result<RowChange> OftChange(const AdapterModule& module) {
  const Json& options = module.config().options;
  TG_ASSIGN(const auto projected, FlagOr(options, "coft", false));
  if (projected) return UnsupportedOption(options, "coft");
  TG_ASSIGN(const auto shared, FlagOr(options, "block_share", false));
  TG_ASSIGN(const auto series, FlagOr(options, "use_cayley_neumann", false));
  TG_ASSIGN(const auto terms, CountOr(options, "num_cayley_neumann_terms", kDefaultNeumannTerms));
  TG_ASSIGN(const auto numbers, module.Take("oft_R.weight", {kAnySize, kAnySize}));
  const uint64_t size = SkewSize(numbers.shape[1]);
  const uint64_t stored = numbers.shape[0];
  const bool fits = size > 0 && module.inputs() % size == 0 &&
                    (shared ? stored == 1 : stored * size == module.inputs());
  if (!fits) return module.Unfit("oft_R.weight", fmt::format("{} blocks of {}", stored, size));
  std::vector<arma::fmat> blocks;
  for (uint64_t block = 0; block < stored; ++block) {
    arma::mat skew(size, size, arma::fill::zeros);
    const float* next = numbers.Row(block);
    for (uint64_t row = 0; row < size; ++row) {
      for (uint64_t column = row + 1; column < size; ++column) skew(row, column) = *next++;
    }
    skew = arma::mat(skew - skew.t());
    const arma::mat turn = series ? CayleySeries(skew, terms) : Cayley(skew);
    if (turn.is_empty()) return Singular(module);
    blocks.push_back(arma::conv_to<arma::fmat>::from(turn));
  }
  return TurnBlocks(std::move(blocks));
}

Result<RowChange> BoftChange(const AdapterModule& module) {
  TG_ASSIGN(const auto numbers, module.Take("boft_R", {kAnySize, kAnySize, kAnySize, kAnySize}));
  TG_ASSIGN(auto scales, module.Take("boft_s", {module.outputs(), 1}));
  const auto& shape = numbers.shape;
  if (shape[0] != 1) {
    return Error{
        .kind = ErrorKind::kUnsupported,
        .problem = "adapters of type BOFT with several butterfly factors are not supported",
        .tensor = module.name(),
        .found = fmt::format("{} factors", shape[0]),
        .expected = "boft_n_butterfly_factor 1"};
  }
  const uint64_t size = shape[2];
  if (shape[3] != size || shape[1] * size != module.inputs()) {
    return module.Unfit("boft_R", fmt::format("{} blocks of {}", shape[1], size));
  }
  std::vector<arma::fmat> blocks;
  for (uint64_t block = 0; block < shape[1]; ++block) {
    arma::mat data(size, size);
    for (uint64_t row = 0; row < size; ++row) {
      for (uint64_t column = 0; column < size; ++column) {
        data(row, column) = numbers.values[(block * size + row) * size + column];
      }
    }
    const arma::mat turn = Cayley(arma::mat(0.5 * (data - data.t())));
    if (turn.is_empty()) return Singular(module);
    blocks.push_back(arma::conv_to<arma::fmat>::from(turn));
  }
  return RowChange([turn = TurnBlocks(std::move(blocks)), scales = std::move(scales)](
                       uint64_t row, std::span<float> values) {
    turn(row, values);
    for (float& value : values) value *= scales.values[row];
  });
}

Result<RowChange> HraChange(const AdapterModule& module) {
  TG_ASSIGN(const auto numbers, module.Take("hra_u", {module.inputs(), kAnySize}));
  TG_ASSIGN(const auto orthogonal, FlagOr(module.config().options, "apply_GS", false));
  const uint64_t inputs = module.inputs();
  std::vector<std::vector<double>> mirrors;
  for (uint64_t k = 0; k < numbers.shape[1]; ++k) {
    std::vector<double> mirror(inputs);
    for (uint64_t i = 0; i < inputs; ++i) mirror[i] = numbers.Row(i)[k];
    for (size_t before = 0; orthogonal && before < mirrors.size(); ++before) {
      double along = 0;
      for (uint64_t i = 0; i < inputs; ++i) along += mirrors[before][i] * mirror[i];
      for (uint64_t i = 0; i < inputs; ++i) mirror[i] -= along * mirrors[before][i];
    }
    double square = 0;
    for (const double value : mirror) square += value * value;
    if (!(square > 0))
      return Error{.problem = "a reflection has no direction", .tensor = module.name()};
    for (double& value : mirror) value /= std::sqrt(square);
    mirrors.push_back(std::move(mirror));
  }
  return RowChange([mirrors = std::move(mirrors)](uint64_t, std::span<float> values) {
    for (const auto& mirror : mirrors) {
      double along = 0;
      for (size_t i = 0; i < values.size(); ++i) along += mirror[i] * values[i];
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(values[i] - 2 * along * mirror[i]);
      }
    }
  });
}

}  // namespace tensorguard::internal
