// profile_floor MODEL [--threads N]: what the full profile of a model cannot cost less than on this
// machine, as JSON: (a) reading every byte of its weights once, (b) its multiply-adds at the rate
// at which the machine multiplies large matrices of the type that the weights are stored in.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/parallel.h"
#include "fingerprint/fingerprint.h"
#include "model/model.h"
#include "network/network.h"
#include "numerics/matrix_product.h"
#include "profile/anchor_choice.h"
#include "profile/response_kernels.h"
#include "profile/weights/weight_summaries.h"

namespace tensorguard::internal {
namespace {

constexpr int kRuns = 5;

template <typename Work>
double MedianSeconds(Work work) {
  std::vector<double> seconds;
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 2];
}

void OrExit(const Result<void>& done) {
  if (done) return;
  fmt::print(stderr, "profile_floor: {}\n", DescribeError(done.error()));
  std::exit(2);
}

template <typename Value>
Value OrExit(Result<Value> result) {
  if (!result) OrExit(Result<void>(result.error()));
  return *std::move(result);
}

// Every byte of the files that hold the weights, into a buffer per thread that is used again.
uint64_t ReadFiles(const WeightSource& source, unsigned threads) {
  constexpr uint64_t kBlockBytes = uint64_t{1} << 19;
  std::set<std::string> paths;
  for (const TensorInfo& tensor : source.tensors()) paths.insert(tensor.file);
  uint64_t bytes = 0;
  for (const std::string& path : paths) {
    const auto file = OrExit(File::Open(path));
    const uint64_t size = file->size_bytes();
    OrExit(ParallelFor((size + kBlockBytes - 1) / kBlockBytes, threads, [&](size_t i) {
      thread_local std::vector<std::byte> buffer(kBlockBytes);
      const uint64_t begin = i * kBlockBytes;
      return file->ReadAt(begin, std::span(buffer).first(std::min(kBlockBytes, size - begin)));
    }));
    bytes += size;
  }
  return bytes;
}

// Elements that the kernels multiply with, each weight's once.
class MultipliedElements : public WeightBlockObserver {
 public:
  Result<void> Observe(const Weight& weight, const WeightBlock& block) override {
    const std::lock_guard lock(mutex_);
    if (seen_.emplace(&weight, block.index).second) elements_ += block.rows * weight.columns;
    return {};
  }
  uint64_t elements() const { return elements_; }

 private:
  std::mutex mutex_;
  std::set<std::pair<const Weight*, uint64_t>> seen_;
  uint64_t elements_ = 0;
};

struct MultiplyAdds {
  uint64_t kernels = 0;
  uint64_t sketches = 0;
};

MultiplyAdds CountMultiplyAdds(const Model& model, unsigned threads) {
  MultipliedElements multiplied;
  const auto network = OrExit(Network::Build(model, {.threads = threads, .observer = &multiplied}));
  const auto tokens = OrExit(ChooseAnchors(model, network->description().vocabulary_size)).tokens;
  const auto anchors = OrExit(ReadAnchorRows(*network, tokens));
  for (size_t layer = 0; layer < network->description().layers.size(); ++layer) {
    OrExit(RespondLayer(*network, layer, anchors));
  }
  MultiplyAdds count = {.kernels = multiplied.elements() * tokens.size()};
  for (const Weight& weight : network->weights()) {
    if (HasSketch(weight)) count.sketches += weight.rows * weight.columns * kSketchSize;
  }
  return count;
}

void SetNumber(float value, float& number) { number = value; }
void SetNumber(float value, BFloat16& number) { number = RoundToBFloat16(value); }

// Multiply-adds per second of one product of large square matrices on each thread.
template <typename Number>
double MultiplyRate(unsigned threads) {
  constexpr uint64_t kSize = 2048;
  const ProductShape shape = {.rows = kSize, .columns = kSize, .inner = kSize};
  std::vector<Number> numbers(kSize * kSize);
  for (size_t i = 0; i < numbers.size(); ++i)
    SetNumber(static_cast<float>(i % 97) - 48, numbers[i]);
  std::vector<std::vector<float>> products(threads, std::vector<float>(kSize * kSize));
  const double seconds = MedianSeconds([&] {
    OrExit(ParallelFor(threads, threads, [&](size_t i) {
      return Multiply(std::span<const Number>(numbers), std::span<const Number>(numbers),
                      RightSide::kTransposed, shape, {products[i].data(), kSize});
    }));
  });
  return static_cast<double>(threads) * kSize * kSize * kSize / seconds;
}

int Main(const std::string& path, unsigned threads) {
  const Model model = OrExit(OpenModel(path));
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  uint64_t bytes = 0;
  const double read_seconds = MedianSeconds([&] { bytes = ReadFiles(*model.weights, threads); });
  const MultiplyAdds count = CountMultiplyAdds(model, threads);
  const double float32_rate = MultiplyRate<float>(threads);
  const double bfloat16_rate =
      MultipliesBFloat16() ? MultiplyRate<BFloat16>(threads) : float32_rate;
  uint64_t bfloat16_tensors = 0;
  for (size_t i = 0; i < model.weights->tensors().size(); ++i) {
    bfloat16_tensors += model.weights->IsBFloat16(i) ? 1 : 0;
  }
  const bool all_bfloat16 = bfloat16_tensors == model.weights->tensors().size();
  const double rate = all_bfloat16 ? bfloat16_rate : float32_rate;
  const nlohmann::ordered_json json = {
      {"threads", threads},
      {"bytes", bytes},
      {"read_seconds", read_seconds},
      {"kernel_multiply_adds", count.kernels},
      {"sketch_multiply_adds", count.sketches},
      {"float32_multiply_adds_per_second", float32_rate},
      {"bfloat16_multiply_adds_per_second", bfloat16_rate},
      {"bfloat16_instructions", MultipliesBFloat16()},
      {"multiply_seconds", static_cast<double>(count.kernels + count.sketches) / rate}};
  fmt::print("{}\n", json.dump(2));
  return 0;
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) {
  CLI::App app("The floor of the full profile's cost");
  std::string model;
  unsigned threads = 0;
  app.add_option("MODEL", model)->required();
  app.add_option("--threads", threads);
  CLI11_PARSE(app, argc, argv);
  return tensorguard::internal::Main(model, threads);
}
