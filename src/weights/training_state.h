// State of a training among the tensors of a model.
#ifndef TENSORGUARD_WEIGHTS_TRAINING_STATE_H_
#define TENSORGUARD_WEIGHTS_TRAINING_STATE_H_

#include <memory>
#include <string>

#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

struct WithoutTrainingState {
  std::shared_ptr<const WeightSource> weights;
  std::string note = {};  // how many tensors were left out; empty: none
};

// `weights` without what an optimiser keeps for each weight ("optimizer.state.X.exp_avg"), and
// without a scheduler's: no parameters of the model. Errors: kUnsupported where nothing else is
// there.
Result<WithoutTrainingState> LeaveOutTrainingState(std::shared_ptr<const WeightSource> weights);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_TRAINING_STATE_H_
