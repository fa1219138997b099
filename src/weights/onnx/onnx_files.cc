#include "weights/onnx/onnx_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/folder_of.h"
#include "base/try.h"
#include "formats/onnx/onnx.h"
#include "weights/files/model_path_errors.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

constexpr std::string_view kEncoder = "encoder_model";
// The first of these that is there holds the decoder's weights.
constexpr std::array kDecoders = {"decoder_model_merged"sv, "decoder_model"sv,
                                  "decoder_with_past_model"sv};
// What exporters append for a precision.
constexpr std::array kVariants = {""sv,      "_fp16"sv,      "_q4"sv,   "_q4f16"sv,
                                  "_q8"sv,   "_quantized"sv, "_int8"sv, "_uint8"sv,
                                  "_bnb4"sv, "_optimized"sv};

struct Part {
  std::string_view part;
  std::string variant;
};

// Empty for a file that is no half of an encoder-decoder.
std::optional<Part> PartOf(std::string_view name) {
  name.remove_suffix(kOnnxSuffix.size());
  for (const std::string_view variant : kVariants) {
    if (!name.ends_with(variant)) continue;
    const std::string_view stem = name.substr(0, name.size() - variant.size());
    if (stem == kEncoder) return Part{kEncoder, std::string(variant)};
    for (const std::string_view decoder : kDecoders) {
      if (stem == decoder) return Part{decoder, std::string(variant)};
    }
  }
  return {};
}

std::string FileName(std::string_view part, std::string_view variant) {
  return fmt::format("{}{}{}", part, variant, kOnnxSuffix);
}

bool Contains(std::span<const std::string> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Error NoDecoder(const fs::path& encoder) {
  return {.kind = ErrorKind::kUsage,
          .problem = "an encoder without its decoder is not a whole model",
          .file = encoder.string(),
          .expected = "decoder_model.onnx or decoder_model_merged.onnx beside it"};
}

// The files of one model of halves, by their names.
std::vector<std::string> Halves(std::span<const std::string> names, std::string_view variant) {
  std::vector<std::string> halves;
  if (Contains(names, FileName(kEncoder, variant))) halves.push_back(FileName(kEncoder, variant));
  for (const std::string_view decoder : kDecoders) {
    if (!Contains(names, FileName(decoder, variant))) continue;
    halves.push_back(FileName(decoder, variant));
    break;
  }
  return halves;
}

}  // namespace

Result<OnnxFiles> OnnxFilesOfFolder(const fs::path& folder, const std::vector<std::string>& names) {
  std::map<std::string, std::vector<std::string>> models;  // by the name that stands for it
  for (const std::string& name : names) {
    const auto part = PartOf(name);
    if (!part) {
      models[name] = {name};
      continue;
    }
    auto halves = Halves(names, part->variant);
    models[halves.back()] = halves;
  }
  if (models.size() > 1) {
    std::vector<std::string> found;
    for (const auto& [name, files] : models) found.push_back(name);
    return TwoModels(folder, found);
  }
  OnnxFiles files;
  for (const std::string& name : models.begin()->second) files.push_back(folder / name);
  const auto last = PartOf(models.begin()->second.back());
  if (last && last->part == kEncoder) return NoDecoder(files.back());
  return files;
}

Result<OnnxFiles> OnnxFilesOfFile(const fs::path& path, const FileStore& files) {
  const auto part = PartOf(path.filename().string());
  if (!part) return OnnxFiles{path};
  const fs::path folder = FolderOf(path);
  if (part->part != kEncoder) {
    const fs::path encoder = folder / FileName(kEncoder, part->variant);
    const auto exists = files.Exists(encoder);
    if (!exists) return exists.error();
    return *exists ? OnnxFiles{encoder, path} : OnnxFiles{path};
  }
  for (const std::string_view name : kDecoders) {
    const fs::path decoder = folder / FileName(name, part->variant);
    TG_ASSIGN(const auto exists, files.Exists(decoder));
    if (exists) return OnnxFiles{path, decoder};
  }
  return NoDecoder(path);
}

}  // namespace tensorguard::internal
