// What looks at single experts while a layer is computed.
#ifndef TENSORGUARD_NETWORK_EXPERT_VISITOR_H_
#define TENSORGUARD_NETWORK_EXPERT_VISITOR_H_

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "network/float_matrix.h"

namespace tensorguard {

// Called with a routed expert's number and what it puts out, one row for each input.
using ExpertVisitor = std::function<Result<void>(uint32_t expert, const FloatMatrix& outputs)>;

}  // namespace tensorguard

#endif  // TENSORGUARD_NETWORK_EXPERT_VISITOR_H_
