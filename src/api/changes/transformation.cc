#include "api/changes/transformation.h"

#include <utility>

#include "api/models.h"
#include "base/random_bits.h"
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
    auto changed = ApplyChange(chosen[i], RandomBits(seed, i), other, decoder);
    if (!changed) return std::move(changed).error();
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
  const auto second = OpenWithBase(*request.second_model, {}, session);
  if (!second) return second.error();
  auto decoder = ReadDecoder(*second);
  if (!decoder) return std::move(decoder).error();
  return std::optional<Decoder>(*std::move(decoder));
}

}  // namespace

Result<TransformedModel> TransformModel(const TransformationRequest& request,
                                        const Session& session) {
  auto base = CheckBase({request.model}, request.base, session);
  if (!base) return std::move(base).error();
  const auto chosen = ParseChanges(request.changes);
  if (!chosen) return chosen.error();
  const auto model = OpenWithBase(request.model, request.base, session);
  if (!model) return model.error();
  auto decoder = ReadDecoder(*model);
  if (!decoder) return std::move(decoder).error();
  const auto second = ReadSecond(request, session);
  if (!second) return second.error();
  const Decoder* const other = *second ? &**second : nullptr;
  auto applied = ApplyAll(*chosen, request.seed, other, *decoder);
  if (!applied) return std::move(applied).error();
  auto written = WriteDecoder(*decoder, request.output, request.dtype);
  if (!written) return std::move(written).error();
  return TransformedModel{.name = model->name,
                          .output = request.output,
                          .seed = request.seed,
                          .changes = *std::move(applied)};
}

}  // namespace tensorguard::internal
