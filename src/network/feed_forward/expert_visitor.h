// What looks at single experts while a layer is computed.
#ifndef TENSORGUARD_NETWORK_FEED_FORWARD_EXPERT_VISITOR_H_
#define TENSORGUARD_NETWORK_FEED_FORWARD_EXPERT_VISITOR_H_

#include <cstdint>
#include <functional>

#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Called with a routed expert's number and what it puts out, one row for each input.
using ExpertVisitor = std::function<Result<void>(uint32_t expert, const FloatMatrix& outputs)>;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_FEED_FORWARD_EXPERT_VISITOR_H_
