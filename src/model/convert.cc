#include "model/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/try.h"
#include "numerics/encode_floats.h"
#include "safetensors/safetensors_writer.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kBlockElements = 1 << 20;

std::vector<TensorToWrite> SameTensorsAs(DType dtype, const std::vector<TensorInfo>& tensors) {
  std::vector<TensorToWrite> copies;
  for (const TensorInfo& tensor : tensors) copies.push_back({tensor.name, dtype, tensor.shape});
  return copies;
}

uint64_t BytesOf(const std::vector<TensorInfo>& tensors, size_t bytes_each) {
  uint64_t bytes = 0;
  for (const TensorInfo& tensor : tensors) bytes += tensor.element_count * bytes_each;
  return bytes;
}

// Before any work is done. A model in one file may be replaced; with one of its shards replaced, a
// model would be lost.
Result<void> CheckOutput(const std::filesystem::path& output,
                         const std::vector<TensorInfo>& tensors) {
  std::error_code ignored;
  if (!output.has_filename() || std::filesystem::is_directory(output, ignored)) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "cannot write a file of this name",
                 .file = output.string(),
                 .found = "a folder",
                 .expected = "the name of a file"};
  }
  std::set<std::string_view> files;
  for (const TensorInfo& tensor : tensors) files.insert(tensor.file);
  for (const std::string_view file : files) {
    if (files.size() == 1 || !std::filesystem::equivalent(output, file, ignored)) continue;
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "this is one of the files that the model is read from",
                 .file = output.string(),
                 .advice = "write to another file"};
  }
  return {};
}

Error DoesNotFit(DType dtype, float value) {
  return {.kind = ErrorKind::kMismatch,
          .problem = fmt::format("a number is too large for {}", InfoOf(dtype).name),
          .found = fmt::format("{}", value),
          .advice = "write F32 or BF16"};
}

}  // namespace

Result<void> ConvertWeights(const WeightSource& weights, const std::filesystem::path& output,
                            const WeightConversionOptions& options) {
  // Both lists are sorted by name, so that the same index means the same tensor.
  const std::vector<TensorInfo>& tensors = weights.tensors();
  if (auto checked = CheckOutput(output, tensors); !checked) return checked;
  auto writer =
      SafetensorsWriter::Create(output, SameTensorsAs(options.dtype, tensors), {{"format", "pt"}});
  if (!writer) return std::move(writer).error();
  const size_t bytes_each = InfoOf(options.dtype).bits / 8;
  Progress progress = {.what = {}, .bytes_total = BytesOf(tensors, bytes_each)};
  std::vector<float> numbers(kBlockElements);
  std::vector<std::byte> bytes(kBlockElements * bytes_each);
  for (size_t i = 0; i < tensors.size(); ++i) {
    assert((*writer)->tensors()[i].name == tensors[i].name);
    progress.what = tensors[i].name;
    for (uint64_t first = 0; first < tensors[i].element_count; first += kBlockElements) {
      const size_t count = std::min<uint64_t>(kBlockElements, tensors[i].element_count - first);
      const std::span<float> block = std::span(numbers).first(count);
      const std::span<std::byte> encoded = std::span(bytes).first(count * bytes_each);
      TG_TRY(weights.ReadFloat32(i, first, block));
      if (const auto overflow = EncodeFloats(options.dtype, block, encoded)) {
        return DoesNotFit(options.dtype, block[*overflow])
            .InFile(tensors[i].file)
            .InTensor(tensors[i].name);
      }
      TG_TRY((*writer)->Append(encoded));
      progress.bytes_done += encoded.size();
      if (options.on_progress) options.on_progress(progress);
    }
  }
  return (*writer)->Finish();
}

}  // namespace tensorguard::internal
