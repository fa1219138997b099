// How a mixture of experts chooses and weighs the experts of a token.
#ifndef TENSORGUARD_ROLES_ROUTING_KIND_H_
#define TENSORGUARD_ROLES_ROUTING_KIND_H_

namespace tensorguard::internal {

enum class RoutingKind {
  kSoftmaxTopK,    // softmax over all experts, then the top k
  kTopKSoftmax,    // the top k, then softmax over those
  kSigmoidGroups,  // sigmoid scores with a correction for the choice, top groups, then top k
  kRootSoftplus,   // as that, with scores sqrt(log(1 + e^x)) (DeepSeek V4)
  kSigmoidInput,   // sigmoid of the top k scores, as a factor on the expert's input
  kTopTwoByRank,   // the shares of the best two, given to experts 1 and 0 whichever they were: what
                   // a later version of NLLB's library computes
  kSparseMixer,    // two choices, each by a softmax over what lies near the highest score
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ROLES_ROUTING_KIND_H_
