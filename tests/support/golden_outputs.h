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
#include "tensorguard/error.h"
#include "tensorguard/result.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {

struct Golden {
  std::vector<uint32_t> input_ids;
  std::vector<uint32_t> decoder_ids;
  std::vector<std::vector<float>> hidden;
  std::vector<float> logits;
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
    if (name == "logits") golden.logits = values;
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

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_GOLDEN_OUTPUTS_H_
