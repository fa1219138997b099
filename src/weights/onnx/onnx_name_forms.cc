#include "weights/onnx/onnx_name_forms.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace tensorguard::internal {
namespace {

using namespace std::string_view_literals;

// The longest first.
constexpr std::array kAppended = {"_merged_0"sv, "_quantized"sv, "_DQ_Q4"sv, "_DQ_Q8"sv,
                                  "_Q2"sv,       "_Q4"sv,        "_Q8"sv};

constexpr std::array kConv1d = {"c_attn"sv, "c_proj"sv, "c_fc"sv, "q_attn"sv};

// Of transformers' models; gains of Gemma 3n and 4 are stored as they are.
constexpr std::array kDifferences = {
    "gemma"sv,        "gemma2"sv,           "gemma3"sv,         "gemma3_text"sv,
    "nemotron"sv,     "qwen3_next"sv,       "qwen3_5"sv,        "qwen3_5_moe"sv,
    "qwen3_5_text"sv, "qwen3_5_moe_text"sv, "recurrent_gemma"sv};

struct Fused {
  std::string_view output;  // the end of the output projection's name
  std::array<std::string_view, 3> parts;
};

constexpr std::array kFused = std::to_array<Fused>({
    {"attention.output.dense",
     {"attention.self.query", "attention.self.key", "attention.self.value"}},
    {"attention.out_lin", {"attention.q_lin", "attention.k_lin", "attention.v_lin"}},
    {"self_attn.out_proj", {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}},
    {"self_attn.o_proj", {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}},
});

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char letter) {
    return std::isdigit(letter) != 0;
  });
}

void Replace(std::string& text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at != text.npos) text.replace(at, from.size(), to);
}

}  // namespace

std::string_view PlainOnnxName(std::string_view name) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const std::string_view suffix : kAppended) {
      if (name.size() <= suffix.size() || !name.ends_with(suffix)) continue;
      name.remove_suffix(suffix.size());
      changed = true;
    }
  }
  return name;
}

bool IsMadeUpName(std::string_view name) {
  return name.starts_with("onnx::") || name.starts_with('/') || name.find('.') == name.npos ||
         name.find("_output_") != name.npos;
}

std::optional<std::string> ModuleOfNode(std::string_view node_name) {
  const size_t end = node_name.rfind('/');
  if (!node_name.starts_with('/') || end == 0 || end == node_name.npos) return {};
  std::string module(node_name.substr(1, end - 1));
  std::replace(module.begin(), module.end(), '/', '.');
  if (module.starts_with('.') || module.ends_with('.') || module.find("..") != module.npos) {
    return {};
  }
  return module;
}

bool IsBuilderName(std::string_view name) {
  return name.find(".MatMul.weight") != name.npos || name.find(".MatMulNBits.") != name.npos ||
         name.ends_with(".Add.bias");
}

std::string HubNameOfBuilder(std::string name) {
  Replace(name, ".MatMul.weight", ".weight");
  Replace(name, ".Add.bias", ".bias");
  Replace(name, "_norm.layernorm.", "_norm.");
  const size_t last_norm = name.find(".final_norm_layernorm.");
  const size_t layers = name.find("layers.");
  if (last_norm != name.npos && layers < last_norm) {
    return name.substr(0, layers) + "norm" + name.substr(name.rfind('.'));
  }
  const size_t attention = name.find(".attn.");
  if (attention != name.npos && layers < attention &&
      IsDigits(std::string_view(name).substr(layers + 7, attention - layers - 7))) {
    name.insert(attention + 1, "self_");
  }
  return name;
}

bool IsConv1dName(std::string_view parameter) {
  const size_t end = parameter.rfind('.');
  if (end == parameter.npos) return false;
  std::string_view module = parameter.substr(0, end);
  module.remove_prefix(module.rfind('.') + 1);  // npos + 1 is 0
  return std::find(kConv1d.begin(), kConv1d.end(), module) != kConv1d.end();
}

std::optional<std::array<std::string, 3>> QueryKeyValueBeside(std::string_view output) {
  for (const Fused& fused : kFused) {
    if (!output.ends_with(fused.output)) continue;
    const std::string before(output.substr(0, output.size() - fused.output.size()));
    if (!before.empty() && !before.ends_with('.')) continue;
    std::array<std::string, 3> parts;
    for (size_t i = 0; i < 3; ++i) parts[i] = before + std::string(fused.parts[i]);
    return parts;
  }
  return {};
}

bool GainsAreDifferences(std::string_view model_type) {
  return std::find(kDifferences.begin(), kDifferences.end(), model_type) != kDifferences.end();
}

bool IsNormGain(std::string_view parameter) {
  if (!parameter.ends_with(".weight")) return false;
  std::string_view module = parameter.substr(0, parameter.size() - 7);
  // The gated norm of a linear attention holds its gains as they are.
  if (module.ends_with("linear_attn.norm")) return false;
  module.remove_prefix(module.rfind('.') + 1);
  return LowerAscii(module).find("norm") != std::string::npos;
}

}  // namespace tensorguard::internal
