#include "api/changes/transformation.h"

#include <utility>

#include "api/models.h"
#include "base/random_bits.h"
#include "base/try.h"
#include "transform/decoder_model.h"
#include "transform/logits.h"

namespace tensorguard::internal {
namespace {

// Applies the changes one after the other and measures each.
Result<std::vector<AppliedChange>> ApplyAll(const std::vector<ChosenChange>& chosen, uint64_t seed,
                                            const Decoder* other, Decoder& decoder) {
  std::vector<AppliedChange> applied;
  auto before = LogitsOf(decoder, seed);
  if (!before) return std::move(before).error();
  for (size_t i = 0; i < chosen.size(); ++i) {
    TG_TRY(ApplyChange(chosen[i], RandomBits(seed, i), other, decoder));
    auto after = LogitsOf(decoder, seed);
    if (!after) return std::move(after).error();
    applied.push_back({.chosen = chosen[i]});
    if (*before && *after) applied.back().logit_difference = LogitDifference(**before, **after);
    before = std::move(after);
  }
  return applied;
}

Result<std::optional<Decoder>> ReadSecond(const TransformationRequest& request,
                                          const Session& session) {
  if (!request.second_model) return std::optional<Decoder>();
  TG_ASSIGN(const auto second, OpenWithBase(*request.second_model, {}, session));
  TG_ASSIGN(auto decoder, ReadDecoder(second));
  return std::optional<Decoder>(std::move(decoder));
}

}  // namespace

Result<TransformedModel> TransformModel(const TransformationRequest& request,
                                        const Session& session) {
  TG_TRY(CheckBase({request.model}, request.base, session));
  TG_ASSIGN(const auto chosen, ParseChanges(request.changes));
  TG_ASSIGN(const auto model, OpenWithBase(request.model, request.base, session));
  TG_ASSIGN(auto decoder, ReadDecoder(model));
  TG_ASSIGN(const auto second, ReadSecond(request, session));
  const Decoder* const other = second ? &*second : nullptr;
  TG_ASSIGN(auto applied, ApplyAll(chosen, request.seed, other, decoder));
  TG_TRY(WriteDecoder(decoder, request.output, request.dtype));
  return TransformedModel{.name = model.name,
                          .output = request.output,
                          .seed = request.seed,
                          .changes = std::move(applied)};
}

}  // namespace tensorguard::internal
