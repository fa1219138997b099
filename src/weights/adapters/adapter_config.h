// What adapter_config.json says: PEFT's LoRA and (IA)^3, and MLX's LoRA.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_CONFIG_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_CONFIG_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_store.h"
#include "base/json.h"
#include "tensorguard/result.h"
#include "weights/adapters/module_pattern.h"

namespace tensorguard::internal {

enum class AdapterType {
  kLora,
  kIa3,
  kMlxLora,
  kOfKind,         // one of AdapterKinds()
  kNormTuning,     // LN tuning: gains and biases of norms, stored whole
  kTrainedTokens,  // rows of the embedding
};

struct PatternValue {
  ModulePattern pattern;
  double value = 0;
};

// What low-rank matrices were before training.
enum class LoraStart {
  kBeside,          // of no effect: the base is whole
  kFirstColumns,    // OLoRA: the base along the first columns of its QR decomposition
  kLeadingVectors,  // PiSSA: the base along its leading singular vectors
};

struct LoraConfig {
  uint64_t rank = 0;
  double alpha = 0;
  // The first pattern that matches a module decides, in the order of the file.
  std::vector<PatternValue> rank_pattern;
  std::vector<PatternValue> alpha_pattern;
  bool use_rslora = false;
  bool use_dora = false;
  // The base lost what the first low-rank matrices were made of.
  LoraStart start = LoraStart::kBeside;
  // LoRA of parameters that are no matrices: the stacked experts of a mixture.
  std::vector<std::string> target_parameters = {};
};

struct Ia3Config {
  // A module whose name ends with one of these, or matches the pattern, scales its inputs.
  std::vector<std::string> feedforward_suffixes;
  std::vector<ModulePattern> feedforward_patterns;
};

struct AdapterConfig {
  std::string file;  // path of adapter_config.json
  std::string kind;  // peft_type, as written
  Json options;      // all of the file
  AdapterType type = AdapterType::kLora;
  bool fan_in_fan_out = false;             // square base matrices are stored [inputs, outputs]
  std::vector<std::string> saved_modules;  // stored whole: modules_to_save and the task's head
  LoraConfig lora;
  Ia3Config ia3;
  double mlx_scale = 0;
};

// Errors: kNotFound, kBadFile (a key of the wrong type or value, named), kUnsupported (another type
// of adapter, or an option that a merge cannot honour, named). The error names the file.
Result<AdapterConfig> ReadAdapterConfig(const std::filesystem::path& file,
                                        const FileStore& files = *LocalFiles());

// The same of such a file's text. Errors: as above, without a file.
Result<AdapterConfig> ParseAdapterConfig(std::string_view text);

// Rank of one module's matrices.
uint64_t RankOf(const LoraConfig& config, std::string_view module);

// What the product of one module's matrices is multiplied by: alpha / rank, or alpha / sqrt(rank).
// Errors: kBadFile if it is not a finite float.
Result<float> ScalingOf(const LoraConfig& config, std::string_view module);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_CONFIG_H_
