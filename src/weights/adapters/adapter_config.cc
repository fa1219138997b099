#include "weights/adapters/adapter_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "base/try.h"
#include "weights/adapters/adapter_options.h"
#include "weights/adapters/kinds/adapter_kinds.h"

namespace tensorguard::internal {
namespace {

// PEFT's own defaults, for keys that are absent.
constexpr uint64_t kDefaultRank = 8;
constexpr double kDefaultAlpha = 8;

// Far above any rank in use; keeps ranks exact as a double.
constexpr uint64_t kHighestRank = 1u << 20;

// Far above what is written by hand. Names of modules, of which AdaLoRA writes one a module, are no
// expressions and do not count.
constexpr size_t kMostExpressions = 1000;
// Of all expressions of one list together, shared evenly.
constexpr size_t kMostExpressionBytes = 16 << 20;

// Options that change the model in a way that adding one matrix to each target cannot express.
constexpr std::array kUnsupportedOptions = {
    "alora_invocation_tokens", "arrow_config", "layer_replication",
    "monteclora_config",       "use_bdlora",   "use_qalora"};

// Other values of init_lora_weights (pissa_niter_4, loftq, corda, ...) also change the base's
// weights when the adapter is loaded; so do olora and pissa, which the merge does too.
constexpr std::array kHarmlessInits = {"gaussian", "eva", "orthogonal", "olora", "pissa"};

bool FitsFloat(double number) {
  return std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max());
}

Result<uint64_t> CheckedRank(const char* key, const Json& value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() == 0 ||
      value.get<uint64_t>() > kHighestRank) {
    return WrongOption(key, value, fmt::format("a whole number from 1 to {}", kHighestRank));
  }
  return value.get<uint64_t>();
}

// Collects the keys of one object of the top level in the order of the text. Not by
// nlohmann::ordered_json, which looks through all keys of an object to add one: a hostile file of
// 16 MB would keep it busy for days.
class KeyOrder : public nlohmann::json_sax<Json> {
 public:
  explicit KeyOrder(std::string_view object) : object_(object) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(std::size_t) override { return ++depth_ > 0; }
  bool end_array() override { return depth_-- > 0; }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool end_object() override { return depth_-- > 0; }
  bool key(string_t& name) override {
    if (depth_ == 1) inside_ = name == object_;
    if (depth_ == 2 && inside_) keys.push_back(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

  std::vector<std::string> keys;

 private:
  std::string_view object_;
  int depth_ = 0;
  bool inside_ = false;
};

// The keys of the object `key` in the order of the file, which decides between patterns; Json sorts
// them.
Result<std::vector<std::string>> KeysInOrder(std::string_view text, const char* key) {
  KeyOrder order(key);
  if (!nlohmann::json::sax_parse(text, &order)) {
    return Error{.problem = fmt::format("{} cannot be read in order beside NaN or Infinity", key)};
  }
  return std::move(order.keys);
}

Result<std::vector<PatternValue>> Patterns(std::string_view document, const Json& object,
                                           const char* key, bool are_ranks) {
  const Json* patterns = FindOption(object, key);
  std::vector<PatternValue> values;
  if (patterns == nullptr || patterns->empty()) return values;
  if (!patterns->is_object()) return WrongOption(key, *patterns, "an object of numbers");
  TG_ASSIGN(auto keys, KeysInOrder(document, key));
  // Counted before any is compiled: a short expression may stand for a large program.
  const auto expressions =
      static_cast<size_t>(std::count_if(keys.begin(), keys.end(), [](const std::string& text) {
        return !ModulePattern::IsPlainName(text);
      }));
  if (expressions > kMostExpressions) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = fmt::format("{} holds too many regular expressions", key),
                 .found = fmt::format("{}", expressions),
                 .expected = fmt::format("at most {}", kMostExpressions),
                 .advice = "name the modules themselves"};
  }
  const size_t most_bytes =
      std::min(ModulePattern::kMostBytes, kMostExpressionBytes / std::max<size_t>(1, expressions));
  for (const std::string& text : keys) {
    const auto entry = patterns->find(text);
    if (entry == patterns->end()) return WrongOption(key, text, "a file that nobody writes to");
    TG_ASSIGN(auto pattern, ModulePattern::Compile(text, ModulePattern::Extent::kTail, most_bytes));
    if (are_ranks) {
      TG_TRY(CheckedRank(key, *entry));
    }
    TG_ASSIGN(auto number, CheckedNumber(key, *entry));
    values.push_back({std::move(pattern), number});
  }
  return values;
}

Result<void> RefuseUnsupportedOptions(const Json& json) {
  for (const char* key : kUnsupportedOptions) {
    const Json* value = FindOption(json, key);
    const bool off =
        value == nullptr || *value == Json(false) || (value->is_structured() && value->empty());
    if (!off) return UnsupportedOption(json, key);
  }
  const Json* init = FindOption(json, "init_lora_weights");
  if (init == nullptr || init->is_boolean()) return {};
  if (!init->is_string()) return WrongOption("init_lora_weights", *init, "true, false or a name");
  if (std::find(kHarmlessInits.begin(), kHarmlessInits.end(), init->get<std::string>()) ==
      kHarmlessInits.end()) {
    return UnsupportedOption(json, "init_lora_weights");
  }
  return {};
}

Result<LoraConfig> ReadLora(std::string_view text, const Json& json, const char* alpha_option) {
  LoraConfig lora;
  lora.rank = kDefaultRank;
  lora.alpha = kDefaultAlpha;
  if (const auto rank = json.find("r"); rank != json.end()) {
    TG_ASSIGN(auto checked, CheckedRank("r", *rank));
    lora.rank = checked;
  }
  if (const auto alpha = json.find(alpha_option); alpha != json.end()) {
    TG_ASSIGN(auto checked, CheckedNumber(alpha_option, *alpha));
    lora.alpha = checked;
  }
  TG_ASSIGN(auto ranks, Patterns(text, json, "rank_pattern", /*are_ranks=*/true));
  TG_ASSIGN(auto alphas, Patterns(text, json, "alpha_pattern", /*are_ranks=*/false));
  TG_ASSIGN(auto use_rslora, FlagOr(json, "use_rslora", false));
  TG_ASSIGN(auto use_dora, FlagOr(json, "use_dora", false));
  lora.rank_pattern = std::move(ranks);
  lora.alpha_pattern = std::move(alphas);
  lora.use_rslora = use_rslora;
  lora.use_dora = use_dora;
  TG_ASSIGN(const auto init, TextOr(json, "init_lora_weights", ""));
  if (init == "olora") lora.start = LoraStart::kFirstColumns;
  if (init == "pissa") lora.start = LoraStart::kLeadingVectors;
  TG_ASSIGN(auto parameters, TextsOf(json, "target_parameters"));
  lora.target_parameters = std::move(parameters);
  return lora;
}

Result<LoraConfig> ReadKind(std::string_view text, const Json& json, const AdapterKind& kind) {
  if (kind.has_patterns) return ReadLora(text, json, kind.alpha_option);
  LoraConfig lora;
  lora.alpha = kind.default_alpha;
  if (kind.alpha_option != nullptr) {
    TG_ASSIGN(const auto alpha, NumberOr(json, kind.alpha_option, kind.default_alpha));
    lora.alpha = alpha;
  }
  return lora;
}

Result<Ia3Config> ReadIa3(const Json& json) {
  Ia3Config ia3;
  const Json* modules = FindOption(json, "feedforward_modules");
  if (modules != nullptr && modules->is_string()) {
    TG_ASSIGN(auto pattern,
              ModulePattern::Compile(modules->get<std::string>(), ModulePattern::Extent::kWhole));
    ia3.feedforward_patterns.push_back(std::move(pattern));
    return ia3;
  }
  TG_ASSIGN(auto suffixes, TextsOf(json, "feedforward_modules"));
  ia3.feedforward_suffixes = std::move(suffixes);
  return ia3;
}

// PEFT stores the head that it added for a task whether or not modules_to_save names it.
Result<std::vector<std::string>> SavedModules(const Json& json) {
  auto modules = TextsOf(json, "modules_to_save");
  if (!modules) return std::move(modules).error();
  const Json* task = FindOption(json, "task_type");
  if (task != nullptr && !task->is_string()) return WrongOption("task_type", *task, "a name");
  if (task != nullptr && (*task == "SEQ_CLS" || *task == "TOKEN_CLS")) {
    modules->insert(modules->end(), {"classifier", "score"});
  }
  if (task != nullptr && *task == "QUESTION_ANS") modules->push_back("qa_outputs");
  return modules;
}

Error UnknownType(const std::string& type) {
  std::string known = "LORA, IA3, LN_TUNING, TRAINABLE_TOKENS";
  for (const AdapterKind& kind : AdapterKinds()) known += fmt::format(", {}", kind.type);
  return {.kind = ErrorKind::kUnsupported,
          .problem = fmt::format("adapters of type {} are not supported", type),
          .expected = known,
          .advice = "merge the adapter with the library that made it"};
}

// Empty for types that are not merged.
std::optional<AdapterType> TypeNamed(std::string_view type) {
  if (type == "LORA") return AdapterType::kLora;
  if (type == "IA3") return AdapterType::kIa3;
  if (type == "LN_TUNING") return AdapterType::kNormTuning;
  if (type == "TRAINABLE_TOKENS") return AdapterType::kTrainedTokens;
  if (FindAdapterKind(type) != nullptr) return AdapterType::kOfKind;
  return {};
}

Result<AdapterConfig> ReadPeft(std::string_view text, const Json& json) {
  AdapterConfig config;
  const Json& type_option = json.at("peft_type");
  if (!type_option.is_string()) return WrongOption("peft_type", type_option, "a name, as LORA");
  config.kind = type_option.get<std::string>();
  const auto type = TypeNamed(config.kind);
  if (!type) return UnknownType(config.kind);
  config.type = *type;
  TG_ASSIGN(config.fan_in_fan_out, FlagOr(json, "fan_in_fan_out", false));
  TG_ASSIGN(config.saved_modules, SavedModules(json));
  config.options = json;
  if (config.type == AdapterType::kLora) {
    TG_TRY(RefuseUnsupportedOptions(json));
    TG_ASSIGN(config.lora, ReadLora(text, json, "lora_alpha"));
  } else if (config.type == AdapterType::kIa3) {
    TG_ASSIGN(config.ia3, ReadIa3(json));
  } else if (config.type == AdapterType::kOfKind) {
    TG_ASSIGN(config.lora, ReadKind(text, json, *FindAdapterKind(config.kind)));
  }
  return config;
}

Result<AdapterConfig> ReadMlx(const Json& json) {
  const Json* type = FindOption(json, "fine_tune_type");
  if (type != nullptr && *type != "lora") return UnsupportedOption(json, "fine_tune_type");
  auto use_dora = FlagOr(json, "use_dora", false);
  if (!use_dora) return std::move(use_dora).error();
  if (*use_dora) return UnsupportedOption(json, "use_dora");
  const Json& parameters = json.at("lora_parameters");
  if (!parameters.is_object()) return WrongOption("lora_parameters", parameters, "an object");
  for (const char* key : {"rank", "scale"}) {
    if (!parameters.contains(key)) {
      return WrongOption("lora_parameters", parameters, fmt::format("an object with {}", key));
    }
  }
  TG_ASSIGN(auto rank, CheckedRank("lora_parameters.rank", parameters.at("rank")));
  auto scale = CheckedNumber("lora_parameters.scale", parameters.at("scale"));
  if (!scale) return std::move(scale).error();
  if (!FitsFloat(*scale)) {
    return WrongOption("lora_parameters.scale", parameters.at("scale"), "a finite float32");
  }
  AdapterConfig config;
  config.type = AdapterType::kMlxLora;
  config.lora.rank = rank;
  config.mlx_scale = *scale;
  return config;
}

Result<AdapterConfig> ReadAny(std::string_view text, const Json& json) {
  if (json.is_object() && json.contains("peft_type")) return ReadPeft(text, json);
  if (json.is_object() && json.contains("lora_parameters")) return ReadMlx(json);
  return Error{.problem = "not the config of an adapter",
               .expected = "an object with peft_type (PEFT) or lora_parameters (MLX)"};
}

// The value of the first pattern that matches.
double PatternValueFor(const std::vector<PatternValue>& patterns, std::string_view module,
                       double fallback) {
  for (const PatternValue& entry : patterns) {
    if (entry.pattern.Matches(module)) return entry.value;
  }
  return fallback;
}

}  // namespace

Result<AdapterConfig> ReadAdapterConfig(const std::filesystem::path& file, const FileStore& files) {
  TG_ASSIGN(const auto text, ReadSmallFile(files, file, kSmallJsonLimitBytes));
  if (IsGitLfsPointer(text)) return GitLfsPointerError(file.string());
  auto config = ParseAdapterConfig(text);
  if (!config) return std::move(config).error().InFile(file.string());
  config->file = file.string();
  return config;
}

Result<AdapterConfig> ParseAdapterConfig(std::string_view text) {
  TG_ASSIGN(const auto json, ParseJson(text));
  return ReadAny(text, json);
}

uint64_t RankOf(const LoraConfig& config, std::string_view module) {
  return static_cast<uint64_t>(
      PatternValueFor(config.rank_pattern, module, static_cast<double>(config.rank)));
}

Result<float> ScalingOf(const LoraConfig& config, std::string_view module) {
  const double rank = static_cast<double>(RankOf(config, module));
  const double alpha = PatternValueFor(config.alpha_pattern, module, config.alpha);
  const double scaling = alpha / (config.use_rslora ? std::sqrt(rank) : rank);
  if (!FitsFloat(scaling)) {
    return Error{.problem = "lora_alpha gives a scaling that is no finite float32",
                 .found = fmt::format("lora_alpha {} at rank {}", alpha, rank)};
  }
  return static_cast<float>(scaling);
}

}  // namespace tensorguard::internal
