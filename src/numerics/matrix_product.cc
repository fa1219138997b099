#include "numerics/matrix_product.h"

#include <algorithm>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "base/parallel.h"

namespace tensorguard::internal {
namespace {

using Memory = dnnl::memory;

const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

Memory::desc Description(uint64_t rows, uint64_t columns, Memory::data_type type, bool transposed) {
  const auto row_count = static_cast<Memory::dim>(rows);
  const auto column_count = static_cast<Memory::dim>(columns);
  const Memory::dims strides =
      transposed ? Memory::dims{1, row_count} : Memory::dims{column_count, 1};
  return {{row_count, column_count}, type, strides};
}

// The library reads through pointers that it does not take as const.
Memory Wrap(const Memory::desc& description, const void* numbers) {
  return {description, Engine(), const_cast<void*>(numbers)};
}

// The result in rows without gaps: the library's fastest kernels know no other.
void MultiplyDensely(const void* left, const void* right, Memory::data_type type, RightSide side,
                     const ProductShape& shape, float* product) {
  UseOneLibraryThread();
  const auto left_rows = Description(shape.rows, shape.inner, type, false);
  const auto right_rows =
      Description(shape.inner, shape.columns, type, side == RightSide::kTransposed);
  const auto product_rows = Description(shape.rows, shape.columns, Memory::data_type::f32, false);
  dnnl::primitive_attr own_scratch;
  own_scratch.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::matmul::primitive_desc plan({left_rows, right_rows, product_rows}, own_scratch,
                                          Engine());
  thread_local std::vector<std::byte> scratch;
  scratch.resize(std::max(scratch.size(), plan.scratchpad_desc().get_size()));
  dnnl::stream stream(Engine());
  dnnl::matmul(plan).execute(stream,
                             {{DNNL_ARG_SRC, Wrap(left_rows, left)},
                              {DNNL_ARG_WEIGHTS, Wrap(right_rows, right)},
                              {DNNL_ARG_DST, Wrap(product_rows, product)},
                              {DNNL_ARG_SCRATCHPAD, Wrap(plan.scratchpad_desc(), scratch.data())}});
  stream.wait();
}

Result<void> MultiplyTyped(const void* left, const void* right, Memory::data_type type,
                           RightSide side, const ProductShape& shape, const ProductRows& product) {
  if (shape.rows == 0 || shape.columns == 0) return {};
  if (shape.inner == 0) {
    for (uint64_t row = 0; row < shape.rows; ++row) {
      std::fill_n(product.first + row * product.row_stride, shape.columns, 0.0f);
    }
    return {};
  }
  try {
    if (product.row_stride == shape.columns) {
      MultiplyDensely(left, right, type, side, shape, product.first);
      return {};
    }
    thread_local std::vector<float> dense;
    dense.resize(shape.rows * shape.columns);
    MultiplyDensely(left, right, type, side, shape, dense.data());
    for (uint64_t row = 0; row < shape.rows; ++row) {
      std::copy_n(dense.data() + row * shape.columns, shape.columns,
                  product.first + row * product.row_stride);
    }
    return {};
  } catch (const dnnl::error& error) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "the system's oneDNN cannot multiply matrices",
                 .found = error.message};
  }
}

std::span<const float> WidenInto(std::vector<float>& wide, std::span<const BFloat16> numbers) {
  if (wide.size() < numbers.size()) wide.resize(numbers.size());
  std::transform(numbers.begin(), numbers.end(), wide.begin(),
                 [](BFloat16 number) { return ToFloat32(number); });
  return std::span(wide).first(numbers.size());
}

}  // namespace

bool MultipliesBFloat16() {
  static const bool does = [] {
    switch (dnnl::get_effective_cpu_isa()) {
      case dnnl::cpu_isa::avx512_core_bf16:
      case dnnl::cpu_isa::avx512_core_amx:
        return true;
      default:
        return false;
    }
  }();
  return does;
}

Result<void> Multiply(std::span<const float> left, std::span<const float> right, RightSide side,
                      const ProductShape& shape, const ProductRows& product) {
  return MultiplyTyped(left.data(), right.data(), Memory::data_type::f32, side, shape, product);
}

Result<void> Multiply(std::span<const BFloat16> left, std::span<const BFloat16> right,
                      RightSide side, const ProductShape& shape, const ProductRows& product) {
  if (!MultipliesBFloat16()) {
    thread_local std::vector<float> wide_left;
    thread_local std::vector<float> wide_right;
    return Multiply(WidenInto(wide_left, left), WidenInto(wide_right, right), side, shape, product);
  }
  return MultiplyTyped(left.data(), right.data(), Memory::data_type::bf16, side, shape, product);
}

void MultiplyPlainly(std::span<const float> left, std::span<const float> right, RightSide side,
                     const ProductShape& shape, const ProductRows& product) {
  const auto right_at = [&](uint64_t k, uint64_t column) {
    return side == RightSide::kTransposed ? right[column * shape.inner + k]
                                          : right[k * shape.columns + column];
  };
  for (uint64_t row = 0; row < shape.rows; ++row) {
    for (uint64_t column = 0; column < shape.columns; ++column) {
      double sum = 0;
      for (uint64_t k = 0; k < shape.inner; ++k) {
        sum += static_cast<double>(left[row * shape.inner + k]) * right_at(k, column);
      }
      product.first[row * product.row_stride + column] = static_cast<float>(sum);
    }
  }
}

}  // namespace tensorguard::internal
