#include "weights/files/strided_read.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kWindowBytes = 1 << 16;
// Reading through a page is as fast as another call.
constexpr uint64_t kWidestGapBytes = 4096;

// One dimension of what is to be read.
struct Axis {
  uint64_t count;
  uint64_t stride;      // in the file, in elements
  uint64_t out_stride;  // in the result, in elements
};

// The part of the file read last.
class Window {
 public:
  Window(const File& file, const StridedTensor& tensor) : file_(file), tensor_(tensor) {}

  // Bytes from element offset `begin` on, at least to `end`; reads on to `further` if it must read.
  // REQUIRES: begin < end, (end - begin) elements fit into the window.
  Result<const std::byte*> Cover(uint64_t begin, uint64_t end, uint64_t further) {
    const uint64_t size = tensor_.element_bytes;
    if (begin < begin_ || end > end_) {
      bytes_.resize(kWindowBytes);
      begin_ = begin;
      end_ = std::min(std::max(end, further), begin + kWindowBytes / size);
      auto read = file_.ReadAt(tensor_.begin_bytes + begin_ * size,
                               std::span(bytes_).first((end_ - begin_) * size));
      if (!read) {
        end_ = begin_;
        return std::move(read).error();
      }
    }
    return bytes_.data() + (begin - begin_) * size;
  }

 private:
  const File& file_;
  const StridedTensor& tensor_;
  std::vector<std::byte> bytes_;
  uint64_t begin_ = 0;  // in elements from the tensor's first
  uint64_t end_ = 0;
};

template <unsigned kBytes>
void CopyElements(const std::byte* from, const Axis& axis, uint64_t count, std::byte* to) {
  for (uint64_t i = 0; i < count; ++i) {
    std::memcpy(to + i * axis.out_stride * kBytes, from + i * axis.stride * kBytes, kBytes);
  }
}

void CopyElements(unsigned element_bytes, const std::byte* from, const Axis& axis, uint64_t count,
                  std::byte* to) {
  switch (element_bytes) {
    case 1:
      return CopyElements<1>(from, axis, count, to);
    case 2:
      return CopyElements<2>(from, axis, count, to);
    case 4:
      return CopyElements<4>(from, axis, count, to);
    default:
      assert(element_bytes == 8);
      return CopyElements<8>(from, axis, count, to);
  }
}

// The elements of a box: every combination of the axes' indices.
class BoxReader {
 public:
  BoxReader(const File& file, const StridedTensor& tensor)
      : bytes_(tensor.element_bytes), window_(file, tensor) {}

  // `offset`: of the box's first element in the file, in elements from the tensor's first.
  Result<void> Read(std::vector<Axis> axes, uint64_t offset, std::byte* out) {
    std::stable_sort(axes.begin(), axes.end(),
                     [](const Axis& a, const Axis& b) { return a.stride > b.stride; });
    std::vector<uint64_t> index(axes.size(), 0);
    const size_t innermost = axes.size() - 1;
    const size_t whole_from = ReadTogetherFrom(axes);
    uint64_t whole_elements = 1;
    for (size_t i = whole_from; i < axes.size(); ++i) {
      whole_elements += (axes[i].count - 1) * axes[i].stride;
    }
    uint64_t whole_end = offset + whole_elements;
    while (true) {
      auto read = ReadRun(axes[innermost], offset, whole_end, out);
      if (!read) return read;
      size_t axis = innermost;
      while (axis > 0 && ++index[axis - 1] == axes[axis - 1].count) {
        --axis;
        index[axis] = 0;
        offset -= (axes[axis].count - 1) * axes[axis].stride;
        out -= (axes[axis].count - 1) * axes[axis].out_stride * bytes_;
      }
      if (axis == 0) return {};
      offset += axes[axis - 1].stride;
      out += axes[axis - 1].out_stride * bytes_;
      if (axis - 1 < whole_from) whole_end = offset + whole_elements;
    }
  }

 private:
  // The first of the innermost axes that are best read together, gaps and all.
  size_t ReadTogetherFrom(const std::vector<Axis>& axes) const {
    uint64_t spanned = 1;
    size_t from = axes.size();
    while (from > 0) {
      const Axis& axis = axes[from - 1];
      if (axis.stride > spanned && (axis.stride - spanned) * bytes_ > kWidestGapBytes) break;
      spanned += (axis.count - 1) * axis.stride;
      --from;
    }
    return from;
  }

  Result<void> ReadRun(const Axis& axis, uint64_t offset, uint64_t whole_end, std::byte* out) {
    const uint64_t window_elements = kWindowBytes / bytes_;
    const bool apart = axis.stride * bytes_ > kWidestGapBytes + bytes_;
    const uint64_t most = apart              ? 1
                          : axis.stride == 0 ? axis.count
                                             : (window_elements - 1) / axis.stride + 1;
    for (uint64_t done = 0; done < axis.count;) {
      const uint64_t count = std::min(most, axis.count - done);
      const uint64_t end = offset + (count - 1) * axis.stride + 1;
      TG_ASSIGN(auto from, window_.Cover(offset, end, whole_end));
      CopyElements(bytes_, from, axis, count, out);
      done += count;
      offset += count * axis.stride;
      out += count * axis.out_stride * bytes_;
    }
    return {};
  }

  unsigned bytes_;  // of an element
  Window window_;
};

// A range in row-major order as boxes: whole slices of a dimension, and what is left before and
// after them one dimension further in.
class RangeReader {
 public:
  RangeReader(const File& file, const StridedTensor& tensor)
      : tensor_(tensor), boxes_(file, tensor), slice_elements_(tensor.shape.size(), 1) {
    for (size_t i = tensor.shape.size(); i-- > 1;) {
      slice_elements_[i - 1] = slice_elements_[i] * tensor.shape[i];
    }
  }

  // Elements [first, first + count) of the part of the tensor that begins at `offset` and has the
  // dimensions from `dimension` on.
  Result<void> Read(size_t dimension, uint64_t offset, uint64_t first, uint64_t count,
                    std::byte* out) {
    if (dimension == tensor_.shape.size()) return boxes_.Read({{1, 1, 1}}, offset, out);
    const uint64_t slice = slice_elements_[dimension];
    const uint64_t stride = tensor_.strides[dimension];
    while (count > 0) {
      const uint64_t index = first / slice;
      const uint64_t in_slice = first % slice;
      uint64_t taken = std::min(count, slice - in_slice);
      Result<void> read;
      if (taken < slice) {
        read = Read(dimension + 1, offset + index * stride, in_slice, taken, out);
      } else {
        taken = count / slice * slice;
        read = ReadSlices(dimension, offset + index * stride, count / slice, out);
      }
      if (!read) return read;
      first += taken;
      count -= taken;
      out += taken * tensor_.element_bytes;
    }
    return {};
  }

 private:
  Result<void> ReadSlices(size_t dimension, uint64_t offset, uint64_t slices, std::byte* out) {
    std::vector<Axis> axes = {{slices, tensor_.strides[dimension], slice_elements_[dimension]}};
    for (size_t i = dimension + 1; i < tensor_.shape.size(); ++i) {
      if (tensor_.shape[i] == 1) continue;
      axes.push_back({tensor_.shape[i], tensor_.strides[i], slice_elements_[i]});
    }
    return boxes_.Read(std::move(axes), offset, out);
  }

  const StridedTensor& tensor_;
  BoxReader boxes_;
  std::vector<uint64_t> slice_elements_;  // of one index of each dimension
};

}  // namespace

Result<void> ReadStrided(const File& file, const StridedTensor& tensor, uint64_t first_element,
                         std::span<std::byte> out) {
  assert(out.size() % tensor.element_bytes == 0);
  if (out.empty()) return {};
  RangeReader reader(file, tensor);
  return reader.Read(0, 0, first_element, out.size() / tensor.element_bytes, out.data());
}

Result<void> ReadStridedReference(const File& file, const StridedTensor& tensor,
                                  uint64_t first_element, std::span<std::byte> out) {
  for (; !out.empty(); out = out.subspan(tensor.element_bytes), ++first_element) {
    uint64_t offset = 0;
    uint64_t rest = first_element;
    for (size_t i = tensor.shape.size(); i-- > 0;) {
      offset += rest % tensor.shape[i] * tensor.strides[i];
      rest /= tensor.shape[i];
    }
    auto read = file.ReadAt(tensor.begin_bytes + offset * tensor.element_bytes,
                            out.first(tensor.element_bytes));
    if (!read) return read;
  }
  return {};
}

}  // namespace tensorguard::internal
