#include "weights/quantised/foreign_quantisers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tensorguard::internal {
namespace {

struct ForeignName {
  std::string_view ending;
  std::string_view scheme;
};

// Tensors that a scheme has and no other.
constexpr std::array kForeignNames = std::to_array<ForeignName>({
    {".codebooks", "AQLM"},
    {".codes", "AQLM"},
    {".centroids.weight", "VPTQ"},
    {".res_centroids.weight", "VPTQ"},
    {".q_invperm", "EXL2"},
    {".q_scale_max", "EXL2"},
    {".q_groups", "EXL2"},
    {".q_weight", "EXL2"},
    {".trellis", "EXL3 or QTIP"},
    {".suh", "EXL3"},
    {".svh", "EXL3"},
    {".Qidxs", "QuIP#"},
    {".qidxs", "QuIP#"},
    {".dense_weights", "SpQR"},
    {".dense_weights_shape", "SpQR"},
    {".in_perm", "SpQR"},
    {".weight_scales", "EETQ"},
    {"._data", "quanto"},
    {"._scale", "quanto"},
    {"_weight_qdata", "torchao"},
    {".weight.qdata", "torchao"},
    {"_weight_int_data", "torchao"},
    {"_weight_tensor_impl", "torchao"},
    {".hadamard_matrix", "FP-Quant"},
    {".forward_hadamard_matrix", "FP-Quant"},
    {".backward_hadamard_matrix", "FP-Quant"},
    {".bitmask", "sparse bitmask of compressed-tensors"},
    {".row_offsets", "sparse bitmask of compressed-tensors"},
    {".compressed", "sparse bitmask of compressed-tensors"},
    {".scale_packed", "Marlin 2:4 of compressed-tensors"},
    {".B_24", "Marlin 2:4"},
    {".B_meta", "Marlin 2:4"},
    {".workspace", "Marlin"},
    {".B", "Marlin"},
    {".res_u", "salient channels with a low-rank rest"},
    {".res_v", "salient channels with a low-rank rest"},
    {".salient_idx", "salient channels with a low-rank rest"},
    {".salient_weight", "salient channels with a low-rank rest"},
    {".salient_scale", "salient channels with a low-rank rest"},
    {".act.scales", "AWQ with scaled activations"},
});

// Last words of scales that concern what flows through the model, not its weights.
constexpr auto kActivationScales = std::to_array<std::string_view>({"input_scale",
                                                                    "input_scale_inv",
                                                                    "input_scale_ub",
                                                                    "input_zero_point",
                                                                    "input_global_scale",
                                                                    "input_amax",
                                                                    "output_scale",
                                                                    "output_zero_point",
                                                                    "output_amax",
                                                                    "activation_scale",
                                                                    "activation_scale_inv",
                                                                    "activation_zero_point",
                                                                    "pre_quant_scale_amax",
                                                                    "k_scale",
                                                                    "v_scale",
                                                                    "q_scale",
                                                                    "k_zero_point",
                                                                    "v_zero_point",
                                                                    "kv_scale",
                                                                    "prob_output_scale",
                                                                    "kv_cache_scale"});

// Last words of integers that no model computes products with.
constexpr auto kBufferWords = std::to_array<std::string_view>(
    {"position_ids", "token_type_ids", "bias", "masked_bias", "mask", "tid2eid", "index", "ids",
     "idx", "indices", "offsets", "num_batches_tracked"});

std::string_view LastWord(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

bool IsIntegerOrPacked(DType dtype) {
  switch (dtype) {
    case DType::kU8:
    case DType::kI8:
    case DType::kI16:
    case DType::kU16:
    case DType::kI32:
    case DType::kU32:
    case DType::kF4:
    case DType::kF6E2M3:
    case DType::kF6E3M2:
      return true;
    default:
      return false;
  }
}

constexpr const char* kAdvice = "use the model that was quantised, or convert this one to bfloat16";

}  // namespace

std::optional<Error> ForeignCodes(const TensorInfo& tensor, const QuantisationConfig& config,
                                  bool quantised) {
  if (!quantised && !IsIntegerOrPacked(tensor.dtype)) return {};
  const auto found = std::find_if(
      kForeignNames.begin(), kForeignNames.end(),
      [&](const ForeignName& foreign) { return tensor.name.ends_with(foreign.ending); });
  if (found == kForeignNames.end()) return {};
  const std::string stated =
      config.method.empty() ? "" : fmt::format(" (\"{}\" by {})", config.method, config.file);
  return Error{
      .kind = ErrorKind::kUnsupported,
      .problem = fmt::format("weights quantised with {} are not read", found->scheme),
      .file = tensor.file,
      .tensor = tensor.name,
      .found = fmt::format("{} of {}{}", LastWord(tensor.name), InfoOf(tensor.dtype).name, stated),
      .advice = kAdvice};
}

Error UnknownCodes(const TensorInfo& tensor, const QuantisationConfig& config) {
  const bool stated = !config.method.empty();
  return {.kind = ErrorKind::kUnsupported,
          .problem = stated ? fmt::format("weights packed by \"{}\" in this way are not read",
                                          EscapeControl(config.method))
                            : "integers stand where a weight should be, packed in an unknown way",
          .file = tensor.file,
          .tensor = tensor.name,
          .found = fmt::format("{}", InfoOf(tensor.dtype).name),
          .expected = "floating-point numbers, or codes with their scales",
          .advice = kAdvice};
}

bool MayBeCodes(const TensorInfo& tensor) {
  if (!IsIntegerOrPacked(tensor.dtype)) return false;
  const std::string_view last = LastWord(tensor.name);
  const bool buffer = std::any_of(kBufferWords.begin(), kBufferWords.end(), [&](auto word) {
    return last == word || (last.size() > word.size() && last.ends_with(word) &&
                            last[last.size() - word.size() - 1] == '_');
  });
  return !buffer && tensor.shape.size() >= 2;
}

bool IsActivationScale(const TensorInfo& tensor, bool quantised) {
  if (!quantised && tensor.element_count != 1) return false;
  const std::string_view last = LastWord(tensor.name);
  return std::find(kActivationScales.begin(), kActivationScales.end(), last) !=
         kActivationScales.end();
}

}  // namespace tensorguard::internal
