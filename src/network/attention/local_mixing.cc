#include "network/attention/local_mixing.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/parts/matrix_columns.h"

namespace tensorguard::internal {
namespace {

// A row that lies `offset` from row `row` in the same sequence; empty beyond its ends.
std::optional<size_t> Neighbour(size_t row, int64_t offset, size_t sequence_length) {
  const int64_t place = static_cast<int64_t>(row % sequence_length) + offset;
  if (place < 0 || place >= static_cast<int64_t>(sequence_length)) return {};
  return static_cast<size_t>(static_cast<int64_t>(row) + offset);
}

// The taps of `channels` convolutions, row by row, however many dimensions they are stored in.
Result<FloatMatrix> ReadTaps(const WeightSource& source, const Weight& weight, uint64_t channels) {
  const uint64_t count = weight.rows * weight.columns;
  if (channels == 0 || count == 0 || count % channels != 0) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the taps of a convolution do not fit its channels",
                 .tensor = source.tensors()[weight.tensor_index].name};
  }
  TG_ASSIGN(const auto numbers, ReadVector(source, weight, count));
  FloatMatrix taps(channels, count / channels);
  std::ranges::copy(numbers, taps.values().begin());
  return taps;
}

// Every column by its own taps, row by row of `taps`; `group` columns share a row.
FloatMatrix Convolve(const FloatMatrix& rows, const FloatMatrix& taps, size_t group,
                     size_t sequence_length) {
  FloatMatrix sums(rows.rows(), rows.columns());
  const auto middle = static_cast<int64_t>(taps.columns() / 2);
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (size_t tap = 0; tap < taps.columns(); ++tap) {
      const auto from = Neighbour(row, static_cast<int64_t>(tap) - middle, sequence_length);
      if (!from) continue;
      for (size_t i = 0; i < rows.columns(); ++i) {
        sums.Row(row)[i] += taps.Row(i / group)[tap] * rows.Row(*from)[i];
      }
    }
  }
  return sums;
}

void Softmax(std::span<float> values) {
  const float largest = *std::ranges::max_element(values);
  double sum = 0;
  for (float& value : values) {
    value = std::exp(value - largest);
    sum += value;
  }
  for (float& value : values) value = static_cast<float>(value / sum);
}

Error BadConvolution(const LinearMap& map) {
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the parts of a convolution do not fit each other",
               .tensor = map.source->tensors()[map.weight->tensor_index].name};
}

}  // namespace

bool SpanConvolution::Holds(const Weight& weight) const {
  if (&weight == depthwise || &weight == bias) return true;
  return std::ranges::any_of(
      std::initializer_list<const LinearMap*>{&pointwise, &taps, &values},
      [&](const LinearMap* map) { return map->weight == &weight || map->bias == &weight; });
}

Result<FloatMatrix> SpanConvolution::Run(const FloatMatrix& rows, const FloatMatrix& queries,
                                         uint64_t heads, size_t sequence_length) const {
  TG_ASSIGN(const auto own_taps, ReadTaps(*pointwise.source, *depthwise, rows.columns()));
  TG_ASSIGN(auto keys, pointwise.Apply(Convolve(rows, own_taps, 1, sequence_length)));
  TG_ASSIGN(const auto added, ReadVector(*pointwise.source, *bias, keys.columns()));
  if (keys.columns() != queries.columns()) return BadConvolution(pointwise);
  for (size_t row = 0; row < keys.rows(); ++row) {
    const auto key = keys.Row(row);
    for (size_t i = 0; i < key.size(); ++i) key[i] = (key[i] + added[i]) * queries.Row(row)[i];
  }
  TG_ASSIGN(auto kernels, taps.Apply(keys));
  TG_ASSIGN(const auto convolved, values.Apply(rows));
  if (kernels.columns() % heads != 0 || convolved.columns() % heads != 0) {
    return BadConvolution(taps);
  }
  const size_t width = kernels.columns() / heads;
  const size_t size = convolved.columns() / heads;
  FloatMatrix sums(rows.rows(), convolved.columns());
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (size_t head = 0; head < heads; ++head) {
      const auto kernel = kernels.Row(row).subspan(head * width, width);
      Softmax(kernel);
      const auto sum = sums.Row(row).subspan(head * size, size);
      for (size_t tap = 0; tap < width; ++tap) {
        const auto offset = static_cast<int64_t>(tap) - static_cast<int64_t>((width - 1) / 2);
        const auto from = Neighbour(row, offset, sequence_length);
        if (!from) continue;
        const auto value = convolved.Row(*from).subspan(head * size, size);
        for (size_t i = 0; i < size; ++i) sum[i] += kernel[tap] * value[i];
      }
    }
  }
  return sums;
}

std::optional<LocalMixing> FindLocalMixing(const LayerParts& parts) {
  LocalMixing mixing{.source = &parts.source()};
  const auto pointwise = parts.NamedMap("key_conv_attn_layer.pointwise");
  const auto taps = parts.NamedMap("conv_kernel_layer");
  const auto values = parts.NamedMap("conv_out_layer");
  const Weight* depthwise = parts.Named("key_conv_attn_layer.depthwise.weight");
  const Weight* bias = parts.Named("key_conv_attn_layer.bias");
  if (pointwise && taps && values && depthwise != nullptr && bias != nullptr) {
    mixing.span = SpanConvolution{depthwise, *pointwise, bias, *taps, *values};
  }
  const Weight* value_taps = parts.Named("attention.self.conv.weight");
  if (value_taps == nullptr) value_taps = parts.Named("attention.self.conv");
  mixing.value_taps = value_taps;
  if (!mixing.span && mixing.value_taps == nullptr) return {};
  return mixing;
}

Result<FloatMatrix> MixLocally(const LocalMixing& mixing, const AttentionShape& shape,
                               const FloatMatrix& rows, const AttentionRows& projected,
                               size_t sequence_length, FloatMatrix mixed) {
  if (mixing.value_taps != nullptr) {
    TG_ASSIGN(const auto taps, ReadTaps(*mixing.source, *mixing.value_taps, shape.heads));
    Add(Convolve(projected.values, taps, shape.value_size, sequence_length), mixed);
  }
  if (!mixing.span) return mixed;
  TG_ASSIGN(const auto beside,
            mixing.span->Run(rows, projected.queries, shape.heads, sequence_length));
  return SideBySide(mixed, beside);
}

}  // namespace tensorguard::internal
