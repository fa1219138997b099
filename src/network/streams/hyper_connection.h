// Several residual streams in place of one: manifold-constrained hyper-connections (Xie et al.
// 2026).
#ifndef TENSORGUARD_NETWORK_STREAMS_HYPER_CONNECTION_H_
#define TENSORGUARD_NETWORK_STREAMS_HYPER_CONNECTION_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "network/parts/layer_context.h"
#include "network/parts/layer_parts.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// From streams side by side, [n, streams * hidden], to what a half reads, and back with what it
// adds. Points into a network: valid as long as that lives.
struct HyperConnection {
  const WeightSource* source = nullptr;
  const Weight* map = nullptr;    // [outputs, streams * hidden]
  const Weight* base = nullptr;   // one number per output
  const Weight* scale = nullptr;  // one per kind of output
  uint64_t streams = 0;
  uint64_t iterations = 0;
  double epsilon = 0;
  double norm_epsilon = 0;

  bool Holds(const Weight& weight) const {
    return &weight == map || &weight == base || &weight == scale;
  }
};

// What a half reads of the streams, and how its result and the streams go on.
struct OpenedStreams {
  FloatMatrix input;    // [n, hidden]
  FloatMatrix shares;   // [n, streams], of the result
  FloatMatrix mixture;  // [n, streams * streams], of the streams: from, then to
};

// By the ending of the module's name ("attn_hc"); empty where the parts have none.
std::optional<HyperConnection> FindHyperConnection(const StackContext& context,
                                                   const LayerParts& parts,
                                                   std::string_view module);

// The last one, whose weights only collapse the streams.
std::optional<HyperConnection> FindHyperHead(const StackContext& context, const LayerParts& outer);

// Each row as often as there are streams.
FloatMatrix RepeatStreams(const FloatMatrix& rows, uint64_t streams);

// Errors: those of LinearMap::Apply and ReadVector.
Result<OpenedStreams> OpenStreams(const HyperConnection& connection, const FloatMatrix& streams);
FloatMatrix CloseStreams(const OpenedStreams& opened, const FloatMatrix& added,
                         const FloatMatrix& streams);
Result<FloatMatrix> CollapseStreams(const HyperConnection& head, const FloatMatrix& streams);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_STREAMS_HYPER_CONNECTION_H_
