#include "network/parts/activation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tensorguard::internal {
namespace {

struct ActivationName {
  std::string_view name;
  Activation activation;
};

constexpr ActivationName kNames[] = {
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
    {"swiglu", Activation::kSilu},
    {"gelu", Activation::kGelu},
    {"gelu_python", Activation::kGelu},
    {"geglu", Activation::kGelu},
    {"gelu_new", Activation::kGeluTanh},
    {"gelu_fast", Activation::kGeluTanh},
    {"gelu_accurate", Activation::kGeluTanh},
    {"gelu_pytorch_tanh", Activation::kGeluTanh},
    {"gelu_python_tanh", Activation::kGeluTanh},
    {"gelu_tanh", Activation::kGeluTanh},
    {"quick_gelu", Activation::kQuickGelu},
    {"relu", Activation::kRelu},
    {"reglu", Activation::kRelu},
    {"relu2", Activation::kSquaredRelu},
    {"relu_squared", Activation::kSquaredRelu},
    {"squared_relu", Activation::kSquaredRelu},
    {"tanh", Activation::kTanh},
    {"sigmoid", Activation::kSigmoid},
    {"softplus", Activation::kSoftplus},
    {"linear", Activation::kIdentity},
    {"identity", Activation::kIdentity},
};

float Sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

float GeluTanh(float x) {
  const float inner = std::sqrt(2.0f * std::numbers::inv_pi_v<float>) * (x + 0.044715f * x * x * x);
  return 0.5f * x * (1.0f + std::tanh(inner));
}

}  // namespace

std::optional<Activation> ParseActivation(std::string_view name) {
  for (const ActivationName& row : kNames) {
    if (row.name == name) return row.activation;
  }
  return {};
}

float Activate(Activation activation, float x) {
  switch (activation) {
    case Activation::kSilu:
      return x * Sigmoid(x);
    case Activation::kGelu:
      return 0.5f * x * (1.0f + std::erf(x / std::numbers::sqrt2_v<float>));
    case Activation::kGeluTanh:
      return GeluTanh(x);
    case Activation::kQuickGelu:
      return x * Sigmoid(1.702f * x);
    case Activation::kRelu:
      return std::max(x, 0.0f);
    case Activation::kSquaredRelu:
      return std::max(x, 0.0f) * std::max(x, 0.0f);
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSigmoid:
      return Sigmoid(x);
    case Activation::kSoftplus:
      return x > 20 ? x : std::log1p(std::exp(x));
    case Activation::kIdentity:
      return x;
  }
  return x;
}

void Activate(Activation activation, std::span<float> values) {
  for (float& value : values) value = Activate(activation, value);
}

}  // namespace tensorguard::internal
