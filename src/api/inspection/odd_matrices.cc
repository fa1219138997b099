#include "api/inspection/odd_matrices.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "base/try.h"
#include "weights/elements/element_types.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kRunElements = 64;
constexpr uint64_t kMostRuns = 64;            // of a matrix
constexpr uint64_t kMostRunsOfAll = 1 << 16;  // each is a read

bool LiesElsewhere(const Model& model) {
  return model.path.string().find("://") != std::string::npos;
}

// Where the runs of a tensor begin: evenly over it.
std::vector<uint64_t> RunsOf(uint64_t elements, uint64_t most) {
  const uint64_t length = std::min(elements, kRunElements);
  const uint64_t runs = std::min(most, elements / std::max<uint64_t>(1, length));
  std::vector<uint64_t> begins;
  for (uint64_t run = 0; run < runs; ++run) {
    begins.push_back(runs == 1 ? 0 : (elements - length) / (runs - 1) * run);
  }
  return begins;
}

struct Look {
  bool one_number = true;
  bool finite = true;
  float first = 0;
};

Result<Look> LookAt(const WeightSource& source, size_t tensor, uint64_t most_runs) {
  Look look;
  std::array<float, kRunElements> values;
  const uint64_t elements = source.tensors()[tensor].element_count;
  bool any = false;
  for (const uint64_t begin : RunsOf(elements, most_runs)) {
    const auto run = std::span(values).first(std::min(elements, kRunElements));
    TG_TRY(source.ReadFloat32(tensor, begin, run));
    if (!any) look.first = run.front();
    any = true;
    for (const float value : run) {
      look.one_number &= value == look.first;
      look.finite &= std::isfinite(value);
    }
  }
  look.one_number &= any;
  return look;
}

// A matrix whose entries are learned.
bool IsLearned(const TensorInfo& tensor, const TensorRole& role) {
  return tensor.shape.size() >= 2 && tensor.element_count > 1 && !role.is_bias &&
         role.role != Role::kBuffer && role.role != Role::kScale && role.role != Role::kNorm &&
         role.role != Role::kGain && IsReal(tensor.dtype);
}

std::optional<size_t> FindMatrix(const Model& model, Role wanted) {
  for (size_t i = 0; i < model.architecture.roles.size(); ++i) {
    const TensorRole& role = model.architecture.roles[i];
    const bool main = role.stack.empty() || role.stack == model.architecture.main_stack;
    if (role.role == wanted && main && !role.is_bias && !role.layer &&
        model.weights->tensors()[i].shape.size() == 2) {
      return i;
    }
  }
  return {};
}

}  // namespace

Result<OddMatrices> FindOddMatrices(const Model& model) {
  OddMatrices odd;
  if (LiesElsewhere(model)) return odd;
  const auto& tensors = model.weights->tensors();
  const uint64_t most_runs =
      std::clamp<uint64_t>(kMostRunsOfAll / std::max<size_t>(1, tensors.size()), 1, kMostRuns);
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!IsLearned(tensors[i], model.architecture.roles[i])) continue;
    TG_ASSIGN(const auto look, LookAt(*model.weights, i, most_runs));
    if (!look.finite) odd.not_finite.push_back(i);
    if (look.finite && look.one_number) (look.first == 0 ? odd.zero : odd.constant).push_back(i);
  }
  return odd;
}

Result<StoredHead> LookAtHead(const Model& model) {
  const auto head = FindMatrix(model, Role::kOutputHead);
  const auto embedding = FindMatrix(model, Role::kEmbedding);
  StoredHead stored = {.stored = head.has_value()};
  if (!head || !embedding || LiesElsewhere(model)) return stored;
  const auto& tensors = model.weights->tensors();
  if (tensors[*head].shape != tensors[*embedding].shape) return stored;
  std::array<float, kRunElements> of_head;
  std::array<float, kRunElements> of_embedding;
  const uint64_t elements = tensors[*head].element_count;
  const size_t length = std::min(elements, kRunElements);
  bool equal = true;
  for (const uint64_t begin : RunsOf(elements, kMostRuns)) {
    TG_TRY(model.weights->ReadFloat32(*head, begin, std::span(of_head).first(length)));
    TG_TRY(model.weights->ReadFloat32(*embedding, begin, std::span(of_embedding).first(length)));
    equal &= std::equal(of_head.begin(), of_head.begin() + static_cast<ptrdiff_t>(length),
                        of_embedding.begin());
  }
  stored.equals_embedding = equal;
  return stored;
}

}  // namespace tensorguard::internal
