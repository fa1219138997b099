// What a model's own library computed, and how far from it something lies.
#ifndef TENSORGUARD_TESTS_SUPPORT_GOLDEN_OUTPUTS_H_
#define TENSORGUARD_TESTS_SUPPORT_GOLDEN_OUTPUTS_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "architecture/config_view.h"
#include "network/forward.h"
#include "network/network.h"
#include "network/network_parts.h"
#include "tensorguard/error.h"
#include "tensorguard/result.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {

struct Golden {
  std::vector<uint32_t> input_ids;
  std::vector<uint32_t> decoder_ids;
  std::vector<std::vector<float>> hidden;
  std::vector<float> logits;
  size_t positions = 0;  // that there are logits of
};

// Errors: those of reading the file.
inline Result<Golden> ReadGolden(const std::filesystem::path& file) {
  Golden golden;
  std::map<std::string, std::vector<float>> hidden;
  const auto source = OpenStoredWeights(file);
  if (!source) return source.error();
  for (size_t i = 0; i < (*source)->tensors().size(); ++i) {
    const std::string& name = (*source)->tensors()[i].name;
    std::vector<float> values((*source)->tensors()[i].element_count);
    if (auto read = (*source)->ReadFloat32(i, 0, values); !read) return read.error();
    if (name == "input_ids") golden.input_ids.assign(values.begin(), values.end());
    if (name == "decoder_input_ids") golden.decoder_ids.assign(values.begin(), values.end());
    if (name == "logits") {
      const auto& shape = (*source)->tensors()[i].shape;
      golden.logits = values;
      golden.positions = shape.size() < 2 ? 0 : shape[shape.size() - 2];
    }
    if (name.starts_with("hidden.")) hidden[name] = std::move(values);
  }
  for (size_t i = 0; hidden.contains("hidden." + std::to_string(i)); ++i) {
    golden.hidden.push_back(std::move(hidden["hidden." + std::to_string(i)]));
  }
  return golden;
}

// What an encoder-decoder's library feeds its decoder where it is told nothing: its inputs, moved
// by one behind the token that begins, which mBART takes from their end.
inline std::vector<uint32_t> ShiftedInputs(const Json& config, const std::vector<uint32_t>& ids) {
  static constexpr std::array<std::string_view, 1> kStart = {"decoder_start_token_id"};
  static constexpr std::array<std::string_view, 1> kPadding = {"pad_token_id"};
  const ConfigView view(config);
  const auto type = view.ModelType();
  std::vector<uint32_t> shifted = {static_cast<uint32_t>(view.Number(kStart).value_or(0))};
  if (type == "mbart" || type == "plbart") {
    const auto padding = view.Number(kPadding).value_or(0);
    const auto last =
        std::find_if(ids.rbegin(), ids.rend(), [&](auto id) { return id != padding; });
    if (last != ids.rend()) shifted.front() = *last;
  }
  shifted.insert(shifted.end(), ids.begin(), ids.empty() ? ids.end() : ids.end() - 1);
  return shifted;
}

// The largest difference, relative to the largest expected magnitude; infinite where the sizes
// differ or a number found is not finite.
inline double Difference(std::span<const float> found, const std::vector<float>& expected) {
  if (found.size() != expected.size()) return HUGE_VAL;
  double largest = 0;
  double difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max<double>(largest, std::abs(expected[i]));
    difference = std::max<double>(difference, std::abs(found[i] - expected[i]));
    if (!std::isfinite(found[i])) return HUGE_VAL;
  }
  return difference / largest;
}

struct GoldenDifferences {
  double logits = 0;
  std::vector<double> states = {};  // of the hidden states, as many as both report
};

inline Result<GoldenDifferences> CompareOnce(const Network& network, const Golden& golden,
                                             std::span<const uint32_t> decoder_ids,
                                             const ForwardOptions& options) {
  const auto result = RunForward(network, golden.input_ids, decoder_ids, options);
  if (!result) return result.error();
  GoldenDifferences differences{.logits = Difference(result->logits.values(), golden.logits)};
  for (size_t i = 0; i < std::min(result->hidden.size(), golden.hidden.size()); ++i) {
    differences.states.push_back(Difference(result->hidden[i].values(), golden.hidden[i]));
  }
  return differences;
}

// Some of the material comes from models that were converted to bfloat16 and back, which rounded
// what the library keeps beside the weights, too: the smaller of both differences. Errors: those of
// RunForward; kBadFile for a token that the embedding does not have.
inline Result<GoldenDifferences> CompareWithGolden(const Network& network, const Json& config,
                                                   const Golden& golden) {
  std::vector<uint32_t> decoder_ids = golden.decoder_ids;
  const bool has_encoder = network.parts().stacks.size() > 1;
  if (has_encoder && decoder_ids.size() != golden.positions) {
    decoder_ids = ShiftedInputs(config, golden.input_ids);
  }
  if (!has_encoder) decoder_ids.clear();
  for (const auto* ids : {&golden.input_ids, &std::as_const(decoder_ids)}) {
    for (const uint32_t id : *ids) {
      if (id < network.description().vocabulary_size) continue;
      return Error{.kind = ErrorKind::kBadFile,
                   .problem = "a token of the sequence has no row in the embedding"};
    }
  }
  auto exact = CompareOnce(network, golden, decoder_ids, {});
  if (!exact) return exact;
  auto rounded = CompareOnce(network, golden, decoder_ids, {.rounded_buffers = true});
  if (!rounded) return rounded;
  return rounded->logits < exact->logits ? rounded : exact;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_GOLDEN_OUTPUTS_H_
