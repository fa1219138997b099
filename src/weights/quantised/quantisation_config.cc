#include "weights/quantised/quantisation_config.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

struct SideFile {
  const char* name;
  const char* method;  // that its writer has, if the file names none
  const char* inside;  // the field that holds the settings; empty: the whole file
};

// AutoGPTQ and GPTQModel; AutoAWQ; NVIDIA's Model Optimizer.
constexpr std::array kSideFiles = {SideFile{"quantize_config.json", "gptq", ""},
                                   SideFile{"quant_config.json", "awq", ""},
                                   SideFile{"hf_quant_config.json", "modelopt", "quantization"}};

std::optional<DType> ModelDType(const Json& config) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    const std::string name = TextIn(config, key);
    if (name.ends_with("bfloat16")) return DType::kBF16;
    if (name.ends_with("float16") || name.ends_with("half")) return DType::kF16;
  }
  return {};
}

Error NotAnObject(const Json& found, std::string_view key) {
  return {.problem = "what the model says of its quantisation is not a JSON object",
          .file = "config.json",
          .found = found.type_name(),
          .expected = std::string(key) + " as an object"};
}

// MLX names no method.
std::string MethodOf(const Json& settings, std::string_view key) {
  std::string method = TextIn(settings, "quant_method");
  if (!method.empty()) return method;
  if (key == "compression_config") return "compressed-tensors";
  if (settings.contains("bits") && settings.contains("group_size")) return "mlx";
  if (settings.contains("config_groups")) return "compressed-tensors";
  if (settings.contains("load_in_4bit") || settings.contains("load_in_8bit")) return "bitsandbytes";
  if (settings.contains("quant_algo")) return "modelopt";
  return {};
}

// Empty if `config` says nothing.
Result<std::optional<QuantisationConfig>> StatedIn(const Json& config) {
  for (const char* key : {"quantization_config", "quantization", "compression_config"}) {
    if (!config.is_object() || !config.contains(key) || config[key].is_null()) continue;
    const Json& settings = config[key];
    if (!settings.is_object()) return NotAnObject(settings, key);
    if (settings.empty()) continue;
    return std::optional(QuantisationConfig{MethodOf(settings, key), settings, "config.json", {}});
  }
  return std::optional<QuantisationConfig>();
}

// MLX writes the same twice.
Result<void> CheckCopies(const Json& config) {
  if (!config.is_object() || !config.contains("quantization") ||
      !config.contains("quantization_config")) {
    return {};
  }
  const Json& one = config["quantization"];
  const Json& other = config["quantization_config"];
  if (!one.is_object() || !other.is_object() || one == other) return {};
  if (other.contains("quant_method")) return {};  // that of the model before MLX converted it
  return Error{.problem = "config.json describes two quantisations",
               .file = "config.json",
               .found = "quantization and quantization_config, which differ",
               .expected = "one of them, or the same twice"};
}

Result<std::optional<QuantisationConfig>> SideFileIn(const fs::path& folder,
                                                     const FileStore& files) {
  for (const SideFile& side : kSideFiles) {
    const fs::path path = folder / side.name;
    TG_ASSIGN(const auto exists, files.Exists(path));
    if (!exists) continue;
    TG_ASSIGN(auto json, ReadJsonFile(files, path));
    const bool nested = *side.inside != '\0';
    if (!json.is_object() || (nested && !json.contains(side.inside))) continue;
    Json settings = nested ? json[side.inside] : std::move(json);
    if (!settings.is_object()) continue;
    std::string method = TextIn(settings, "quant_method");
    if (method.empty()) method = side.method;
    return std::optional(QuantisationConfig{method, std::move(settings), path.string(), {}});
  }
  return std::optional<QuantisationConfig>();
}

}  // namespace

std::optional<uint64_t> WholeNumber(const Json& value) {
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  if (!value.is_number_integer() || value.get<int64_t>() < 0) return {};
  return static_cast<uint64_t>(value.get<int64_t>());
}

std::optional<uint64_t> NumberIn(const Json& object, std::string_view key) {
  const std::string name(key);
  if (!object.is_object() || !object.contains(name)) return {};
  return WholeNumber(object[name]);
}

std::string TextIn(const Json& object, std::string_view key) {
  const std::string name(key);
  if (!object.is_object() || !object.contains(name) || !object[name].is_string()) return {};
  return LowerAscii(object[name].get<std::string>());
}

std::optional<uint64_t> QuantisationConfig::Number(std::string_view key) const {
  return NumberIn(settings, key);
}

std::optional<bool> QuantisationConfig::Flag(std::string_view key) const {
  const std::string name(key);
  if (!settings.is_object() || !settings.contains(name)) return {};
  const Json& value = settings[name];
  if (!value.is_boolean()) return {};
  return value.get<bool>();
}

std::string QuantisationConfig::Text(std::string_view key) const { return TextIn(settings, key); }

bool QuantisationConfig::AllGroupsAsymmetric() const {
  if (!settings.is_object() || !settings.contains("config_groups")) return false;
  const Json& groups = settings["config_groups"];
  return groups.is_object() && !groups.empty() &&
         std::all_of(groups.begin(), groups.end(), [](const Json& group) {
           if (!group.is_object() || !group.contains("weights")) return false;
           const Json& weights = group["weights"];
           return weights.is_object() && weights.contains("symmetric") &&
                  weights["symmetric"] == false;
         });
}

Result<QuantisationConfig> ReadQuantisationConfig(const Json& config, const fs::path& folder,
                                                  const FileStore& files) {
  TG_TRY(CheckCopies(config));
  QuantisationConfig found;
  auto stated = StatedIn(config);
  if (stated && !*stated && config.is_object() && config.contains("text_config")) {
    stated = StatedIn(config["text_config"]);
  }
  if (!stated) return std::move(stated).error();
  if (*stated) {
    found = **std::move(stated);
  } else {
    TG_ASSIGN(auto side, SideFileIn(folder, files));
    if (side) found = *std::move(side);
  }
  found.model_dtype = ModelDType(config);
  if (!found.model_dtype && config.is_object() && config.contains("text_config")) {
    found.model_dtype = ModelDType(config["text_config"]);
  }
  return found;
}

}  // namespace tensorguard::internal
