#include "weights/adapters/kinds/adapter_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/try.h"
#include "weights/adapters/adapter_names.h"
#include "weights/adapters/kinds/low_rank_kinds.h"
#include "weights/adapters/kinds/orthogonal_kinds.h"
#include "weights/adapters/kinds/spectral_kinds.h"
#include "weights/adapters/kinds/structured_kinds.h"

namespace tensorguard::internal {
namespace {

using Names = std::string_view;

constexpr std::array<Names, 3> kAdaLora = {"lora_A", "lora_B", "lora_E"};
constexpr std::array<Names, 2> kBoft = {"boft_R", "boft_s"};
constexpr std::array<Names, 1> kC3a = {"c3a_kernel"};
constexpr std::array<Names, 4> kDeLora = {"delora_A", "delora_B", "delora_lambda", "delora_w_norm"};
constexpr std::array<Names, 1> kFourier = {"fourierft_spectrum"};
constexpr std::array<Names, 4> kGraLora = {"gralora_A", "gralora_B", "gralora_A_general.weight",
                                           "gralora_B_general.weight"};
constexpr std::array<Names, 1> kHra = {"hra_u"};
constexpr std::array<Names, 4> kLoha = {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"};
constexpr std::array<Names, 6> kLokr = {"lokr_w1", "lokr_w1_a", "lokr_w1_b",
                                        "lokr_w2", "lokr_w2_a", "lokr_w2_b"};
constexpr std::array<Names, 1> kMiss = {"miss_block"};
constexpr std::array<Names, 1> kOft = {"oft_R.weight"};
// The shared matrices of RandLoRA are saved beside each module once more.
constexpr std::array<Names, 4> kRandLora = {"randlora_lambda", "randlora_gamma", "randlora_A",
                                            "randlora_B"};
constexpr std::array<Names, 2> kRandLoraShared = {"randlora_A", "randlora_B"};
constexpr std::array<Names, 2> kShira = {"shira_weight", "shira_indices"};
constexpr std::array<Names, 2> kVbLora = {"vblora_logits_A", "vblora_logits_B"};
constexpr std::array<Names, 1> kVbLoraShared = {"vblora_vector_bank"};
constexpr std::array<Names, 2> kVera = {"vera_lambda_b", "vera_lambda_d"};
constexpr std::array<Names, 2> kVeraShared = {"vera_A", "vera_B"};
constexpr std::array<Names, 1> kWavelet = {"waveft_spectrum"};

constexpr AdapterKind kKinds[] = {
    {.type = "ADALORA", .parts = kAdaLora, .change = AdaLoraChange, .alpha_option = "lora_alpha"},
    {.type = "BOFT", .parts = kBoft, .change = BoftChange},
    {.type = "C3A", .parts = kC3a, .change = C3aChange},
    {.type = "DELORA", .parts = kDeLora, .change = DeLoraChange},
    {.type = "FOURIERFT", .parts = kFourier, .change = FourierChange},
    {.type = "GRALORA",
     .parts = kGraLora,
     .change = GraLoraChange,
     .alpha_option = "alpha",
     .default_alpha = 64},
    {.type = "HRA", .parts = kHra, .change = HraChange},
    {.type = "LOHA",
     .parts = kLoha,
     .change = LohaChange,
     .alpha_option = "alpha",
     .has_patterns = true},
    {.type = "LOKR",
     .parts = kLokr,
     .change = LokrChange,
     .alpha_option = "alpha",
     .has_patterns = true},
    {.type = "MISS", .parts = kMiss, .change = MissChange},
    {.type = "OFT", .parts = kOft, .change = OftChange},
    {.type = "RANDLORA",
     .parts = kRandLora,
     .shared_parts = kRandLoraShared,
     .change = RandLoraChange},
    {.type = "SHIRA", .parts = kShira, .change = ShiraChange},
    {.type = "VBLORA", .parts = kVbLora, .shared_parts = kVbLoraShared, .change = VbLoraChange},
    {.type = "VERA",
     .parts = kVera,
     .shared_parts = kVeraShared,
     .change = VeraChange,
     .draw = DrawVeraMatrices},
    {.type = "WAVEFT", .parts = kWavelet, .change = WaveletChange},
};

// Of shared parts, too, which stand beside the model.
std::string_view WithoutWrapper(std::string_view name) {
  constexpr std::string_view kOuter = "base_model.";
  const std::string_view inner = WithoutModelWrapper(name);
  const bool beside = inner.size() == name.size() && name.starts_with(kOuter);
  return beside ? name.substr(kOuter.size()) : inner;
}

Result<void> CompleteShared(const AdapterKind& kind, const AdapterConfig& config,
                            const std::vector<AdapterModule>& modules, SharedParts& shared) {
  for (const std::string_view part : kind.shared_parts) {
    if (shared.Has(part)) continue;
    if (kind.draw != nullptr) {
      kind.draw(config, modules, shared);
      return {};
    }
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = fmt::format("the adapter's shared {} is not in the file", part),
                 .expected = "an adapter that was saved with its shared matrices (save_projection)",
                 .advice = "merge the adapter with the library that made it"};
  }
  return {};
}

}  // namespace

std::span<const AdapterKind> AdapterKinds() { return kKinds; }

const AdapterKind* FindAdapterKind(std::string_view type) {
  const auto found = std::ranges::find(kKinds, type, &AdapterKind::type);
  return found == std::end(kKinds) ? nullptr : found;
}

bool AddKindTensor(const AdapterKind& kind, std::string_view name, size_t index,
                   KindTensors& tensors) {
  const std::string_view inner = WithoutWrapper(name);
  for (const std::string_view part : kind.shared_parts) {
    if (inner == part) return tensors.shared.emplace(part, index).second;
  }
  for (const std::string_view part : kind.parts) {
    const size_t length = part.size() + 1;
    if (inner.size() <= length || !inner.ends_with(part)) continue;
    if (inner[inner.size() - length] != '.') continue;
    const std::string module(inner.substr(0, inner.size() - length));
    return tensors.modules[module].emplace(part, index).second;
  }
  return false;
}

Result<void> PlanKind(const AdapterKind& kind, const AdapterConfig& config,
                      const KindTensors& tensors, MergePlan& plan) {
  SharedParts shared(tensors.shared);
  std::vector<AdapterModule> modules;
  for (const auto& [name, parts] : tensors.modules) {
    modules.emplace_back(config, name, parts, shared, plan);
    TG_TRY(modules.back().FindMatrix());
  }
  if (modules.empty()) return {};
  TG_TRY(CompleteShared(kind, config, modules, shared));
  for (const AdapterModule& module : modules) {
    TG_ASSIGN(auto change, kind.change(module));
    TG_TRY(plan.Edit(module.target(), EditRows(module.inputs(), std::move(change))));
  }
  return {};
}

}  // namespace tensorguard::internal
