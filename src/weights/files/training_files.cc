#include "weights/files/training_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr std::string_view kDistributed = ".distcp";
constexpr std::string_view kMegatronMark = "latest_checkpointed_iteration.txt";

struct Maker {
  std::string_view problem;
  std::string_view advice;  // "{}" is the folder
};

constexpr Maker kPyTorch = {
    "the weights are a distributed checkpoint of PyTorch, which is not read",
    "join it: python -m torch.distributed.checkpoint.format_utils dcp_to_torch {} model.pt, and "
    "give model.pt"};
constexpr Maker kDeepSpeed = {
    "the weights are spread over processors by DeepSpeed's ZeRO, which is not read",
    "join them: python zero_to_fp32.py . OUTPUT in the checkpoint's folder ({}, or the one above), "
    "and give OUTPUT"};
constexpr Maker kMegatron = {
    "the folder is a checkpoint of Megatron, which is not read",
    "convert it to the form of Hugging Face with the tools that come with Megatron ({})"};

Error NotJoined(const Maker& maker, const fs::path& folder, std::string found) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = std::string(maker.problem),
          .file = folder.string(),
          .found = std::move(found),
          .expected = "whole tensors",
          .advice = fmt::format(fmt::runtime(maker.advice), folder.string())};
}

bool IsOfZero(const std::string& name) {
  return name.find("zero_pp_rank_") != name.npos || name.ends_with("_optim_states.pt");
}

std::optional<Error> Sharded(const fs::path& folder, const Names& names) {
  for (const std::string& name : names) {
    if (name.ends_with(kDistributed)) return NotJoined(kPyTorch, folder, name);
  }
  const auto zero = std::find_if(names.begin(), names.end(), IsOfZero);
  const bool whole = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.starts_with("mp_rank_") && name.ends_with("_model_states.pt");
  });
  if (zero != names.end() && !whole) return NotJoined(kDeepSpeed, folder, *zero);
  return {};
}

}  // namespace

Result<void> CheckNotSharded(const fs::path& folder, const Names& names) {
  if (auto error = Sharded(folder, names)) return *std::move(error);
  return {};
}

Result<std::optional<Error>> TrainingFolder(const FileStore& store, const fs::path& folder,
                                            const Names& names) {
  constexpr size_t kMostLookedInto = 200;
  if (std::find(names.begin(), names.end(), kMegatronMark) != names.end()) {
    return std::optional(NotJoined(kMegatron, folder, std::string(kMegatronMark)));
  }
  TG_ASSIGN(auto folders, store.FoldersIn(folder));
  folders.resize(std::min(folders.size(), kMostLookedInto));
  for (const std::string& below : folders) {
    // One that cannot be listed holds nothing that could be named.
    const auto inside = store.FilesIn(folder / below);
    if (!inside) continue;
    if (auto error = Sharded(folder / below, *inside)) return std::optional(*std::move(error));
    if (below.starts_with("mp_rank_") &&
        std::find(inside->begin(), inside->end(), "model_optim_rng.pt") != inside->end()) {
      return std::optional(NotJoined(kMegatron, folder, below + "/model_optim_rng.pt"));
    }
  }
  return std::optional<Error>();
}

}  // namespace tensorguard::internal
