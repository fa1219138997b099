#include "weights/files/parallel_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "weights/files/model_path_errors.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

template <typename Predicate>
Names Where(const Names& names, Predicate predicate) {
  Names chosen;
  std::copy_if(names.begin(), names.end(), std::back_inserter(chosen), predicate);
  return chosen;
}

}  // namespace

std::optional<std::string> ModelParallelFamily(std::string_view name) {
  for (const std::string_view stem : {"consolidated.", "mp_rank_"}) {
    if (!name.starts_with(stem)) continue;
    const size_t end = name.find_first_not_of("0123456789", stem.size());
    if (end == name.npos || end == stem.size()) continue;
    return std::string(stem) + std::string(name.substr(end));
  }
  return {};
}

std::vector<std::string> NativeShares(const Names& weights, const Names& names) {
  Names shares = Where(weights, [](const std::string& name) {
    return name.starts_with("consolidated.") && ModelParallelFamily(name) == "consolidated..pth";
  });
  if (shares.size() < 2 || std::find(names.begin(), names.end(), "params.json") == names.end())
    return {};
  std::sort(shares.begin(), shares.end());
  for (size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] != fmt::format("consolidated.{:02}.pth", i)) return {};
  }
  return shares;
}

Result<void> CheckNotModelParallel(const fs::path& path, const Names& names,
                                   const std::string& name) {
  const auto family = ModelParallelFamily(name);
  if (!family) return {};
  const Names parts =
      Where(names, [&](const std::string& other) { return ModelParallelFamily(other) == family; });
  if (parts.size() < 2) return {};
  return Error{
      .kind = ErrorKind::kUnsupported,
      .problem = "weights are split over several processors, which is not read",
      .file = path.string(),
      .found = Listed(parts),
      .expected = "whole tensors, or all of consolidated.00.pth, .01.pth ... with params.json",
      .advice =
          "give the folder where params.json lies beside; else convert the model to "
          "the form of Hugging Face first"};
}

}  // namespace tensorguard::internal
