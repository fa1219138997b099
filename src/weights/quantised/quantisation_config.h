// What a model's files say about how its weights were quantised.
#ifndef TENSORGUARD_WEIGHTS_QUANTISED_QUANTISATION_CONFIG_H_
#define TENSORGUARD_WEIGHTS_QUANTISED_QUANTISATION_CONFIG_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_store.h"
#include "base/json.h"
#include "safetensors/dtype.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// `settings` is text from outside: its fields may be missing or of any type.
struct QuantisationConfig {
  std::string method = {};  // lower case: "gptq", "mlx"; empty where nothing is said
  Json settings = {};       // the object that says it; null where nothing is said
  std::string file = {};    // that it lies in
  // The 16-bit type that the model computes in, if the config states one.
  std::optional<DType> model_dtype = {};

  // A field of `settings`; empty if it is missing or not of that type.
  std::optional<uint64_t> Number(std::string_view key) const;
  std::optional<bool> Flag(std::string_view key) const;
  std::string Text(std::string_view key) const;  // lower case

  // Whether every group of compressed-tensors' `config_groups` has zero points.
  bool AllGroupsAsymmetric() const;
};

// Empty unless it is a whole number from 0 on.
std::optional<uint64_t> WholeNumber(const Json& value);

// Fields of any object, as those of QuantisationConfig.
std::optional<uint64_t> NumberIn(const Json& object, std::string_view key);
std::string TextIn(const Json& object, std::string_view key);

// From config.json: `quantization_config`, `quantization` (MLX) or `compression_config`, of the
// whole or of its text model; else from quantize_config.json (AutoGPTQ), quant_config.json
// (AutoAWQ) or hf_quant_config.json (NVIDIA ModelOpt) in `folder`. Errors: those of ReadJsonFile;
// kBadFile where the statement is not an object or two of them contradict each other.
Result<QuantisationConfig> ReadQuantisationConfig(const Json& config,
                                                  const std::filesystem::path& folder,
                                                  const FileStore& files = *LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_QUANTISED_QUANTISATION_CONFIG_H_
