#include "network/parts/layer_context.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "architecture/table/architecture_table.h"
#include "network/parts/activation.h"

namespace tensorguard::internal {
namespace {

// What config.json leaves out is the library's default for that architecture, which its row has;
// only without a row it is a guess.
void AssumeWithoutRow(const StackContext& context, const char* what) {
  if (context.traits == &GenericTraits()) context.assumed->insert(what);
}

double ReadEpsilon(const StackContext& context) {
  static constexpr std::array<std::string_view, 8> kKeys = {
      "rms_norm_eps",      "layer_norm_eps", "layer_norm_epsilon", "norm_eps", "norm_epsilon",
      "layernorm_epsilon", "ln_eps",         "rms_norm_epsilon"};
  const auto stated = context.config.Real(kKeys);
  // Larger than any that is used, and still harmless: a norm must not become a constant.
  constexpr double kLargest = 1;
  if (stated && *stated >= 0 && *stated <= kLargest) return *stated;
  AssumeWithoutRow(context, "norm epsilon");
  return context.traits->epsilon;
}

}  // namespace

Norm MakeNorm(const StackContext& context, const Weight* gain, const Weight* bias, size_t width) {
  static constexpr std::array<std::string_view, 1> kOfRms = {"rms_norm_eps"};
  NormKind kind =
      context.traits->norm.value_or(bias != nullptr ? NormKind::kLayer : NormKind::kRms);
  if (context.traits->rms_where_stated && context.config.Real(kOfRms)) kind = NormKind::kRms;
  // MobileBERT leaves the norm out of its norms.
  static constexpr std::array<std::string_view, 1> kType = {"normalization_type"};
  if (context.config.Text(kType) == "no_norm") kind = NormKind::kNone;
  return {.source = context.source,
          .kind = kind,
          .epsilon = ReadEpsilon(context),
          .gain = gain,
          .bias = bias,
          .gain_plus_one = gain != nullptr && context.traits->gain_plus_one,
          .group = width};
}

Activation ReadActivation(const StackContext& context, bool gated) {
  static constexpr std::array<std::string_view, 8> kKeys = {
      "hidden_activation", "hidden_act", "activation_function", "dense_act_fn",
      "activation",        "act_fn",     "mlp_hidden_act",      "ffn_activation"};
  static constexpr std::array<std::string_view, 1> kOfT5 = {"feed_forward_proj"};
  const ArchitectureTraits& traits = *context.traits;
  const Activation fallback =
      traits.activation.value_or(gated ? Activation::kSilu : Activation::kGelu);
  if (traits.activation_fixed) return fallback;
  if (const auto name = context.config.Text(kKeys)) {
    if (const auto activation = ParseActivation(*name)) return *activation;
    context.assumed->insert("activation (config.json's is unknown)");
    return fallback;
  }
  // "gated-gelu" of T5 is the approximation by tanh.
  if (const auto projection = context.config.Text(kOfT5)) {
    if (*projection == "gated-gelu") return Activation::kGeluTanh;
    const auto activation = ParseActivation(projection->substr(projection->find('-') + 1));
    if (activation) return *activation;
  }
  AssumeWithoutRow(context, "activation");
  return fallback;
}

Result<void> CheckMap(const LinearMap& map, uint64_t inputs, uint64_t outputs) {
  if (inputs != 0 && map.inputs() != inputs) {
    return BadPart(map, "the matrix does not read what its layer has",
                   fmt::format("{} inputs", map.inputs()), fmt::format("{}", inputs));
  }
  if (outputs != 0 && map.outputs() != outputs) {
    return BadPart(map, "the matrix does not write what its layer wants",
                   fmt::format("{} outputs", map.outputs()), fmt::format("{}", outputs));
  }
  return {};
}

Error BadPart(const LinearMap& map, std::string problem, std::string found, std::string expected) {
  const TensorInfo& tensor = map.source->tensors()[map.weight->tensor_index];
  return {.kind = ErrorKind::kBadFile,
          .problem = std::move(problem),
          .file = tensor.file,
          .tensor = tensor.name,
          .found = std::move(found),
          .expected = std::move(expected),
          .advice = "check that config.json belongs to these weights"};
}

}  // namespace tensorguard::internal
