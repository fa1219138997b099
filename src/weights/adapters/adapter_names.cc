#include "weights/adapters/adapter_names.h"

#include <array>

namespace tensorguard::internal {
namespace {

struct Suffix {
  std::string_view text;
  AdapterPart part;
};

constexpr std::array kSuffixes = {
    Suffix{".lora_A.weight", AdapterPart::kLoraA},
    Suffix{".lora_B.weight", AdapterPart::kLoraB},
    Suffix{".lora_B.bias", AdapterPart::kLoraBBias},
    Suffix{".lora_magnitude_vector", AdapterPart::kLoraMagnitude},
    Suffix{".lora_magnitude_vector.weight", AdapterPart::kLoraMagnitude},
    Suffix{".lora_embedding_A", AdapterPart::kLoraEmbeddingA},
    Suffix{".lora_embedding_B", AdapterPart::kLoraEmbeddingB},
    Suffix{".ia3_l", AdapterPart::kIa3},
    Suffix{".lora_a", AdapterPart::kMlxA},
    Suffix{".lora_b", AdapterPart::kMlxB},
};

// Beginnings of the parts that PEFT's wrappers add to a module, here those of no known suffix.
constexpr std::array kForeignParts = {".lora_", ".ia3_", ".trainable_tokens_", ".original_module."};

// Removes the last occurrence of `part` if it is the second to last component of the name, as in
// "score.modules_to_save.weight", or, for a bare parameter, the last one.
void RemoveNearEnd(std::string& name, std::string_view part) {
  const std::string component = "." + std::string(part);
  if (name.ends_with(component)) {
    name.erase(name.size() - component.size());
    return;
  }
  const size_t last_dot = name.rfind('.');
  if (last_dot == name.npos || last_dot < component.size()) return;
  const size_t begin = last_dot - component.size();
  if (name.compare(begin, component.size(), component) == 0) name.erase(begin, component.size());
}

// "score.modules_to_save.default.dense.weight": the wrapper stands above the module's own tensors.
void RemoveSavedWrapper(std::string& name) {
  constexpr std::string_view kWrapper = ".modules_to_save.";
  constexpr std::string_view kAdapter = "default.";
  const size_t at = name.find(kWrapper);
  if (at == name.npos) return;
  name.erase(at + 1, kWrapper.size() - 1);
  if (name.compare(at + 1, kAdapter.size(), kAdapter) == 0) name.erase(at + 1, kAdapter.size());
}

// Words that training libraries put around modules, in the middle of names.
constexpr std::array<std::string_view, 3> kModuleWrappers = {
    "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_orig_mod."};

std::string WithoutModuleWrappers(std::string name) {
  for (const std::string_view wrapper : kModuleWrappers) {
    for (size_t at = name.find(wrapper); at != name.npos; at = name.find(wrapper, at)) {
      if (at > 0 && name[at - 1] != '.') {
        ++at;
      } else {
        name.erase(at, wrapper.size());
      }
    }
  }
  return name;
}

}  // namespace

std::string_view WithoutModelWrapper(std::string_view name) {
  constexpr std::string_view kWrapper = "base_model.model.";
  if (name.starts_with(kWrapper)) name.remove_prefix(kWrapper.size());
  return name;
}

Result<AdapterName> ParseAdapterName(std::string_view name) {
  const std::string unwrapped = WithoutModuleWrappers(std::string(name));
  std::string peeled(WithoutModelWrapper(unwrapped));
  std::string without_adapter = peeled;
  RemoveNearEnd(without_adapter, "default");
  for (const Suffix& suffix : kSuffixes) {
    if (!without_adapter.ends_with(suffix.text)) continue;
    without_adapter.erase(without_adapter.size() - suffix.text.size());
    return AdapterName{suffix.part, std::move(without_adapter)};
  }
  // Only the last two components: a module's own name may well begin with "lora_".
  const size_t last_dot = peeled.rfind('.');
  const size_t tail =
      last_dot == peeled.npos || last_dot == 0 ? 0 : peeled.rfind('.', last_dot - 1);
  for (const std::string_view foreign : kForeignParts) {
    if (peeled.find(foreign, tail == peeled.npos ? 0 : tail) == peeled.npos) continue;
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "adapter tensor of a kind that is not supported",
                 .tensor = std::string(name)};
  }
  RemoveSavedWrapper(peeled);
  RemoveNearEnd(peeled, "ln_tuning_layers");
  RemoveNearEnd(peeled, "base_layer");
  return AdapterName{AdapterPart::kReplacement, std::move(peeled)};
}

}  // namespace tensorguard::internal
