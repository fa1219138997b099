#include "weights/onnx/onnx_claims.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace tensorguard::internal {

bool IsOnnxFloat(DType dtype) {
  constexpr std::array kFloats = {DType::kF16,        DType::kBF16,      DType::kF32,
                                  DType::kF64,        DType::kF8E4M3,    DType::kF8E5M2,
                                  DType::kF8E4M3Fnuz, DType::kF8E5M2Fnuz};
  return std::find(kFloats.begin(), kFloats.end(), dtype) != kFloats.end();
}

OnnxClaims::OnnxClaims(const OnnxModel& model) : model_(&model), taken_(model.tensors.size()) {}

OnnxWeight OnnxClaims::Stored(size_t tensor, std::string name) const {
  const OnnxTensor& stored = Tensor(tensor);
  return {.name = std::move(name),
          .shape = stored.shape,
          .element_count = stored.element_count,
          .numbers = {.tensor = tensor, .row_stride = stored.element_count},
          .columns = std::max<uint64_t>(1, stored.element_count),
          .quantised = {}};
}

OnnxWeight OnnxClaims::Transposed(size_t tensor, std::string name, uint64_t first,
                                  uint64_t rows) const {
  const OnnxTensor& stored = Tensor(tensor);
  return {.name = std::move(name),
          .shape = {rows, stored.shape[0]},
          .element_count = rows * stored.shape[0],
          .numbers = {.tensor = tensor,
                      .first_element = first,
                      .row_stride = 1,
                      .column_stride = stored.shape[1]},
          .columns = stored.shape[0],
          .quantised = {}};
}

void OnnxClaims::Add(OnnxWeight weight, bool named_by_file) {
  const size_t tensor = weight.numbers.tensor;
  taken_[tensor] = true;
  claims_.push_back({std::move(weight), Tensor(tensor).graph, named_by_file});
}

void OnnxClaims::AddAlias(size_t tensor, std::string name) {
  claims_.push_back({Stored(tensor, std::move(name)), Tensor(tensor).graph, true});
}

bool OnnxClaims::Has(std::string_view name) {
  if (claimed_.empty()) {
    for (const Claim& claim : claims_) claimed_.insert(claim.weight.name);
  }
  return claimed_.contains(name);
}

void OnnxClaims::DropTiedHead() {
  std::erase_if(claims_, [](const Claim& claim) {
    return !claim.named_by_file && claim.weight.name.ends_with("lm_head.weight");
  });
}

std::vector<OnnxWeight> OnnxClaims::Settle() const {
  std::map<std::string, std::vector<size_t>, std::less<>> by_name;
  for (size_t i = 0; i < claims_.size(); ++i) by_name[claims_[i].weight.name].push_back(i);
  std::map<std::string, OnnxWeight, std::less<>> settled;
  std::vector<size_t> renamed;
  for (const auto& [name, same] : by_name) {
    const size_t first = *std::min_element(same.begin(), same.end(), [&](size_t a, size_t b) {
      return std::pair(claims_[a].graph, !claims_[a].named_by_file) <
             std::pair(claims_[b].graph, !claims_[b].named_by_file);
    });
    const bool clash = std::any_of(same.begin(), same.end(), [&](size_t i) {
      return claims_[i].graph == claims_[first].graph && !claims_[i].named_by_file &&
             claims_[i].weight.numbers.tensor != claims_[first].weight.numbers.tensor;
    });
    if (!clash) {
      settled.emplace(name, claims_[first].weight);
      continue;
    }
    for (const size_t i : same) renamed.push_back(i);
  }
  for (const size_t i : renamed) {
    OnnxWeight weight = claims_[i].weight;
    weight.name = Tensor(weight.numbers.tensor).name;
    settled.emplace(weight.name, std::move(weight));
  }
  std::vector<OnnxWeight> weights;
  for (auto& [name, weight] : settled) {
    if (weight.element_count != 0) weights.push_back(std::move(weight));
  }
  return weights;
}

}  // namespace tensorguard::internal
