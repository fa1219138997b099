// The activation functions of feed-forward blocks.
#ifndef TENSORGUARD_NETWORK_PARTS_ACTIVATION_H_
#define TENSORGUARD_NETWORK_PARTS_ACTIVATION_H_

#include <optional>
#include <span>
#include <string_view>

#include "roles/activation_kind.h"

namespace tensorguard::internal {

// By the names that config.json uses: "silu", "swish", "gelu_new", "gelu_pytorch_tanh", "relu2",
// ...; empty for a name that is none of them.
std::optional<Activation> ParseActivation(std::string_view name);

float Activate(Activation activation, float x);
void Activate(Activation activation, std::span<float> values);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_ACTIVATION_H_
