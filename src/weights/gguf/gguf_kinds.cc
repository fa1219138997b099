#include "weights/gguf/gguf_kinds.h"

#include <array>
#include <string>
#include <string_view>

namespace tensorguard::internal {
namespace {

// By general.type or general.architecture, whichever says it.
struct OtherKind {
  std::string_view type;
  std::string_view architecture;
  std::string_view what;
  std::string_view advice;
};

constexpr std::array kOtherKinds = std::to_array<OtherKind>({
    {"adapter",
     {},
     "a LoRA in GGUF, which says nothing without its base",
     "merge it into its base (llama-export-lora) and give the merged file, or give the adapter's "
     "PEFT folder with --base"},
    {"imatrix",
     {},
     "an importance matrix for quantisation (imatrix), not weights",
     "give the model's own GGUF file"},
    {"controlvector", "controlvector", "a control vector, not a model",
     "give the GGUF file of the model that it steers"},
    {"mmproj", "clip", "a projector of images or sound (mmproj), not its language model",
     "give the language model's GGUF file, or the model's safetensors files for the towers"},
});

}  // namespace

Result<void> CheckHoldsModel(const GgufMetadata& metadata) {
  const auto type = metadata.Text("general.type").value_or("");
  const auto architecture = metadata.Text("general.architecture").value_or("");
  for (const OtherKind& kind : kOtherKinds) {
    if (type != kind.type && (kind.architecture.empty() || architecture != kind.architecture)) {
      continue;
    }
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the file holds no model",
                 .found = std::string(kind.what),
                 .expected = "a model's weights",
                 .advice = std::string(kind.advice)};
  }
  return {};
}

}  // namespace tensorguard::internal
