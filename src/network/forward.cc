#include "network/forward.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/network_parts.h"
#include "network/sequence/funnel_run.h"
#include "network/sequence/stack_run.h"

namespace tensorguard::internal {
namespace {

Error Unsupported(std::string problem, std::string tensor = {}) {
  return Error{
      .kind = ErrorKind::kUnsupported, .problem = std::move(problem), .tensor = std::move(tensor)};
}

// Whether all that the stack holds is understood: a part left out would give wrong numbers.
Result<void> CheckComplete(const Stack& stack, bool has_encoder) {
  if (stack.embedding.table == nullptr) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the model has no token embedding that is known as one",
                 .expected = "a matrix with a row per token"};
  }
  if (stack.context.positions == PositionScheme::kUnknown) {
    return Unsupported("the model's position scheme is not known");
  }
  if (stack.context.positions == PositionScheme::kLearned && stack.embedding.positions == nullptr &&
      stack.embedding.axes.empty()) {
    return Unsupported("the model has no table of positions");
  }
  if (stack.unread) {
    return Unsupported("a weight outside the layers has no place in what is known", *stack.unread);
  }
  for (const Layer& layer : stack.layers) {
    if (!layer.unread || (layer.OnlyReadsEncoder() && !has_encoder)) continue;
    return Unsupported("a weight has no place in what is known of its layer", *layer.unread);
  }
  return {};
}

Result<void> CheckAnyLayer(const Network& network) {
  const bool any = std::ranges::any_of(network.description().layers, [](const auto& layer) {
    return layer.mixer != MixerKind::kNone || layer.has_feed_forward;
  });
  if (any) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "no layer of the model has parts that are known",
               .expected = "layers with attention, a recurrent mixer or a feed-forward"};
}

// Reformer attends to all of a sequence that is no longer than its chunks; of longer ones hashed
// layers choose keys at random.
Result<void> CheckChunks(const Stack& stack, size_t length) {
  for (const std::string_view key : {"lsh_attn_chunk_length", "local_attn_chunk_length"}) {
    const auto chunk = stack.context.config.Number(std::array{key});
    if (chunk && length > *chunk) {
      return Unsupported("the sequence is so long that attention works in chunks of it");
    }
  }
  return {};
}

// BigBird attends to all of a sequence, until that holds more blocks than it would choose from.
Result<void> CheckReach(const Stack& stack, size_t length) {
  static constexpr std::array<std::string_view, 1> kType = {"attention_type"};
  static constexpr std::array<std::string_view, 1> kBlock = {"block_size"};
  static constexpr std::array<std::string_view, 1> kRandom = {"num_random_blocks"};
  const ConfigView& config = stack.context.config;
  if (config.Text(kType) != "block_sparse") return {};
  const uint64_t blocks = 5 + 2 * config.Number(kRandom).value_or(3);
  if (length <= blocks * config.Number(kBlock).value_or(64)) return {};
  return Unsupported("the sequence is so long that attention goes to random blocks of it");
}

}  // namespace

Result<ForwardResult> RunForward(const Network& network, std::span<const uint32_t> input_ids,
                                 std::span<const uint32_t> decoder_ids,
                                 const ForwardOptions& options) {
  const NetworkParts& parts = network.parts();
  TG_TRY(CheckAnyLayer(network));
  for (const Stack& stack : parts.stacks) {
    TG_TRY(CheckComplete(stack, parts.stacks.size() > 1));
    if (stack.context.traits->reversible) {
      TG_TRY(CheckChunks(stack, input_ids.size()));
    }
    TG_TRY(CheckReach(stack, std::max(input_ids.size(), decoder_ids.size())));
  }
  const bool encoded = parts.stacks.size() > 1;
  if (parts.stacks.front().context.traits->shortens) {
    if (!encoded) return Unsupported("a sequence that got shorter has no decoder to stretch it");
    TG_ASSIGN(auto result, RunFunnel(parts, input_ids, options));
    if (!parts.head) return result;
    TG_ASSIGN(result.logits, parts.head->Logits(result.hidden.back()));
    return result;
  }
  FloatMatrix encoder_rows;
  if (encoded) {
    TG_ASSIGN(auto encoder, StackRun(parts.stacks.front(), nullptr, options).Run(input_ids));
    encoder_rows = std::move(encoder.result.hidden.back());
  }
  TG_ASSIGN(auto last, StackRun(parts.stacks.back(), encoded ? &encoder_rows : nullptr, options)
                           .Run(encoded ? decoder_ids : input_ids));
  if (!parts.head) return std::move(last.result);
  TG_ASSIGN(last.result.logits, parts.head->Logits(std::move(last.head_rows)));
  return std::move(last.result);
}

}  // namespace tensorguard::internal
