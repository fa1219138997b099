#include "paper/tensor_selection.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kEnoughTensors = 10;
constexpr uint64_t kLastLayerRead = 15;

enum Group { kEmbedding, kAttention, kFeedForward, kOthers, kGroupCount };

Group GroupOf(std::string_view tensor_name) {
  const std::string name = LowerAscii(tensor_name);
  const auto holds = [&](std::string_view part) { return name.find(part) != name.npos; };
  if (holds("embed")) return kEmbedding;
  if (holds("attention") || holds("attn")) return kAttention;
  if (holds("ffn") || holds("mlp")) return kFeedForward;
  return kOthers;
}

// trunc(linspace(0, count - 1, min(3, count))).
std::vector<size_t> EvenlySpaced(size_t count) {
  if (count == 0) return {};
  if (count == 1) return {0};
  if (count == 2) return {0, 1};
  return {0, (count - 1) / 2, count - 1};
}

}  // namespace

bool IsBeyondLayersRead(std::string_view tensor_name) {
  constexpr std::string_view kMarker = "layers.";
  for (size_t at = tensor_name.find(kMarker); at != tensor_name.npos;
       at = tensor_name.find(kMarker, at + 1)) {
    size_t position = at + kMarker.size();
    const size_t first_digit = position;
    uint64_t layer = 0;
    while (position < tensor_name.size() && tensor_name[position] >= '0' &&
           tensor_name[position] <= '9') {
      layer = std::min<uint64_t>(layer * 10 + (tensor_name[position] - '0'), 1'000'000);
      ++position;
    }
    const bool has_index =
        position > first_digit && position < tensor_name.size() && tensor_name[position] == '.';
    if (has_index) return layer > kLastLayerRead;
  }
  return false;
}

bool IsMatrix(const TensorInfo& tensor) {
  return tensor.shape.size() == 2 && tensor.element_count > 0;
}

std::vector<size_t> TensorsRead(std::span<const TensorInfo> tensors) {
  std::vector<size_t> read;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!IsBeyondLayersRead(tensors[i].name)) read.push_back(i);
  }
  return read;
}

std::vector<size_t> MatricesAmong(std::span<const TensorInfo> tensors,
                                  std::span<const size_t> read) {
  std::vector<size_t> matrices;
  for (const size_t i : read) {
    if (IsMatrix(tensors[i])) matrices.push_back(i);
  }
  return matrices;
}

std::vector<size_t> SelectTensors(std::span<const TensorInfo> tensors, std::span<const size_t> read,
                                  NumpyRandom& random) {
  std::vector<size_t> matrices = MatricesAmong(tensors, read);
  if (matrices.size() <= kEnoughTensors) return matrices;

  std::array<std::vector<size_t>, kGroupCount> groups;
  for (const size_t i : matrices) groups[GroupOf(tensors[i].name)].push_back(i);
  std::vector<size_t> selected;
  for (const auto& group : groups) {
    for (const size_t position : EvenlySpaced(group.size())) selected.push_back(group[position]);
  }
  if (selected.size() >= kEnoughTensors) return selected;
  std::vector<size_t> rest;
  for (const size_t i : matrices) {
    if (std::find(selected.begin(), selected.end(), i) == selected.end()) rest.push_back(i);
  }
  const size_t missing = std::min(kEnoughTensors - selected.size(), rest.size());
  for (const size_t position : random.ChoiceWithoutReplacement(rest.size(), missing)) {
    selected.push_back(rest[position]);
  }
  return selected;
}

}  // namespace tensorguard::internal
