// The activation functions of feed-forward blocks.
#ifndef TENSORGUARD_NETWORK_PARTS_ACTIVATION_H_
#define TENSORGUARD_NETWORK_PARTS_ACTIVATION_H_

#include <optional>
#include <span>
#include <string_view>

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
  kIdentity,
};

// By the names that config.json uses: "silu", "swish", "gelu_new", "gelu_pytorch_tanh", "relu2",
// ...; empty for a name that is none of them.
std::optional<Activation> ParseActivation(std::string_view name);

float Activate(Activation activation, float x);
void Activate(Activation activation, std::span<float> values);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_ACTIVATION_H_
