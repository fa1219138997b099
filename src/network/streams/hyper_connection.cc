#include "network/streams/hyper_connection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/parts/gate_functions.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kMostIterations = 1000;
constexpr uint64_t kMostStreams = 64;

std::optional<HyperConnection> Find(const StackContext& context, const LayerParts& parts,
                                    std::array<std::string, 3> names, bool only_collapses) {
  static constexpr std::array<std::string_view, 1> kStreams = {"hc_mult"};
  static constexpr std::array<std::string_view, 1> kIterations = {"hc_sinkhorn_iters"};
  static constexpr std::array<std::string_view, 1> kEpsilon = {"hc_eps"};
  HyperConnection found{.source = context.source,
                        .map = parts.Named(names[0]),
                        .base = parts.Named(names[1]),
                        .scale = parts.Named(names[2])};
  if (found.map == nullptr || found.base == nullptr || found.scale == nullptr) return {};
  found.streams = context.config.Number(kStreams).value_or(4);
  found.iterations = std::min(context.config.Number(kIterations).value_or(20), kMostIterations);
  found.epsilon = context.config.Real(kEpsilon).value_or(1e-6);
  found.norm_epsilon = MakeNorm(context, nullptr, nullptr).epsilon;
  const uint64_t n = found.streams;
  const uint64_t outputs = only_collapses ? n : (2 + n) * n;
  const bool fits = n <= kMostStreams && found.map->rows == outputs &&
                    found.map->columns == n * context.hidden_size;
  return fits ? std::optional(found) : std::nullopt;
}

// What the weights make of the streams, before activations.
Result<FloatMatrix> ReadStreams(const HyperConnection& connection, const FloatMatrix& streams) {
  FloatMatrix normalised = streams;
  Normalise(NormKind::kRms, connection.norm_epsilon, 0, normalised);
  return LinearMap{connection.source, connection.map}.Apply(normalised);
}

// Rows and columns of a matrix are divided by their sums in turn, until all are near 1 (Sinkhorn).
void Balance(const HyperConnection& connection, std::span<double> matrix) {
  const size_t n = connection.streams;
  const auto divide = [&](size_t step_of_line, size_t step_in_line) {
    for (size_t line = 0; line < n; ++line) {
      double sum = connection.epsilon;
      for (size_t i = 0; i < n; ++i) sum += matrix[line * step_of_line + i * step_in_line];
      for (size_t i = 0; i < n; ++i) matrix[line * step_of_line + i * step_in_line] /= sum;
    }
  };
  divide(1, n);
  for (uint64_t i = 1; i < connection.iterations; ++i) {
    divide(n, 1);
    divide(1, n);
  }
}

// A softmax of each row.
void SoftmaxRows(size_t n, double epsilon, std::span<double> matrix) {
  for (size_t row = 0; row < n; ++row) {
    const auto own = matrix.subspan(row * n, n);
    const double largest = *std::ranges::max_element(own);
    double total = 0;
    for (double& value : own) {
      value = std::exp(value - largest);
      total += value;
    }
    for (double& value : own) value = value / total + epsilon;
  }
}

// The sum of a row's streams, each with its weight.
void AddStreams(std::span<const float> streams, std::span<const double> weights,
                std::span<float> out) {
  for (size_t stream = 0; stream < weights.size(); ++stream) {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] += static_cast<float>(weights[stream]) * streams[stream * out.size() + i];
    }
  }
}

}  // namespace

std::optional<HyperConnection> FindHyperConnection(const StackContext& context,
                                                   const LayerParts& parts,
                                                   std::string_view module) {
  const std::string name(module);
  return Find(context, parts, {name + ".fn", name + ".base", name + ".scale"}, false);
}

std::optional<HyperConnection> FindHyperHead(const StackContext& context, const LayerParts& outer) {
  return Find(context, outer, {"hc_head.hc_fn", "hc_head.hc_base", "hc_head.hc_scale"}, true);
}

FloatMatrix RepeatStreams(const FloatMatrix& rows, uint64_t streams) {
  FloatMatrix repeated(rows.rows(), rows.columns() * streams);
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (uint64_t stream = 0; stream < streams; ++stream) {
      std::ranges::copy(rows.Row(row), repeated.Row(row).subspan(stream * rows.columns()).begin());
    }
  }
  return repeated;
}

Result<OpenedStreams> OpenStreams(const HyperConnection& connection, const FloatMatrix& streams) {
  const size_t n = connection.streams;
  const size_t hidden = streams.columns() / n;
  TG_ASSIGN(const auto read, ReadStreams(connection, streams));
  TG_ASSIGN(const auto base, ReadVector(*connection.source, *connection.base, (2 + n) * n));
  TG_ASSIGN(const auto scale, ReadVector(*connection.source, *connection.scale, 3));
  OpenedStreams opened{.input = FloatMatrix(streams.rows(), hidden),
                       .shares = FloatMatrix(streams.rows(), n),
                       .mixture = FloatMatrix(streams.rows(), n * n)};
  for (size_t row = 0; row < streams.rows(); ++row) {
    const auto own = read.Row(row);
    const auto value = [&](size_t i, size_t kind) { return own[i] * scale[kind] + base[i]; };
    std::vector<double> weights(n);
    for (size_t i = 0; i < n; ++i) {
      weights[i] = Sigmoid(value(i, 0)) + connection.epsilon;
      opened.shares.Row(row)[i] = 2 * Sigmoid(value(n + i, 1));
    }
    AddStreams(streams.Row(row), weights, opened.input.Row(row));
    std::vector<double> mixture(n * n);
    for (size_t i = 0; i < n * n; ++i) mixture[i] = value(2 * n + i, 2);
    SoftmaxRows(n, connection.epsilon, mixture);
    Balance(connection, mixture);
    std::ranges::transform(mixture, opened.mixture.Row(row).begin(),
                           [](double x) { return static_cast<float>(x); });
  }
  return opened;
}

FloatMatrix CloseStreams(const OpenedStreams& opened, const FloatMatrix& added,
                         const FloatMatrix& streams) {
  const size_t n = opened.shares.columns();
  const size_t hidden = added.columns();
  FloatMatrix closed(streams.rows(), streams.columns());
  for (size_t row = 0; row < streams.rows(); ++row) {
    for (size_t to = 0; to < n; ++to) {
      const auto out = closed.Row(row).subspan(to * hidden, hidden);
      std::vector<double> weights(n);
      for (size_t from = 0; from < n; ++from) {
        weights[from] = opened.mixture.Row(row)[from * n + to];
      }
      AddStreams(streams.Row(row), weights, out);
      const float share = opened.shares.Row(row)[to];
      for (size_t i = 0; i < hidden; ++i) out[i] += share * added.Row(row)[i];
    }
  }
  return closed;
}

Result<FloatMatrix> CollapseStreams(const HyperConnection& head, const FloatMatrix& streams) {
  const size_t n = head.streams;
  TG_ASSIGN(const auto read, ReadStreams(head, streams));
  TG_ASSIGN(const auto base, ReadVector(*head.source, *head.base, n));
  TG_ASSIGN(const auto scale, ReadVector(*head.source, *head.scale, 1));
  FloatMatrix collapsed(streams.rows(), streams.columns() / n);
  for (size_t row = 0; row < streams.rows(); ++row) {
    std::vector<double> weights(n);
    for (size_t i = 0; i < n; ++i) {
      weights[i] = Sigmoid(read.Row(row)[i] * scale.front() + base[i]) + head.epsilon;
    }
    AddStreams(streams.Row(row), weights, collapsed.Row(row));
  }
  return collapsed;
}

}  // namespace tensorguard::internal
