// Whole models that lie side by side in the files of one: a policy and its reference, a moving
// average beside the weights.
#ifndef TENSORGUARD_MODEL_MODEL_PARTS_H_
#define TENSORGUARD_MODEL_MODEL_PARTS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "architecture/architecture.h"
#include "base/json.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// What is called so lies outside of the other parts: the weights beside "ema".
inline constexpr std::string_view kPartOutside = ".";

// The beginnings of names, as stored, under which whole models lie; empty where there is one model,
// or the parts are meant to be one: encoder and decoder, towers, parts that `config` has settings
// for. Two are whole models of one kind if the names below them are the same, layers and what lies
// outside of layers, whatever the number and width of the layers. Time and memory: linear in the
// names.
std::vector<std::string> FindModelParts(const Json& config, const Architecture& architecture,
                                        std::span<const TensorInfo> tensors);

// The tensors below `part`; where it is one of `parts`, all but those of the others. Names stay.
// Empty if there are none.
std::optional<std::shared_ptr<const WeightSource>> TakePart(
    std::shared_ptr<const WeightSource> weights, const std::vector<std::string>& parts,
    std::string_view part);

// kUsage: that one of the parts has to be chosen, and how. REQUIRES: parts.
Error SeveralModels(const std::vector<std::string>& parts);

// kUsage: that `part` is none, and what there is: `parts`, or first words of the tensors' names.
Error NoSuchPart(std::string_view part, const std::vector<std::string>& parts,
                 std::span<const TensorInfo> tensors);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_MODEL_PARTS_H_
