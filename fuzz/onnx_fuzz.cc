// Any bytes as an ONNX file: never a crash, what is accepted lies inside the file, and the numbers
// of every weight that is found in it can be read. External data is in a file of 256 bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_store.h"
#include "fuzz/refusal_checks.h"
#include "weights/onnx/onnx_weight_source.h"

namespace {

using tensorguard::internal::CheckRefused;
using tensorguard::internal::Require;

namespace fs = std::filesystem;
using tensorguard::Result;
using tensorguard::internal::File;

class MemoryFile : public File {
 public:
  MemoryFile(std::string path, std::string_view bytes)
      : File(std::move(path), bytes.size()), bytes_(bytes) {}

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    Require(offset_bytes <= bytes_.size() && out.size() <= bytes_.size() - offset_bytes);
    const auto part = std::as_bytes(std::span(bytes_)).subspan(offset_bytes, out.size());
    std::copy(part.begin(), part.end(), out.begin());
    return {};
  }

 private:
  std::string_view bytes_;
};

// The model, and external data under any other name.
class MemoryStore : public tensorguard::internal::FileStore {
 public:
  explicit MemoryStore(std::string_view model) : model_(model) {}

  Result<bool> Exists(const fs::path&) const override { return true; }
  Result<bool> IsFolder(const fs::path&) const override { return false; }
  Result<std::vector<std::string>> FilesIn(const fs::path&,
                                           std::span<const std::string>) const override {
    return std::vector<std::string>();
  }
  Result<std::vector<std::string>> FoldersIn(const fs::path&) const override {
    return std::vector<std::string>();
  }
  Result<std::shared_ptr<const File>> Open(const fs::path& path) const override {
    const std::string_view bytes = path == "model.onnx" ? model_ : std::string_view(external_);
    return std::shared_ptr<const File>(std::make_shared<MemoryFile>(path.string(), bytes));
  }

 private:
  std::string_view model_;
  std::string external_ = std::string(256, 'x');
};

// Each element of a small weight, the ends of a large one.
void CheckReadable(const tensorguard::internal::WeightSource& weights) {
  constexpr uint64_t kMostRead = 4096;
  const std::string* previous = nullptr;
  for (size_t i = 0; i < weights.tensors().size(); ++i) {
    const tensorguard::internal::TensorInfo& info = weights.tensors()[i];
    Require(previous == nullptr || *previous < info.name);
    previous = &info.name;
    uint64_t elements = 1;
    for (const uint64_t dimension : info.shape) elements *= dimension;
    Require(elements == info.element_count && elements != 0);
    std::vector<float> numbers(std::min(elements, kMostRead));
    Require(static_cast<bool>(weights.ReadFloat32(i, 0, numbers)));
    Require(static_cast<bool>(weights.ReadFloat32(i, elements - numbers.size(), numbers)));
    Require(static_cast<bool>(weights.ReadFloat32(i, elements / 2, std::span(numbers).first(1))));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const std::string_view model(reinterpret_cast<const char*>(input), size);
  const auto store = std::make_shared<MemoryStore>(model);
  const auto weights = tensorguard::internal::OpenOnnxWeights(
      {"model.onnx"}, {.model_type = "gemma", .tied_head = size % 2 == 0}, store);
  if (weights) {
    CheckReadable(**weights);
  } else {
    CheckRefused(weights.error());
  }
  return 0;
}
