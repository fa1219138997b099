#include "api/fingerprinting/planned_outputs.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "api/models.h"
#include "fingerprint/file/fingerprint_file.h"
#include "model/model_name.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

bool IsFolderOutput(const FingerprintRequest& request) {
  std::error_code ignored;
  return request.models.size() > 1 || request.output->ends_with('/') ||
         fs::is_directory(*request.output, ignored);
}

}  // namespace

Result<std::vector<std::string>> PlanOutputs(const FingerprintRequest& request) {
  if (request.output && !IsFolderOutput(request)) return std::vector{*request.output};
  if (request.output &&
      (request.output->ends_with(".json") || request.output->ends_with(".safetensors"))) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "--output names one file for several models",
                 .found = *request.output,
                 .expected = "a folder; each model has a file in it"};
  }
  const fs::path folder = request.output.value_or("");
  const std::string suffix(request.profile == Profile::kPaper ? kFeaturesSuffix
                                                              : kFingerprintSuffix);
  std::vector<std::string> outputs;
  std::map<std::string, std::string> model_of;
  for (const std::string& model : request.models) {
    outputs.push_back((folder / (ModelNameFromPath(model) + suffix)).string());
    const auto [earlier, added] = model_of.emplace(outputs.back(), model);
    if (added) continue;
    return Error{
        .kind = ErrorKind::kUsage,
        .problem = "two models would be written to one file",
        .found = outputs.back(),
        .expected = fmt::format("different names; {} and {} have the same", earlier->second, model),
        .advice = "write each to a file of its own: -o FILE"};
  }
  return outputs;
}

Result<void> MakeOutputFolder(const FingerprintRequest& request) {
  if (!request.output || !IsFolderOutput(request)) return {};
  std::error_code failure;
  fs::create_directories(*request.output, failure);
  if (!failure) return {};
  return Error{.kind = ErrorKind::kSystem,
               .problem = fmt::format("cannot make the folder: {}", failure.message()),
               .file = *request.output};
}

}  // namespace tensorguard::internal
