// Response kernels: what each layer answers to the anchors, in a form that no change of basis
// alters.
#ifndef TENSORGUARD_PROFILE_RESPONSE_KERNELS_H_
#define TENSORGUARD_PROFILE_RESPONSE_KERNELS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// [anchors, hidden] each: where the anchors enter the network and where it is read out.
struct AnchorRows {
  FloatMatrix inputs;   // E
  FloatMatrix outputs;  // H
};

// Which kernels of a layer are asked for, of those that it has.
struct AskedParts {
  bool query_key = true;
  bool output_value = true;
  bool feed_forward = true;  // and the experts

  bool Any() const { return query_key || output_value || feed_forward; }
};

// Errors: those of the network; kBadFile if a row is not finite.
Result<AnchorRows> ReadAnchorRows(const Network& network, std::span<const uint32_t> tokens);

// The kernels of one layer, with x = MixerInput(E) and x' = FeedForwardInput(E):
//   query_key     Q(x) K(x)^T         (all heads; position 0)
//   output_value  MixerOutput(x) H^T
//   feed_forward  FeedForwardOutput(x') H^T
//   experts       ExpertOutput(x') H^T on the first kExpertAnchors anchors
// and the gains, the root mean square of MixerOutput(x) and FeedForwardOutput(x') over that of E.
// Kernels are double-centred (docs/full_profile.md; Wu et al. perturb inputs and keep moments of
// the response instead). Errors: those of the network; kBadFile, naming the layer, for a kernel
// that is not finite.
Result<LayerResponse> RespondLayer(const Network& network, size_t layer, const AnchorRows& anchors,
                                   const AskedParts& parts = {});

// Which layers lack which kernel, one line for each reason.
std::vector<std::string> NotesOnLayers(std::span<const LayerResponse> layers);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_RESPONSE_KERNELS_H_
