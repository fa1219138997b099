#include "safetensors/tensor_layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cassert>
#include <optional>
#include <string>

#include "base/checked.h"

namespace tensorguard::internal {
namespace {

std::string LayoutText(const TensorEntry& entry, uint64_t first_element) {
  std::string text = fmt::format("shape [{}]", fmt::join(entry.shape, ", "));
  if (!entry.strides.empty()) {
    text += fmt::format(", strides [{}]", fmt::join(entry.strides, ", "));
  }
  if (first_element != 0) text += fmt::format(", from element {} on", first_element);
  return text;
}

bool IsRowMajor(const TensorEntry& entry) {
  if (entry.element_count == 0) return true;
  uint64_t expected = 1;
  for (size_t i = entry.shape.size(); i-- > 0;) {
    if (entry.shape[i] != 1 && entry.strides[i] != expected) return false;
    expected *= entry.shape[i];  // a part of element_count
  }
  return true;
}

// Elements from the first to the furthest, that one included; empty if it does not fit in 64 bits.
std::optional<uint64_t> ElementsSpanned(const TensorEntry& entry) {
  if (entry.strides.empty() || entry.element_count == 0) return entry.element_count;
  std::optional<uint64_t> furthest = 0;
  for (size_t i = 0; furthest && i < entry.shape.size(); ++i) {
    const auto step = CheckedMultiply(entry.shape[i] - 1, entry.strides[i]);
    furthest = step ? CheckedAdd(*furthest, *step) : std::nullopt;
  }
  return furthest ? CheckedAdd(*furthest, 1) : std::nullopt;
}

Result<uint64_t> CountElements(const TensorEntry& entry) {
  if (entry.shape.size() > kMostDimensions) {
    return Error{.problem = "tensor has too many dimensions",
                 .found = fmt::format("{}", entry.shape.size()),
                 .expected = fmt::format("at most {}", kMostDimensions)};
  }
  if (!entry.strides.empty() && entry.strides.size() != entry.shape.size()) {
    return Error{.problem = "shape and strides have different lengths",
                 .found = fmt::format("[{}] and [{}]", fmt::join(entry.shape, ", "),
                                      fmt::join(entry.strides, ", "))};
  }
  const auto elements = ElementCount(entry.shape);
  if (elements) return *elements;
  return Error{.problem = "shape is too large to address", .found = LayoutText(entry, 0)};
}

}  // namespace

Result<void> PlaceTensor(TensorEntry& entry, const StorageRange& storage, uint64_t first_element) {
  assert(!IsBlockType(entry.dtype) && storage.begin_bytes <= storage.end_bytes);
  const auto elements = CountElements(entry);
  if (!elements) return elements.error();
  entry.element_count = *elements;
  if (!entry.strides.empty() && IsRowMajor(entry)) entry.strides.clear();

  const unsigned bits = InfoOf(entry.dtype).bits;
  if (bits % 8 != 0 && (!entry.strides.empty() || first_element * bits % 8 != 0)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "elements that share bytes cannot be a view of others",
                 .found = LayoutText(entry, first_element)};
  }
  const auto spanned = ElementsSpanned(entry);
  const auto end = spanned ? CheckedAdd(first_element, *spanned) : std::nullopt;
  const auto end_bits = end ? CheckedMultiply(*end, bits) : std::nullopt;
  const uint64_t storage_bytes = storage.end_bytes - storage.begin_bytes;
  if (!end_bits || *end_bits / 8 + (*end_bits % 8 != 0) > storage_bytes) {
    return Error{.problem = "tensor reaches past the end of its storage",
                 .found = LayoutText(entry, first_element),
                 .expected = fmt::format("at most {} bytes, as {} elements of {}", storage_bytes,
                                         storage_bytes * 8 / bits, InfoOf(entry.dtype).name)};
  }
  entry.data_begin_bytes = storage.begin_bytes + first_element * bits / 8;
  entry.data_end_bytes = storage.begin_bytes + (*end_bits + 7) / 8;
  return {};
}

std::vector<uint64_t> ColumnMajorStrides(std::span<const uint64_t> shape) {
  std::vector<uint64_t> strides;
  uint64_t stride = 1;
  for (const uint64_t dimension : shape) {
    strides.push_back(stride);
    if (dimension != 0) stride *= dimension;
  }
  return strides;
}

}  // namespace tensorguard::internal
