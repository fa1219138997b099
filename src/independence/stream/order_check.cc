#include "independence/stream/order_check.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/try.h"
#include "independence/statistics/unit_similarity.h"

namespace tensorguard::internal {
namespace {

// Units sampled in a block, and units of the other block that a thread compares at a time.
constexpr uint64_t kSample = 128;
constexpr uint64_t kUnitsPerTask = 256;

// Cosines of some units of `b` (rows) to the sampled ones (columns): the sum as it stands, and with
// the sign of up and down as it suits.
struct Cosines {
  arma::fmat plain;
  arma::fmat any_sign;
};

Cosines CosinesTo(const UnitVectors& sample, const UnitVectors& units) {
  const arma::fmat paired =
      TransposedProduct(units.up, sample.up, 1) + TransposedProduct(units.down, sample.down, 1);
  if (!sample.has_gate() || !units.has_gate()) return {.plain = paired, .any_sign = paired};
  const arma::fmat gates = TransposedProduct(units.gate, sample.gate, 1);
  return {.plain = gates + paired, .any_sign = gates + arma::abs(paired)};
}

// The evenly spaced units of a block that are looked at.
std::vector<uint64_t> SampledUnits(uint64_t units) {
  const uint64_t count = std::min(units, kSample);
  std::vector<uint64_t> sampled(count);
  for (uint64_t i = 0; i < count; ++i) sampled[i] = i * units / count;
  return sampled;
}

Result<UnitVectors> ReadSample(const UnitReader& reader, const std::vector<uint64_t>& sampled,
                               unsigned threads) {
  UnitVectors all{.gate = {},
                  .up = arma::fmat(reader.hidden(), sampled.size()),
                  .down = arma::fmat(reader.hidden(), sampled.size())};
  if (reader.has_gate()) all.gate.set_size(reader.hidden(), sampled.size());
  const auto read = ParallelFor(sampled.size(), threads, [&](size_t i) -> Result<void> {
    TG_ASSIGN(const auto unit, reader.ReadAll(sampled[i], 1));
    if (reader.has_gate()) all.gate.col(i) = unit.gate;
    all.up.col(i) = unit.up;
    all.down.col(i) = unit.down;
    return {};
  });
  if (!read) return read.error();
  return all;
}

// Of each sampled unit: the cosines to the unit at its place, and to the nearest other one.
struct Nearest {
  arma::fvec in_place;
  arma::fvec elsewhere;
};

}  // namespace

Result<OrderCheck> CheckOrder(const UnitReader& a, const UnitReader& b, unsigned threads) {
  const std::vector<uint64_t> sampled = SampledUnits(std::min(a.units(), b.units()));
  TG_ASSIGN(const auto sample, ReadSample(a, sampled, threads));
  const uint64_t units = b.units();
  std::vector<Nearest> of_task((units + kUnitsPerTask - 1) / kUnitsPerTask);
  const auto done = ParallelFor(of_task.size(), threads, [&](size_t task) -> Result<void> {
    const uint64_t first = task * kUnitsPerTask;
    const uint64_t count = std::min(kUnitsPerTask, units - first);
    TG_ASSIGN(const auto read, b.ReadAll(first, count));
    Cosines cosines = CosinesTo(sample, read);
    Nearest& nearest = of_task[task];
    nearest.in_place.zeros(sampled.size());
    for (size_t i = 0; i < sampled.size(); ++i) {
      if (sampled[i] < first || sampled[i] >= first + count) continue;
      const arma::uword row = sampled[i] - first;
      nearest.in_place[i] = cosines.plain(row, i);
      cosines.any_sign(row, i) = -3.0f;  // the least that three cosines can sum to
    }
    nearest.elsewhere = arma::max(cosines.any_sign, 0).t();
    return {};
  });
  if (!done) return done.error();
  Nearest all = std::move(of_task.front());
  for (size_t task = 1; task < of_task.size(); ++task) {
    all.in_place += of_task[task].in_place;
    all.elsewhere = arma::max(all.elsewhere, of_task[task].elsewhere);
  }
  return OrderCheck{.units = sampled.size(),
                    .in_place = arma::mean(arma::conv_to<arma::vec>::from(all.in_place)),
                    .elsewhere = arma::mean(arma::conv_to<arma::vec>::from(all.elsewhere))};
}

OrderCheck Pooled(const OrderCheck& first, const OrderCheck& second) {
  const auto weight = [&](double of_first, double of_second) {
    const auto units = static_cast<double>(first.units + second.units);
    return units == 0.0 ? 0.0
                        : (of_first * static_cast<double>(first.units) +
                           of_second * static_cast<double>(second.units)) /
                              units;
  };
  return {.units = first.units + second.units,
          .in_place = weight(first.in_place, second.in_place),
          .elsewhere = weight(first.elsewhere, second.elsewhere)};
}

}  // namespace tensorguard::internal
