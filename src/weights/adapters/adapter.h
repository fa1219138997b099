// A PEFT adapter merged into its base model, tensor by tensor, on the fly.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_H_

#include <filesystem>
#include <memory>

#include "base/file_store.h"
#include "weights/adapters/adapter_config.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// True if `folder` holds adapter_config.json. Errors: those of `files`.
Result<bool> IsAdapterFolder(const std::filesystem::path& folder,
                             const FileStore& files = *LocalFiles());

// `base` with the adapter in `folder` merged as PEFT's merge_and_unload does: LoRA (lora_alpha, r,
// alpha_pattern, rank_pattern, use_rslora, fan_in_fan_out, use_dora, modules_to_save, bias) and
// (IA)^3 (feed-forward and attention scaling) and the kinds of kinds/adapter_kinds.h; also MLX's
// LoRA. docs/formats/adapters.md has the rules. Tensors the adapter does not touch are the base's,
// and all are float32 and not rounded. Reads the adapter's own (small) matrices into memory, never
// a whole base tensor.
//
// Errors: kMismatch if a target module is not in the base or its shape differs (both shapes are
// shown); kUnsupported for other adapter types, named; kBadFile if A or B of a pair is missing.
Result<std::shared_ptr<const WeightSource>> MergeAdapter(std::shared_ptr<const WeightSource> base,
                                                         const std::filesystem::path& folder,
                                                         const FileStorePtr& files = LocalFiles());

// The same of an adapter's tensors that are open already. Errors: as MergeAdapter, without a file.
Result<std::shared_ptr<const WeightSource>> MergeAdapterTensors(
    std::shared_ptr<const WeightSource> base, std::shared_ptr<const WeightSource> adapter,
    const AdapterConfig& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_H_
