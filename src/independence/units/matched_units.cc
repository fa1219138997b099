#include "independence/units/matched_units.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/parallel.h"
#include "base/random_bits.h"
#include "base/seeded_order.h"
#include "base/try.h"
#include "independence/statistics/unit_similarity.h"
#include "numerics/linear_assignment.h"

namespace tensorguard::internal {
namespace {

// Units that are read and multiplied at a time: a product of that many summands is efficient, and
// three matrices of width 4096 take 48 MiB.
constexpr uint64_t kUnitsPerChunk = 1024;

constexpr size_t kRowsPerTask = 128;

std::string_view AgreementName(size_t matrices, size_t matrix) {
  if (matrices == 2) return "up and down";
  return matrix == 1 ? "gate and up" : "gate and down";
}

arma::uvec EvenlySpaced(arma::uword count, arma::uword limit) {
  const arma::uword chosen = std::min(count, limit);
  arma::uvec indices(chosen);
  for (arma::uword i = 0; i < chosen; ++i) indices[i] = i * count / chosen;
  return indices;
}

// Columns of `few` matched to columns of `many`: the partner of each, in the order of `few`.
std::vector<uint32_t> Match(const arma::fmat& few, const arma::fmat& many, bool any_sign,
                            uint64_t seed, unsigned threads) {
  const auto rows = SeededOrder(static_cast<uint32_t>(few.n_cols), RandomBits(seed, 0));
  const auto columns = SeededOrder(static_cast<uint32_t>(many.n_cols), RandomBits(seed, 1));
  FloatMatrix costs(rows.size(), columns.size());
  const size_t tasks = (rows.size() + kRowsPerTask - 1) / kRowsPerTask;
  const auto done = ParallelFor(tasks, threads, [&](size_t task) -> Result<void> {
    const size_t first = task * kRowsPerTask;
    const size_t last = std::min(first + kRowsPerTask, rows.size());
    const arma::uvec chosen = arma::conv_to<arma::uvec>::from(
        std::vector<uint32_t>(&rows[first], &rows[first] + (last - first)));
    const arma::fmat cosines = TransposedProduct(many, arma::fmat(few.cols(chosen)), 1);
    for (size_t row = first; row < last; ++row) {
      const float* cosine = cosines.colptr(row - first);
      const auto out = costs.Row(row);
      for (size_t column = 0; column < columns.size(); ++column) {
        const float value = cosine[columns[column]];
        out[column] = any_sign ? -std::abs(value) : -value;
      }
    }
    return {};
  });
  static_cast<void>(done);  // the work has no errors
  const std::vector<uint32_t> assigned =
      AssignColumns({.values = costs.values(), .columns = costs.columns()});
  std::vector<uint32_t> partner(rows.size());
  for (size_t row = 0; row < rows.size(); ++row) partner[rows[row]] = columns[assigned[row]];
  return partner;
}

const arma::fmat& MatrixOf(const UnitVectors& vectors, UnitMatrix matrix) {
  switch (matrix) {
    case UnitMatrix::kGate:
      return vectors.gate;
    case UnitMatrix::kUp:
      return vectors.up;
    case UnitMatrix::kDown:
      break;
  }
  return vectors.down;
}

// One block's units, a chunk at a time: sums for the regression on the way, chosen units kept.
class ColumnPreparation {
 public:
  ColumnPreparation(const UnitReader& reader, const std::vector<UnitMatrix>& matrices,
                    const arma::uvec& chosen, const arma::fmat& map, unsigned threads)
      : reader_(reader),
        matrices_(matrices),
        chosen_(chosen),
        map_(map),
        threads_(threads),
        gram_(reader.hidden(), reader.hidden(), arma::fill::zeros),
        columns_(matrices.size(), arma::fmat(map.n_cols, chosen.n_elem)) {
    for (size_t i = 1; i < matrices.size(); ++i) {
      cross_.emplace_back(reader.hidden(), map.n_cols, arma::fill::zeros);
    }
  }

  Result<void> ReadAll() {
    return ForEachChunk([&](const Chunk& chunk) { return AddChunk(chunk); });
  }

  // Takes out what the first matrix predicts, reading it once more.
  Result<void> TakeOutPredictable() {
    arma::fmat cross = cross_[0];
    for (size_t i = 1; i < cross_.size(); ++i) cross = arma::join_rows(cross, cross_[i]);
    cross_.clear();
    const arma::fmat coefficients = RidgeCoefficients(std::move(gram_), cross, threads_);
    if (coefficients.empty()) return {};
    return ForEachChunk([&](const Chunk& chunk) -> Result<void> {
      if (chunk.chosen.is_empty()) return {};
      TG_ASSIGN(const auto first, Read(0, chunk));
      const arma::fmat predicted =
          TransposedProduct(coefficients, first.cols(chunk.chosen), threads_);
      for (size_t i = 1; i < matrices_.size(); ++i) {
        columns_[i].cols(chunk.places) -=
            predicted.rows((i - 1) * map_.n_cols, i * map_.n_cols - 1);
      }
      return {};
    });
  }

  MatchedColumns AtUnitLengths() && {
    for (arma::fmat& columns : columns_) columns = AtUnitLength(std::move(columns));
    return std::move(columns_);
  }

 private:
  struct Chunk {
    uint64_t first = 0;
    uint64_t count = 0;
    arma::uvec chosen = {};  // of its units, counted from `first`
    arma::uvec places = {};  // of these among all chosen ones
  };

  template <typename Use>
  Result<void> ForEachChunk(Use use) const {
    arma::uword place = 0;
    for (uint64_t first = 0; first < reader_.units(); first += kUnitsPerChunk) {
      Chunk chunk{.first = first, .count = std::min(kUnitsPerChunk, reader_.units() - first)};
      const arma::uword begin = place;
      while (place < chosen_.n_elem && chosen_[place] < first + chunk.count) ++place;
      if (place > begin) {
        chunk.places = arma::regspace<arma::uvec>(begin, place - 1);
        chunk.chosen = chosen_(chunk.places) - first;
      }
      if (auto used = use(chunk); !used) return used;
    }
    return {};
  }

  Result<arma::fmat> Read(size_t i, const Chunk& chunk) const {
    return reader_.ReadInParallel(matrices_[i], chunk.first, chunk.count, threads_);
  }

  Result<void> AddChunk(const Chunk& chunk) {
    TG_ASSIGN(const auto first, Read(0, chunk));
    columns_[0].cols(chunk.places) = TransposedProduct(map_, first.cols(chunk.chosen), threads_);
    const arma::fmat by_unit = first.t();
    AddTransposedProduct(by_unit, by_unit, Triangle::kLower, &gram_, threads_);
    for (size_t i = 1; i < matrices_.size(); ++i) {
      TG_ASSIGN(const auto dependent, Read(i, chunk));
      const arma::fmat mapped = TransposedProduct(map_, dependent, threads_);
      AddTransposedProduct(by_unit, mapped.t(), Triangle::kWhole, &cross_[i - 1], threads_);
      columns_[i].cols(chunk.places) = mapped.cols(chunk.chosen);
    }
    return {};
  }

  const UnitReader& reader_;
  const std::vector<UnitMatrix>& matrices_;
  const arma::uvec& chosen_;
  const arma::fmat& map_;
  unsigned threads_;
  arma::fmat gram_;                // of the first matrix: hidden x hidden, lower triangle
  std::vector<arma::fmat> cross_;  // of the first and each other one, mapped: hidden x shared width
  MatchedColumns columns_;
};

bool AnyZero(const MatchedColumns& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [](const arma::fmat& matrix) { return matrix.is_zero(); });
}

}  // namespace

std::vector<UnitMatrix> MatricesToMatch(bool both_have_gates) {
  if (both_have_gates) return {UnitMatrix::kGate, UnitMatrix::kUp, UnitMatrix::kDown};
  return {UnitMatrix::kUp, UnitMatrix::kDown};
}

arma::uvec AllUnits(uint64_t units) { return EvenlySpaced(units, units); }

arma::uvec MatchedSample(uint64_t units) { return EvenlySpaced(units, kMatchedUnits); }

MatchedColumns PrepareColumns(const UnitVectors& vectors, const std::vector<UnitMatrix>& matrices,
                              const arma::uvec& chosen, const arma::fmat& map, unsigned threads) {
  MatchedColumns prepared;
  const arma::fmat& first = MatrixOf(vectors, matrices[0]);
  for (const UnitMatrix matrix : matrices) {
    arma::fmat mapped = TransposedProduct(map, MatrixOf(vectors, matrix), threads);
    if (!prepared.empty()) mapped = WithoutPredictable(mapped, first, threads);
    prepared.push_back(AtUnitLength(mapped.cols(chosen)));
  }
  return prepared;
}

Result<MatchedColumns> ReadMatchedColumns(const UnitReader& reader,
                                          const std::vector<UnitMatrix>& matrices,
                                          const arma::uvec& chosen, const arma::fmat& map,
                                          unsigned threads) {
  ColumnPreparation preparation(reader, matrices, chosen, map, threads);
  TG_TRY(preparation.ReadAll());
  TG_TRY(preparation.TakeOutPredictable());
  return std::move(preparation).AtUnitLengths();
}

std::vector<Agreement> MatchColumns(const MatchedColumns& few, const MatchedColumns& many,
                                    const MatchingOptions& options) {
  if (AnyZero(few) || AnyZero(many)) return {};
  std::vector<Agreement> agreements;
  std::vector<uint32_t> first_partner;
  for (size_t i = 0; i < few.size(); ++i) {
    const bool any_sign = options.any_sign || (few.size() == 3 && i > 0);
    auto partner = Match(few[i], many[i], any_sign, RandomBits(options.seed, i), options.threads);
    if (i == 0) {
      first_partner = std::move(partner);
      continue;
    }
    Agreement agreement{.matrices = AgreementName(few.size(), i), .units = partner.size()};
    for (size_t unit = 0; unit < partner.size(); ++unit) {
      if (partner[unit] == first_partner[unit]) ++agreement.agreeing;
    }
    agreements.push_back(agreement);
  }
  return agreements;
}

std::vector<Agreement> MatchUnits(const UnitVectors& a, const UnitVectors& b,
                                  const ResidualMaps& maps, const MatchingOptions& options) {
  const auto matrices = MatricesToMatch(a.has_gate() && b.has_gate());
  const bool a_is_few = a.up.n_cols <= b.up.n_cols;
  const auto prepare = [&](const UnitVectors& vectors, const arma::fmat& map, bool is_few) {
    const uint64_t units = vectors.up.n_cols;
    return PrepareColumns(vectors, matrices, is_few ? MatchedSample(units) : AllUnits(units), map,
                          options.threads);
  };
  const MatchedColumns columns_a = prepare(a, maps.a, a_is_few);
  const MatchedColumns columns_b = prepare(b, maps.b, !a_is_few);
  return a_is_few ? MatchColumns(columns_a, columns_b, options)
                  : MatchColumns(columns_b, columns_a, options);
}

Result<std::vector<Agreement>> MatchUnits(const UnitReader& a, const UnitReader& b,
                                          const ResidualMaps& maps,
                                          const MatchingOptions& options) {
  const auto matrices = MatricesToMatch(a.has_gate() && b.has_gate());
  const bool a_is_few = a.units() <= b.units();
  const auto prepare = [&](const UnitReader& reader, const arma::fmat& map, bool is_few) {
    const uint64_t units = reader.units();
    return ReadMatchedColumns(reader, matrices, is_few ? MatchedSample(units) : AllUnits(units),
                              map, options.threads);
  };
  TG_ASSIGN(const auto columns_a, prepare(a, maps.a, a_is_few));
  TG_ASSIGN(const auto columns_b, prepare(b, maps.b, !a_is_few));
  return a_is_few ? MatchColumns(columns_a, columns_b, options)
                  : MatchColumns(columns_b, columns_a, options);
}

}  // namespace tensorguard::internal
