// A changed copy of a model that works.
#ifndef TENSORGUARD_API_CHANGES_TRANSFORMATION_H_
#define TENSORGUARD_API_CHANGES_TRANSFORMATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/session.h"
#include "safetensors/dtype.h"
#include "tensorguard/result.h"
#include "transform/change.h"

namespace tensorguard::internal {

struct TransformationRequest {
  std::string model;
  std::optional<std::string> base = {};          // where the model is an adapter
  std::string output;                            // a folder
  std::string changes;                           // as ParseChanges reads them
  std::optional<std::string> second_model = {};  // for changes that take from another
  std::optional<DType> dtype = {};               // of all tensors; empty: as they were read
  uint64_t seed = 0;
};

struct AppliedChange {
  ChosenChange chosen;
  std::optional<double> logit_difference = {};  // empty: the tokens are another model's
};

struct TransformedModel {
  std::string name;  // of the model that was changed
  std::string output;
  uint64_t seed = 0;
  std::vector<AppliedChange> changes = {};  // in their order
};

// Applies the changes one after the other, measures each and writes the copy. Errors: those of
// CheckBase, ParseChanges, OpenWithBase, ReadDecoder, LogitsOf, ApplyChange and WriteDecoder.
Result<TransformedModel> TransformModel(const TransformationRequest& request,
                                        const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_CHANGES_TRANSFORMATION_H_
