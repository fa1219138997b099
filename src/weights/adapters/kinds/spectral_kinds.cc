#include "weights/adapters/kinds/spectral_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <complex>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "weights/adapters/adapter_options.h"
#include "weights/adapters/kinds/drawn_numbers.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kDefaultSeed = 777;
constexpr double kDefaultFourierScaling = 150;
constexpr double kDefaultWaveletScaling = 25;

struct Coefficient {
  uint64_t row = 0;
  uint64_t column = 0;
  double value = 0;
};

Result<std::vector<Coefficient>> Coefficients(const AdapterModule& module, std::string_view part,
                                              double scaling) {
  TG_ASSIGN(const auto spectrum, module.Take(part, {kAnySize}));
  TG_ASSIGN(const auto seed, CountOr(module.config().options, "random_loc_seed", kDefaultSeed));
  const uint64_t places = module.outputs() * module.inputs();
  if (spectrum.shape[0] > places) return module.Unfit(part, "no more coefficients than numbers");
  if (places > kMostDrawnPlaces) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the adapter's places cannot be drawn in so large a matrix",
                 .tensor = module.name(),
                 .found = fmt::format("{} numbers", places),
                 .expected = fmt::format("at most {}", kMostDrawnPlaces)};
  }
  const auto drawn = DrawPlaces(places, spectrum.shape[0], seed);
  std::vector<Coefficient> coefficients;
  for (size_t i = 0; i < drawn.size(); ++i) {
    coefficients.push_back(
        {drawn[i] / module.inputs(), drawn[i] % module.inputs(), scaling * spectrum.values[i]});
  }
  return coefficients;
}

std::complex<double> Turn(uint64_t a, uint64_t b, uint64_t size) {
  const double part = static_cast<double>(a * b % size) / static_cast<double>(size);
  return std::polar(1.0, 2 * std::numbers::pi * part);
}

}  // namespace

Result<RowChange> FourierChange(const AdapterModule& module) {
  TG_ASSIGN(const auto scaling,
            NumberOr(module.config().options, "scaling", kDefaultFourierScaling));
  TG_ASSIGN(auto coefficients, Coefficients(module, "fourierft_spectrum", scaling));
  const uint64_t outputs = module.outputs();
  return RowChange(
      [coefficients = std::move(coefficients), outputs](uint64_t row, std::span<float> values) {
        // Along the column of frequencies first: what is left is one inverse transform of the row.
        arma::cx_vec along(values.size(), arma::fill::zeros);
        for (const Coefficient& each : coefficients) {
          along[each.column] += each.value * Turn(each.row, row, outputs);
        }
        const arma::cx_vec change = arma::ifft(along);
        const auto rows = static_cast<double>(outputs);
        for (size_t i = 0; i < values.size(); ++i) {
          values[i] += static_cast<float>(change[i].real() / rows);
        }
      });
}

Result<RowChange> WaveletChange(const AdapterModule& module) {
  const Json& options = module.config().options;
  TG_ASSIGN(const auto scaling, NumberOr(options, "scaling", kDefaultWaveletScaling));
  TG_ASSIGN(const auto family, TextOr(options, "wavelet_family", "db1"));
  TG_ASSIGN(const auto transformed, FlagOr(options, "use_idwt", true));
  if (transformed && family != "db1") return UnsupportedOption(options, "wavelet_family");
  TG_ASSIGN(auto coefficients, Coefficients(module, "waveft_spectrum", scaling));
  if (!transformed) {
    std::ranges::stable_sort(coefficients, {}, &Coefficient::row);
    return RowChange([coefficients = std::move(coefficients)](uint64_t row,
                                                              std::span<float> values) {
      for (const auto& each : std::ranges::equal_range(coefficients, row, {}, &Coefficient::row)) {
        values[each.column] += static_cast<float>(each.value);
      }
    });
  }
  // Each coefficient of the four quarters of the even-sized plane makes a square of four numbers.
  const uint64_t half_rows = (module.outputs() + 1) / 2;
  const uint64_t half_columns = (module.inputs() + 1) / 2;
  struct Square {
    uint64_t row = 0;
    uint64_t column = 0;
    double value = 0;
    bool falls_down = false;   // the lower two with the other sign
    bool falls_right = false;  // the right two with the other sign
  };
  std::vector<Square> squares;
  for (const Coefficient& each : coefficients) {
    squares.push_back({.row = each.row % half_rows,
                       .column = each.column % half_columns,
                       .value = each.value / 2,
                       .falls_down = each.column >= half_columns,
                       .falls_right = each.row >= half_rows});
  }
  std::ranges::stable_sort(squares, {}, &Square::row);
  return RowChange([squares = std::move(squares)](uint64_t row, std::span<float> values) {
    for (const Square& each : std::ranges::equal_range(squares, row / 2, {}, &Square::row)) {
      const double left = row % 2 == 1 && each.falls_down ? -each.value : each.value;
      const double right = each.falls_right ? -left : left;
      const uint64_t first = 2 * each.column;
      values[first] += static_cast<float>(left);
      if (first + 1 < values.size()) values[first + 1] += static_cast<float>(right);
    }
  });
}

}  // namespace tensorguard::internal
