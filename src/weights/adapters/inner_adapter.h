// An adapter that lies unmerged among the tensors of the model that it changes.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_INNER_ADAPTER_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_INNER_ADAPTER_H_

#include <filesystem>
#include <memory>
#include <string>

#include "base/file_store.h"
#include "base/json.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

struct WithoutInnerAdapter {
  std::shared_ptr<const WeightSource> weights;
  std::string note = {};  // what was done, for a reader; empty: there was nothing to do
};

// A training that saves its whole state has each matrix X as "X.base_layer.weight" or "X.weight"
// and its change as "X.lora_A.default.weight" and "X.lora_B.default.weight". What the model
// computes follows only with the scale: adapter_config.json in `folder` states it, or an object
// "peft_config", "lora_config" or "adapter_config" in `config`; then the change is merged as
// MergeAdapter does. Models made with several adapters, or whose config has settings for each
// ("vision_lora"), work without them: the tensors stay as they are.
// Errors: kUnsupported where no scale is stated, and for an adapter without a model; those of
// MergeAdapterTensors and ReadAdapterConfig.
Result<WithoutInnerAdapter> MergeInnerAdapter(std::shared_ptr<const WeightSource> weights,
                                              const Json& config,
                                              const std::filesystem::path& folder,
                                              const FileStore& files);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_INNER_ADAPTER_H_
