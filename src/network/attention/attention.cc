#include "network/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include "network/parts/activation.h"

namespace tensorguard::internal {
namespace {

float Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return static_cast<float>(sum);
}

// Scores to probabilities, in place. A sink takes its share and is left out. All zero where
// nothing is seen.
void Softmax(std::span<float> scores, std::optional<float> sink) {
  constexpr float kUnseen = -std::numeric_limits<float>::infinity();
  float highest = sink.value_or(kUnseen);
  for (const float score : scores) highest = std::max(highest, score);
  if (highest == kUnseen) {
    std::fill(scores.begin(), scores.end(), 0.0f);
    return;
  }
  double total = sink ? std::exp(static_cast<double>(*sink) - highest) : 0.0;
  for (float& score : scores) {
    score = std::exp(score - highest);
    total += score;
  }
  for (float& score : scores) score = static_cast<float>(score / total);
}

// How likely random planes, as many as there are bits, leave two vectors of this cosine on the same
// side (Zeng et al. 2021, "You Only Sample (Almost) Once").
float SameSide(float cosine, uint64_t bits) {
  const double angle = std::acos(std::clamp(static_cast<double>(cosine), -1.0, 1.0));
  return static_cast<float>(std::pow(1 - angle / std::numbers::pi, static_cast<double>(bits)));
}

// One head over one sequence.
class Head {
 public:
  Head(const AttentionRows& rows, const AttentionShape& shape, const AttentionRule& rule,
       size_t index)
      : rows_(rows),
        shape_(shape),
        rule_(rule),
        index_(index),
        key_index_(index / (shape.heads / shape.key_heads)) {}

  // The mean of the values for the query at `position`, weighted by attention.
  void Attend(size_t position, std::span<float> out) const {
    std::vector<float> weights = Scores(position);
    if (rule_.hash_bits) {
      for (float& weight : weights) weight = SameSide(weight, *rule_.hash_bits);
    } else {
      Softmax(weights, rule_.sinks.empty() ? std::nullopt : std::optional(rule_.sinks[index_]));
    }
    std::vector<double> sums(out.size());
    for (size_t key = 0; key < weights.size(); ++key) {
      const auto value =
          rows_.values.Row(key).subspan(key_index_ * shape_.value_size, shape_.value_size);
      for (size_t i = 0; i < out.size(); ++i)
        sums[i] += static_cast<double>(weights[key]) * value[i];
    }
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(sums[i]);
  }

 private:
  std::vector<float> Scores(size_t position) const {
    const size_t size = shape_.head_size;
    const auto query = rows_.queries.Row(position).subspan(index_ * size, size);
    std::vector<float> scores(rows_.keys.rows());
    for (size_t key = 0; key < scores.size(); ++key) {
      if (!Sees(rule_, position, key)) {
        scores[key] = -std::numeric_limits<float>::infinity();
        continue;
      }
      float score = Dot(query, rows_.keys.Row(key).subspan(key_index_ * size, size)) * rule_.scale;
      if (rule_.softcap) score = *rule_.softcap * std::tanh(score / *rule_.softcap);
      if (!rule_.slopes.empty()) {
        score += rule_.slopes[index_] * (static_cast<float>(key) - static_cast<float>(position));
      }
      if (rule_.bias.rows() > 0)
        score += rule_.bias.Row(index_ * rows_.queries.rows() + position)[key];
      scores[key] = score;
    }
    return scores;
  }

  const AttentionRows& rows_;
  const AttentionShape& shape_;
  const AttentionRule& rule_;
  size_t index_;
  size_t key_index_;
};

}  // namespace

bool Sees(const AttentionRule& rule, size_t query, size_t key) {
  if (rule.causal && key > query) return false;
  const size_t distance = key > query ? key - query : query - key;
  const auto& window = key > query && rule.window_ahead ? rule.window_ahead : rule.window;
  if (window && distance >= *window) return false;
  return !rule.chunk || key / *rule.chunk == query / *rule.chunk;
}

FloatMatrix RepeatHeads(const FloatMatrix& keys, const AttentionShape& shape) {
  if (shape.heads == shape.key_heads) return keys;
  FloatMatrix repeated(keys.rows(), shape.heads * shape.head_size);
  const uint64_t repeats = shape.heads / shape.key_heads;
  for (size_t row = 0; row < keys.rows(); ++row) {
    for (uint64_t head = 0; head < shape.heads; ++head) {
      const auto from = keys.Row(row).subspan(head / repeats * shape.head_size, shape.head_size);
      std::copy(from.begin(), from.end(),
                repeated.Row(row).begin() + static_cast<ptrdiff_t>(head * shape.head_size));
    }
  }
  return repeated;
}

void Add(const FloatMatrix& rows, FloatMatrix& to) {
  const auto from = rows.values();
  const auto sums = to.values();
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += from[i];
}

void RotateHeads(const Rotary& rotary, uint64_t head_size, FloatMatrix& rows) {
  for (size_t position = 0; position < rows.rows(); ++position) {
    for (size_t first = 0; first < rows.columns(); first += head_size) {
      Rotate(rotary, position, rows.Row(position).subspan(first, head_size));
    }
  }
}

void ScaleToUnitLength(size_t size, FloatMatrix& rows) {
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (size_t first = 0; first < rows.columns(); first += size) {
      const auto head = rows.Row(row).subspan(first, size);
      const double length = std::sqrt(double{Dot(head, head)});
      const double factor = length > 0 ? 1 / length : 0;
      for (float& value : head) value = static_cast<float>(value * factor);
    }
  }
}

FloatMatrix Attend(AttentionRows rows, const AttentionShape& shape, const AttentionRule& rule) {
  if (rule.hash_bits) {
    ScaleToUnitLength(shape.head_size, rows.queries);
    ScaleToUnitLength(shape.head_size, rows.keys);
  }
  if (rule.rotary) {
    RotateHeads(*rule.rotary, shape.head_size, rows.queries);
    RotateHeads(*rule.rotary, shape.head_size, rows.keys);
  }
  FloatMatrix mixed(rows.queries.rows(), shape.heads * shape.value_size);
  for (size_t index = 0; index < shape.heads; ++index) {
    const Head head(rows, shape, rule, index);
    for (size_t position = 0; position < mixed.rows(); ++position) {
      head.Attend(position,
                  mixed.Row(position).subspan(index * shape.value_size, shape.value_size));
    }
  }
  if (rule.hash_bits) ScaleToUnitLength(shape.value_size, mixed);
  return mixed;
}

FloatMatrix AttendAlone(const AttentionRows& rows, const AttentionShape& shape,
                        const AttentionRule& rule) {
  FloatMatrix mixed(rows.values.rows(), shape.heads * shape.value_size);
  const size_t repeats = shape.heads / shape.key_heads;
  for (size_t row = 0; row < mixed.rows(); ++row) {
    for (size_t head = 0; head < shape.heads; ++head) {
      float weight = 1;
      if (!rule.sinks.empty()) {
        const auto query = rows.queries.Row(row).subspan(head * shape.head_size, shape.head_size);
        const auto key =
            rows.keys.Row(row).subspan(head / repeats * shape.head_size, shape.head_size);
        const float score = Dot(query, key) * rule.scale;
        weight = Activate(Activation::kSigmoid, score - rule.sinks[head]);
      }
      const auto value =
          rows.values.Row(row).subspan(head / repeats * shape.value_size, shape.value_size);
      const auto out = mixed.Row(row).subspan(head * shape.value_size, shape.value_size);
      for (size_t i = 0; i < out.size(); ++i) out[i] = weight * value[i];
    }
  }
  if (rule.hash_bits) ScaleToUnitLength(shape.value_size, mixed);
  return mixed;
}

}  // namespace tensorguard::internal
