// Any bytes as a GGUF file: never a crash; what is accepted lies inside the file, apart from each
// other; its tensors under the model's own names are unique and read only what is there; its
// vocabulary keeps what holds of every one. An input is two bytes that say how much zero data
// follows, low byte first, and the start of the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/gguf/gguf.h"
#include "fuzz/refusal_checks.h"
#include "fuzz/vocabulary_checks.h"
#include "safetensors/dtype.h"
#include "tokenizers/files/gguf_vocabulary.h"
#include "weights/gguf/gguf_weights.h"

namespace {

using tensorguard::internal::CheckRefused;
using tensorguard::internal::Require;
using tensorguard::internal::TensorEntry;
using tensorguard::internal::TensorInfo;

// A file's tensors without their numbers.
class NoNumbers : public tensorguard::internal::WeightSource {
 public:
  explicit NoNumbers(const tensorguard::internal::TensorTable& table) {
    for (const TensorEntry& entry : table.tensors) {
      tensors_.push_back({.name = entry.name,
                          .dtype = entry.dtype,
                          .shape = entry.shape,
                          .element_count = entry.element_count,
                          .stored_bytes = entry.data_end_bytes - entry.data_begin_bytes,
                          .file = "input"});
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }

  tensorguard::Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                                        std::span<float> out) const override {
    const uint64_t count = tensors_.at(tensor_index).element_count;
    Require(first_element <= count && out.size() <= count - first_element);
    std::fill(out.begin(), out.end(), 0.0f);
    return {};
  }

  bool IsBFloat16(size_t) const override { return false; }

  tensorguard::Result<void> ReadBFloat16(
      size_t, uint64_t, std::span<tensorguard::internal::BFloat16>) const override {
    Require(false);
    return {};
  }

 private:
  std::vector<TensorInfo> tensors_;
};

void CheckUndone(const tensorguard::internal::GgufHeader& header) {
  const auto stored = std::make_shared<NoNumbers>(header.table);
  const auto architecture = tensorguard::internal::GgufArchitectureOf(header.metadata, *stored);
  if (!architecture) return;
  const auto undone = tensorguard::internal::UndoConversion(
      stored, *architecture,
      tensorguard::internal::ChangedNumbersOf(*architecture, header.metadata));
  if (!undone) return;
  const auto& tensors = undone->weights->tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    Require(i == 0 || tensors[i - 1].name < tensors[i].name);
    std::vector<float> last(std::min<uint64_t>(tensors[i].element_count, 64));
    for (const uint64_t first : {uint64_t{0}, tensors[i].element_count - last.size()}) {
      const auto read = undone->weights->ReadFloat32(i, first, last);
      Require(static_cast<bool>(read));
    }
  }
}

void CheckAccepted(const tensorguard::internal::TensorTable& table, uint64_t file_size) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  const TensorEntry* previous = nullptr;
  for (const TensorEntry& entry : table.tensors) {
    Require(previous == nullptr || previous->name < entry.name);
    const tensorguard::internal::DTypeInfo& info = tensorguard::internal::InfoOf(entry.dtype);
    const uint64_t bytes = entry.data_end_bytes - entry.data_begin_bytes;
    Require(entry.data_end_bytes > entry.data_begin_bytes && entry.data_end_bytes <= file_size);
    Require(info.block_elements != 0
                ? entry.element_count / info.block_elements * info.block_bytes == bytes
                : entry.element_count * info.bits == bytes * 8);
    ranges.push_back({entry.data_begin_bytes, entry.data_end_bytes});
    previous = &entry;
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i) Require(ranges[i - 1].second <= ranges[i].first);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size < 2) return 0;
  const uint64_t data_bytes = input[0] | static_cast<uint64_t>(input[1]) << 8;
  const std::string_view start(reinterpret_cast<const char*>(input) + 2, size - 2);
  const uint64_t file_size = start.size() + data_bytes;
  const auto header = tensorguard::internal::ParseGgufHeader(start, file_size);
  if (header) {
    CheckAccepted(header->table, file_size);
    CheckUndone(*header);
    const auto vocabulary = tensorguard::internal::VocabularyOfGguf(header->metadata);
    if (vocabulary) tensorguard::internal::CheckVocabulary(*vocabulary, file_size);
  } else {
    CheckRefused(header.error());
  }
  return 0;
}
