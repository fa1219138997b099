// What digests and measures of a block of weights cost, by type: bytes per second of one core.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>
#include <vector>

#include "fingerprint/digest/content_digest.h"
#include "fingerprint/sketches/row_samples.h"
#include "profile/weights/row_measures.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kColumns = 2048;
constexpr size_t kNumbers = size_t{1} << 18;

enum class Kind { kBFloat16, kFloat32, kBFloat16InFloat32, kPruned };

// Sums of random numbers, about as large and as bell-shaped as weights. kPruned: two of four are
// zero.
template <class T>
std::vector<T> Block(Kind kind) {
  std::vector<T> block(kNumbers);
  for (size_t i = 0; i < kNumbers; ++i) {
    double sum = 0;
    for (uint64_t key = 0; key < 6; ++key) {
      sum += static_cast<double>(RandomBits(key, i) >> 11) / (uint64_t{1} << 53) - 0.5;
    }
    float value = static_cast<float>(0.03 * sum);
    if (kind == Kind::kPruned && i % 4 < 2) value = 0;
    const BFloat16 narrow = RoundToBFloat16(value);
    if constexpr (std::is_same_v<T, float>) {
      block[i] = kind == Kind::kFloat32 ? value : ToFloat32(narrow);
    } else {
      block[i] = narrow;
    }
  }
  return block;
}

template <class T>
void Report(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kNumbers * sizeof(T)));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kNumbers));
}

template <class T, Kind kKind>
void Digest(benchmark::State& state) {
  const auto block = Block<T>(kKind);
  for (auto _ : state) benchmark::DoNotOptimize(DigestOfValues(block));
  Report<T>(state);
}

void RoundedToBFloat16(benchmark::State& state) {
  const auto block = Block<float>(Kind::kFloat32);
  for (auto _ : state) benchmark::DoNotOptimize(DigestAsBFloat16(block));
  Report<float>(state);
}

void RoundedToFloat16(benchmark::State& state) {
  const auto block = Block<float>(Kind::kFloat32);
  for (auto _ : state) benchmark::DoNotOptimize(DigestAsFloat16(block));
  Report<float>(state);
}

template <class T, Kind kKind>
void Samples(benchmark::State& state) {
  const auto block = Block<T>(kKind);
  const RowProbes probes(kColumns);
  for (auto _ : state) {
    for (size_t begin = 0; begin < kNumbers; begin += kColumns) {
      const auto row = std::span<const T>(block).subspan(begin, kColumns);
      benchmark::DoNotOptimize(SampleRow(row, probes));
    }
  }
  Report<T>(state);
}

template <class T, Kind kKind>
void Rows(benchmark::State& state) {
  const auto block = Block<T>(kKind);
  for (auto _ : state) benchmark::DoNotOptimize(MeasureRows(block, kColumns));
  Report<T>(state);
}

// All groups that are sampled of a weight, however large it is.
template <class T, Kind kKind>
void DistinctPerWeight(benchmark::State& state) {
  const auto block = Block<T>(kKind);
  const Groups groups = {.size = static_cast<uint64_t>(state.range(0)), .columns = kColumns};
  const FixedSample sample(kNumbers / groups.size, 1024);
  for (auto _ : state) benchmark::DoNotOptimize(DistinctInGroups(sample, groups, 0, block));
}

BENCHMARK_TEMPLATE(Digest, BFloat16, Kind::kBFloat16);
BENCHMARK_TEMPLATE(Digest, float, Kind::kBFloat16InFloat32);
BENCHMARK_TEMPLATE(Digest, float, Kind::kFloat32);
BENCHMARK(RoundedToBFloat16);
BENCHMARK(RoundedToFloat16);
BENCHMARK_TEMPLATE(Samples, BFloat16, Kind::kBFloat16);
BENCHMARK_TEMPLATE(Samples, float, Kind::kFloat32);
BENCHMARK_TEMPLATE(Rows, BFloat16, Kind::kBFloat16);
BENCHMARK_TEMPLATE(Rows, float, Kind::kFloat32);
BENCHMARK_TEMPLATE(Rows, BFloat16, Kind::kPruned);
BENCHMARK_TEMPLATE(Rows, float, Kind::kPruned);
BENCHMARK_TEMPLATE(DistinctPerWeight, BFloat16, Kind::kBFloat16)->Arg(32)->Arg(256);
BENCHMARK_TEMPLATE(DistinctPerWeight, float, Kind::kFloat32)->Arg(32)->Arg(256);

}  // namespace
}  // namespace tensorguard::internal

BENCHMARK_MAIN();
