#include "weights/training_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/try.h"
#include "weights/selected_weights.h"

namespace tensorguard::internal {
namespace {

constexpr std::array kFirstWords =
    std::to_array<std::string_view>({"optimizer", "optim", "optimizer_state", "optimizer_states",
                                     "opt_state", "lr_scheduler", "scheduler", "grad_scaler"});
constexpr std::array kLastWords =
    std::to_array<std::string_view>({"exp_avg", "exp_avg_sq", "exp_avg_sq_row", "exp_avg_sq_col",
                                     "max_exp_avg_sq", "momentum_buffer", "square_avg"});

bool IsState(std::string_view name) {
  const std::string_view first = name.substr(0, name.find('.'));
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return first.size() < name.size() &&
         (std::ranges::find(kFirstWords, first) != kFirstWords.end() ||
          std::ranges::find(kLastWords, last) != kLastWords.end());
}

}  // namespace

Result<WithoutTrainingState> LeaveOutTrainingState(std::shared_ptr<const WeightSource> weights) {
  const auto& tensors = weights->tensors();
  std::vector<SelectedTensor> kept;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!IsState(tensors[i].name)) kept.push_back({i, tensors[i].name});
  }
  const size_t left_out = tensors.size() - kept.size();
  if (left_out == 0) return WithoutTrainingState{std::move(weights)};
  if (kept.empty()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the file holds the state of an optimiser and no model",
                 .file = tensors.front().file,
                 .found = fmt::format("{} tensors such as {}", left_out, tensors.front().name),
                 .expected = "a model's weights"};
  }
  TG_ASSIGN(auto selected, SelectTensors(std::move(weights), std::move(kept)));
  return WithoutTrainingState{
      .weights = std::move(selected),
      .note = fmt::format(
          "{} tensors of a training's state lie beside the weights and were left out", left_out)};
}

}  // namespace tensorguard::internal
