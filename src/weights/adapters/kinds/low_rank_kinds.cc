#include "weights/adapters/kinds/low_rank_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "base/try.h"
#include "weights/adapters/adapter_options.h"
#include "weights/adapters/kinds/drawn_numbers.h"

namespace tensorguard::internal {
namespace {

// PEFT's own default for an option that is absent.
constexpr uint64_t kDefaultInitialRank = 12;
constexpr double kDefaultRandLoraAlpha = 640;

RowChange AddProduct(LowRankMatrix delta) {
  return [delta = std::move(delta)](uint64_t row, std::span<float> values) {
    delta.AddTo(row * delta.columns, values);
  };
}

LowRankMatrix ProductFor(const AdapterModule& module, uint64_t rank, float scaling) {
  LowRankMatrix product;
  product.rows = module.outputs();
  product.columns = module.inputs();
  product.rank = rank;
  product.scaling = scaling;
  return product;
}

float Norm(std::span<const float> values) {
  double square = 0;
  for (const float value : values) square += static_cast<double>(value) * value;
  return static_cast<float>(std::sqrt(square));
}

}  // namespace

Result<RowChange> AdaLoraChange(const AdapterModule& module) {
  TG_ASSIGN(auto a, module.Take("lora_A", {kAnySize, module.inputs()}));
  const uint64_t rank = a.shape[0];
  TG_ASSIGN(auto b, module.Take("lora_B", {module.outputs(), rank}));
  TG_ASSIGN(const auto e, module.Take("lora_E", {rank, 1}));
  TG_ASSIGN(const auto initial, CountOr(module.config().options, "init_r", kDefaultInitialRank));
  const double alpha = module.config().lora.alpha;
  const double scaling =
      (alpha > 0 ? alpha : static_cast<double>(initial)) / (static_cast<double>(initial) + 1e-5);
  auto delta = ProductFor(module, rank, static_cast<float>(scaling));
  for (uint64_t k = 0; k < rank; ++k) {
    for (uint64_t i = 0; i < delta.columns; ++i) a.values[k * delta.columns + i] *= e.values[k];
  }
  delta.left = std::move(b.values);
  delta.right = std::move(a.values);
  return AddProduct(std::move(delta));
}

Result<RowChange> VeraChange(const AdapterModule& module) {
  TG_ASSIGN(const auto d, module.Take("vera_lambda_d", {kAnySize}));
  TG_ASSIGN(const auto b, module.Take("vera_lambda_b", {module.outputs()}));
  const uint64_t rank = d.shape[0];
  TG_ASSIGN(const auto shared_a, module.TakeShared("vera_A", {rank, kAnySize}));
  TG_ASSIGN(const auto shared_b, module.TakeShared("vera_B", {kAnySize, rank}));
  if (shared_a->shape[1] < module.inputs()) return module.Unfit("vera_A", "no more inputs");
  if (shared_b->shape[0] < module.outputs()) return module.Unfit("vera_B", "no more outputs");
  auto delta = ProductFor(module, rank, 1);
  delta.left.resize(delta.rows * rank);
  for (uint64_t row = 0; row < delta.rows; ++row) {
    for (uint64_t k = 0; k < rank; ++k) {
      delta.left[row * rank + k] = b.values[row] * shared_b->Row(row)[k];
    }
  }
  for (uint64_t k = 0; k < rank; ++k) {
    for (uint64_t i = 0; i < delta.columns; ++i) {
      delta.right.push_back(d.values[k] * shared_a->Row(k)[i]);
    }
  }
  return AddProduct(std::move(delta));
}

void DrawVeraMatrices(const AdapterConfig& config, const std::vector<AdapterModule>& modules,
                      SharedParts& shared) {
  uint64_t inputs = 0;
  uint64_t outputs = 0;
  uint64_t rank = 0;
  for (const AdapterModule& module : modules) {
    inputs = std::max(inputs, module.inputs());
    outputs = std::max(outputs, module.outputs());
    if (const auto d = module.Take("vera_lambda_d", {kAnySize})) rank = std::max(rank, d->shape[0]);
  }
  const auto key = CountOr(config.options, "projection_prng_key", 0);
  UniformNumbers numbers(key ? *key : 0);
  // Kaiming's bound for a gain of sqrt(2): sqrt(6 / columns).
  const auto draw = [&](std::string_view part, uint64_t rows, uint64_t columns) {
    const auto bound = static_cast<float>(
        std::sqrt(3.0) * (std::sqrt(2.0) / std::sqrt(static_cast<double>(columns))));
    shared.Put(part,
               {.shape = {rows, columns}, .values = numbers.Draw(rows * columns, -bound, bound)});
  };
  draw("vera_A", rank, inputs);
  draw("vera_B", outputs, rank);
}

Result<RowChange> DeLoraChange(const AdapterModule& module) {
  constexpr float kSmallestNorm = 1e-4f;
  TG_ASSIGN(auto a, module.Take("delora_A", {kAnySize, module.inputs()}));
  const uint64_t rank = a.shape[0];
  TG_ASSIGN(auto b, module.Take("delora_B", {module.outputs(), rank}));
  TG_ASSIGN(const auto bound, module.Take("delora_lambda", {1}));
  TG_ASSIGN(const auto column_norms, module.Take("delora_w_norm", {module.inputs()}));
  auto delta = ProductFor(module, rank, 1);
  for (uint64_t k = 0; k < rank; ++k) {
    std::vector<float> column(delta.rows);
    for (uint64_t row = 0; row < delta.rows; ++row) column[row] = b.values[row * rank + k];
    const std::span<float> terms(&a.values[k * delta.columns], delta.columns);
    const float norms =
        std::max(Norm(terms), kSmallestNorm) * std::max(Norm(column), kSmallestNorm);
    const float factor = bound.values[0] / static_cast<float>(rank) / norms;
    for (uint64_t row = 0; row < delta.rows; ++row) b.values[row * rank + k] *= factor;
    for (uint64_t i = 0; i < delta.columns; ++i) terms[i] *= column_norms.values[i];
  }
  delta.left = std::move(b.values);
  delta.right = std::move(a.values);
  return AddProduct(std::move(delta));
}

Result<RowChange> GraLoraChange(const AdapterModule& module) {
  TG_ASSIGN(auto a, module.Take("gralora_A", {kAnySize, kAnySize, kAnySize}));
  const uint64_t blocks = a.shape[0];
  const uint64_t block_inputs = a.shape[1];
  const uint64_t rank = a.shape[2];
  TG_ASSIGN(auto b, module.Take("gralora_B", {blocks, rank, kAnySize}));
  const uint64_t block_outputs = b.shape[2];
  if (blocks * block_inputs != module.inputs() || blocks * block_outputs != module.outputs() ||
      rank % blocks != 0) {
    return module.Unfit("gralora_A", fmt::format("{} blocks each way", blocks));
  }
  uint64_t plain_rank = 0;
  LowRankMatrix plain;
  if (module.Has("gralora_A_general.weight")) {
    TG_ASSIGN(auto plain_a, module.Take("gralora_A_general.weight", {kAnySize, module.inputs()}));
    plain_rank = plain_a.shape[0];
    TG_ASSIGN(auto plain_b,
              module.Take("gralora_B_general.weight", {module.outputs(), plain_rank}));
    plain = ProductFor(module, plain_rank, 0);
    plain.right = std::move(plain_a.values);
    plain.left = std::move(plain_b.values);
  }
  const auto scaling =
      static_cast<float>(module.config().lora.alpha / static_cast<double>(rank + plain_rank));
  plain.scaling = scaling;
  const uint64_t part = rank / blocks;
  return RowChange([a = std::move(a), b = std::move(b), plain = std::move(plain), block_inputs,
                    block_outputs, blocks, rank, part,
                    scaling](uint64_t row, std::span<float> values) {
    const uint64_t block = row / block_outputs;
    const uint64_t place = row % block_outputs;
    for (uint64_t i = 0; i < values.size(); ++i) {
      const uint64_t of_input = i / block_inputs;
      const float* reads = &a.values[(of_input * block_inputs + i % block_inputs) * rank];
      float sum = 0;
      for (uint64_t k = 0; k < part; ++k) {
        const uint64_t written = block * rank + of_input * part + k;
        sum += reads[block * part + k] * b.values[written * block_outputs + place];
      }
      values[i] += scaling * sum;
    }
    if (plain.rank > 0) plain.AddTo(row * plain.columns, values);
  });
}

namespace {

// The sum of the bank's vectors by the softmax of the largest logits, the vector of each place.
std::vector<float> MixedVector(std::span<const float> logits, const PartNumbers& bank,
                               uint64_t kept) {
  std::vector<uint64_t> order(logits.size());
  std::iota(order.begin(), order.end(), uint64_t{0});
  const auto end = order.begin() + static_cast<ptrdiff_t>(kept);
  std::partial_sort(order.begin(), end, order.end(),
                    [&](uint64_t x, uint64_t y) { return logits[x] > logits[y]; });
  float sum = 0;
  for (auto at = order.begin(); at != end; ++at) sum += std::exp(logits[*at] - logits[order[0]]);
  std::vector<float> mixed(bank.shape[1]);
  for (auto at = order.begin(); at != end; ++at) {
    const float weight = std::exp(logits[*at] - logits[order[0]]) / sum;
    for (size_t i = 0; i < mixed.size(); ++i) mixed[i] += weight * bank.Row(*at)[i];
  }
  return mixed;
}

}  // namespace

Result<RowChange> VbLoraChange(const AdapterModule& module) {
  constexpr uint64_t kDefaultKept = 2;
  TG_ASSIGN(const auto bank, module.TakeShared("vblora_vector_bank", {kAnySize, kAnySize}));
  const uint64_t vectors = bank->shape[0];
  const uint64_t length = bank->shape[1];
  TG_ASSIGN(const auto kept, CountOr(module.config().options, "topk", kDefaultKept));
  if (kept > vectors) return module.Unfit("vblora_logits_A", "topk is at most num_vectors");
  if (module.inputs() % length != 0 || module.outputs() % length != 0) {
    return module.Unfit("vblora_logits_A", fmt::format("multiples of {}", length));
  }
  TG_ASSIGN(const auto logits_a,
            module.Take("vblora_logits_A", {kAnySize, module.inputs() / length, vectors}));
  const uint64_t rank = logits_a.shape[0];
  TG_ASSIGN(const auto logits_b,
            module.Take("vblora_logits_B", {module.outputs() / length, rank, vectors}));
  auto delta = ProductFor(module, rank, 1);
  const auto mixed = [&](const PartNumbers& logits, uint64_t place) {
    return MixedVector(std::span(logits.values).subspan(place * vectors, vectors), *bank, kept);
  };
  for (uint64_t place = 0; place < rank * delta.columns / length; ++place) {
    const auto vector = mixed(logits_a, place);
    delta.right.insert(delta.right.end(), vector.begin(), vector.end());
  }
  delta.left.resize(delta.rows * rank);
  for (uint64_t tile = 0; tile < delta.rows / length; ++tile) {
    for (uint64_t k = 0; k < rank; ++k) {
      const auto vector = mixed(logits_b, tile * rank + k);
      for (uint64_t i = 0; i < length; ++i) {
        delta.left[(tile * length + i) * rank + k] = vector[i];
      }
    }
  }
  return AddProduct(std::move(delta));
}

Result<RowChange> RandLoraChange(const AdapterModule& module) {
  TG_ASSIGN(const auto lambda, module.Take("randlora_lambda", {kAnySize, kAnySize}));
  const uint64_t rank = lambda.shape[0];
  const uint64_t bases = lambda.shape[1];
  const uint64_t least = std::min(module.inputs(), module.outputs());
  const uint64_t most = std::max(module.inputs(), module.outputs());
  TG_ASSIGN(const auto gamma, module.Take("randlora_gamma", {bases, least}));
  TG_ASSIGN(const auto a, module.TakeShared("randlora_A", {rank, 1, kAnySize}));
  TG_ASSIGN(const auto b, module.TakeShared("randlora_B", {kAnySize, kAnySize, rank}));
  if (a->shape[2] < least || b->shape[0] < most || b->shape[1] < bases) {
    return module.Unfit("randlora_lambda", "no larger than the shared matrices");
  }
  TG_ASSIGN(const auto alpha,
            NumberOr(module.config().options, "randlora_alpha", kDefaultRandLoraAlpha));
  const auto scaling = static_cast<float>(alpha / static_cast<double>(rank));
  const bool inputs_are_least = least == module.inputs();
  // The s-th summand: what the small side and the large side of the matrix multiply it with. The
  // two count ranks and bases in another order, as the library does.
  const auto small = [=](uint64_t s, uint64_t i) {
    const uint64_t k = s / bases;
    const uint64_t base = s % bases;
    return lambda.values[s] * a->Row(k)[i] * gamma.values[base * least + i];
  };
  const auto large = [=](uint64_t s, uint64_t i) { return b->Row(i)[s]; };
  return RowChange([=, terms = rank * bases](uint64_t row, std::span<float> values) {
    std::vector<float> sums(values.size());
    for (uint64_t s = 0; s < terms; ++s) {
      const float factor = inputs_are_least ? large(s, row) : small(s, row);
      for (uint64_t i = 0; i < sums.size(); ++i) {
        sums[i] += factor * (inputs_are_least ? small(s, i) : large(s, i));
      }
    }
    for (uint64_t i = 0; i < sums.size(); ++i) values[i] += scaling * sums[i];
  });
}

}  // namespace tensorguard::internal
