// products_benchmark: multiply-adds per second of one thread, of 128 inputs with blocks of a matrix
// as they are read, by oneDNN in both types and by OpenBLAS. docs/decisions/010 has its figures.
#include <benchmark/benchmark.h>
#include <cblas.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/bfloat16.h"
#include "numerics/matrix_product.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kInputs = 128;
constexpr uint64_t kBlockElements = uint64_t{1} << 18;

void SetNumber(float value, float& number) { number = value; }
void SetNumber(float value, BFloat16& number) { number = RoundToBFloat16(value); }

// Inputs [kInputs, columns] and a block of a matrix [rows, columns].
template <typename Number>
struct Operands {
  explicit Operands(uint64_t columns)
      : shape{.rows = kInputs, .columns = kBlockElements / columns, .inner = columns},
        inputs(kInputs * columns),
        block(kBlockElements),
        product(kInputs * shape.columns) {
    for (auto* numbers : {&inputs, &block}) {
      for (size_t i = 0; i < numbers->size(); ++i) {
        SetNumber(static_cast<float>(i % 97) - 48, (*numbers)[i]);
      }
    }
  }

  ProductShape shape;
  std::vector<Number> inputs;
  std::vector<Number> block;
  std::vector<float> product;
};

void CountMultiplyAdds(benchmark::State& state) {
  state.counters["multiply-adds"] = benchmark::Counter(
      static_cast<double>(kInputs * kBlockElements), benchmark::Counter::kIsIterationInvariantRate);
}

template <typename Number>
void OneDnn(benchmark::State& state) {
  Operands<Number> operands(static_cast<uint64_t>(state.range(0)));
  for (auto _ : state) {
    const auto done = Multiply(std::span<const Number>(operands.inputs),
                               std::span<const Number>(operands.block), RightSide::kTransposed,
                               operands.shape, {operands.product.data(), operands.shape.columns});
    if (!done) state.SkipWithError("oneDNN refuses");
    benchmark::DoNotOptimize(operands.product.data());
  }
  CountMultiplyAdds(state);
}

void OpenBlas(benchmark::State& state) {
  Operands<float> operands(static_cast<uint64_t>(state.range(0)));
  const auto rows = static_cast<blasint>(operands.shape.columns);
  const auto inner = static_cast<blasint>(operands.shape.inner);
  for (auto _ : state) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, kInputs, rows, inner, 1.0f,
                operands.inputs.data(), inner, operands.block.data(), inner, 0.0f,
                operands.product.data(), rows);
    benchmark::DoNotOptimize(operands.product.data());
  }
  CountMultiplyAdds(state);
}

BENCHMARK(OpenBlas)->Name("openblas/float32")->Arg(2048)->Arg(8192);
BENCHMARK(OneDnn<float>)->Name("onednn/float32")->Arg(2048)->Arg(8192);
BENCHMARK(OneDnn<BFloat16>)->Name("onednn/bfloat16")->Arg(2048)->Arg(8192);

}  // namespace
}  // namespace tensorguard::internal

BENCHMARK_MAIN();
