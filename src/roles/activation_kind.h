// The activation functions of feed-forward blocks, by name.
#ifndef TENSORGUARD_ROLES_ACTIVATION_KIND_H_
#define TENSORGUARD_ROLES_ACTIVATION_KIND_H_

namespace tensorguard::internal {

enum class Activation {
  kSilu,       // x sigmoid(x)
  kGelu,       // x Phi(x), by the error function
  kGeluTanh,   // its approximation by tanh (Hendrycks and Gimpel 2016)
  kQuickGelu,  // x sigmoid(1.702 x)
  kRelu,
  kSquaredRelu,  // max(x, 0)^2 (So et al. 2021)
  kTanh,
  kSigmoid,
  kSoftplus,  // log(1 + e^x)
  kIdentity,
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ROLES_ACTIVATION_KIND_H_
