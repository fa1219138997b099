#include "network/streams/bottleneck.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "network/attention/attention.h"

namespace tensorguard::internal {
namespace {

bool IsOfBottleneck(const std::string& name) {
  return name.find(".bottleneck.") != std::string::npos;
}

// The further feed-forwards are in a list of this name.
bool IsFurther(const std::string& name) { return name.find(".ffn.") != std::string::npos; }

LayerParts Chosen(const LayerParts& layer, std::string_view holding) {
  std::vector<const Weight*> chosen;
  for (const Weight* weight : layer.weights()) {
    if (layer.NameOf(*weight).find(holding) != std::string::npos) chosen.push_back(weight);
  }
  return LayerParts(layer.source(), std::move(chosen));
}

std::optional<Norm> FindNorm(const StackContext& context, const LayerParts& layer,
                             const std::string& module) {
  const Weight* gain = layer.Named(module + ".weight");
  if (gain == nullptr) return {};
  return MakeNorm(context, gain, layer.Named(module + ".bias"));
}

Result<NormedMap> RequireMap(const StackContext& context, const LayerParts& layer,
                             const std::string& module) {
  const auto map = layer.NamedMap(module + ".dense");
  if (!map) {
    return Error{
        .kind = ErrorKind::kUnsupported,
        .problem = "a layer of another width lacks the way in or out",
        .expected = fmt::format("a tensor whose name ends in \"{}.dense.weight\"", module)};
  }
  return NormedMap{*map, FindNorm(context, layer, module + ".layernorm")};
}

Result<void> ReadFurther(const StackContext& context, const LayerParts& layer,
                         Bottleneck& bottleneck) {
  for (size_t index = 0;; ++index) {
    const LayerParts parts = Chosen(layer, fmt::format(".ffn.{}.", index));
    if (parts.weights().empty()) return {};
    const auto block = FindFeedForward(parts, {.activation = ReadActivation(context, false)});
    if (!block) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "a further feed-forward of a layer lacks a matrix",
                   .tensor = parts.NameOf(*parts.weights().front())};
    }
    TG_TRY(CheckMap(block->up, bottleneck.width(), 0));
    TG_TRY(CheckMap(block->down, block->up.outputs(), bottleneck.width()));
    bottleneck.further.push_back({*block, FindNorm(context, parts, "output.layernorm")});
  }
}

}  // namespace

bool HasBottleneck(const LayerParts& layer) {
  return layer.Named("bottleneck.input.dense.weight") != nullptr;
}

LayerParts WithoutBottleneck(const LayerParts& layer) {
  std::vector<const Weight*> rest;
  for (const Weight* weight : layer.weights()) {
    const std::string& name = layer.NameOf(*weight);
    if (!IsOfBottleneck(name) && !IsFurther(name)) rest.push_back(weight);
  }
  return LayerParts(layer.source(), std::move(rest));
}

Result<Bottleneck> ReadBottleneck(const StackContext& context, const LayerParts& layer) {
  Bottleneck bottleneck;
  TG_ASSIGN(bottleneck.input, RequireMap(context, layer, "bottleneck.input"));
  TG_ASSIGN(const auto output, RequireMap(context, layer, "output.bottleneck"));
  bottleneck.output = output.map;
  bottleneck.sum = output.norm;
  TG_TRY(CheckMap(bottleneck.input.map, context.hidden_size, 0));
  TG_TRY(CheckMap(bottleneck.output, bottleneck.width(), context.hidden_size));
  if (context.config.Flag("use_bottleneck_attention").value_or(false)) {
    bottleneck.queries = bottleneck.input;
    bottleneck.values = bottleneck.input;
  } else if (context.config.Flag("key_query_shared_bottleneck").value_or(true)) {
    TG_ASSIGN(bottleneck.queries, RequireMap(context, layer, "bottleneck.attention"));
    TG_TRY(CheckMap(bottleneck.queries->map, context.hidden_size, bottleneck.width()));
  }
  TG_TRY(ReadFurther(context, layer, bottleneck));
  return bottleneck;
}

Result<FloatMatrix> RunFurther(const Bottleneck& bottleneck, FloatMatrix rows) {
  for (const InnerFeedForward& further : bottleneck.further) {
    TG_ASSIGN(auto sum, RunFeedForward(further.block, rows));
    Add(rows, sum);
    TG_ASSIGN(rows, ApplyIfAny(further.sum, std::move(sum)));
  }
  return rows;
}

}  // namespace tensorguard::internal
