// Any config beside any table of tensors: never a crash, and what is accepted has the shape that it
// states and can be read anywhere. An input is a JSON object with "config" and "tensors", a list of
// objects with name, dtype and shape, and with the tensor's first bytes as "text" where they
// matter.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/json.h"
#include "base/random_bits.h"
#include "fuzz/refusal_checks.h"
#include "weights/elements/element_types.h"
#include "weights/quantised/quantised_weights.h"

namespace {

using tensorguard::Result;
using tensorguard::internal::Json;
using tensorguard::internal::Require;
using tensorguard::internal::TensorInfo;
using tensorguard::internal::WeightSource;

constexpr size_t kMostTensors = 64;
constexpr uint64_t kMostElementsRead = 1 << 16;

// Tensors as an opened file has them, with bytes from their position.
class FuzzedWeights : public WeightSource {
 public:
  explicit FuzzedWeights(const Json& list) {
    for (const Json& entry : list) {
      if (tensors_.size() < kMostTensors && entry.is_object()) Add(entry);
    }
    std::sort(rows_.begin(), rows_.end(),
              [](const Row& a, const Row& b) { return a.info.name < b.info.name; });
    const auto same = [](const Row& a, const Row& b) { return a.info.name == b.info.name; };
    rows_.erase(std::unique(rows_.begin(), rows_.end(), same), rows_.end());
    for (const Row& row : rows_) tensors_.push_back(row.info);
  }

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }

  Result<void> ReadFloat32(size_t tensor, uint64_t first, std::span<float> out) const override {
    const TensorInfo& info = tensors_[tensor];
    Require(first <= info.element_count && out.size() <= info.element_count - first);
    const unsigned group = tensorguard::internal::ElementsPerGroup(info.dtype);
    std::vector<float> numbers((out.size() + 2 * group) / group * group);
    std::vector<std::byte> bytes(numbers.size() / group *
                                 tensorguard::internal::BytesPerGroup(info.dtype));
    Fill(tensor, first / group * tensorguard::internal::BytesPerGroup(info.dtype), bytes);
    if (!tensorguard::internal::IsReal(info.dtype)) return tensorguard::Error{.problem = "complex"};
    tensorguard::internal::DecodeToFloat32(info.dtype, bytes, numbers);
    std::copy_n(numbers.begin() + static_cast<ptrdiff_t>(first % group), out.size(), out.begin());
    return {};
  }
  bool IsBFloat16(size_t) const override { return false; }
  Result<void> ReadBFloat16(size_t, uint64_t,
                            std::span<tensorguard::internal::BFloat16>) const override {
    std::abort();
  }
  Result<void> ReadBytes(size_t tensor, uint64_t first, std::span<std::byte> out) const override {
    const uint64_t size = tensors_[tensor].stored_bytes;
    Require(first <= size && out.size() <= size - first);
    Fill(tensor, first, out);
    return {};
  }

 private:
  struct Row {
    TensorInfo info;
    std::string text;
  };

  void Add(const Json& entry) {
    Row row;
    row.info.name = entry.value("name", Json()).is_string() ? entry["name"].get<std::string>() : "";
    const Json dtype = entry.value("dtype", Json());
    const auto known =
        tensorguard::internal::DTypeFromName(dtype.is_string() ? dtype.get<std::string>() : "F32");
    row.info.dtype = known.value_or(tensorguard::internal::DType::kF32);
    for (const Json& size : entry.value("shape", Json::array())) {
      row.info.shape.push_back(tensorguard::internal::WholeNumber(size).value_or(1));
    }
    const auto count = tensorguard::internal::ElementCount(row.info.shape);
    const auto bits =
        count ? tensorguard::internal::CheckedMultiply(*count, InfoOf(row.info.dtype).bits)
              : std::nullopt;
    if (!bits || *bits % 8 != 0 || *bits >> 62 != 0) return;
    row.info.element_count = *count;
    row.info.stored_bytes = *bits / 8;
    const Json text = entry.value("text", Json());
    if (text.is_string()) row.text = text.get<std::string>();
    rows_.push_back(std::move(row));
  }

  void Fill(size_t tensor, uint64_t first, std::span<std::byte> out) const {
    const std::string& text = rows_[tensor].text;
    for (size_t i = 0; i < out.size(); ++i) {
      const uint64_t place = first + i;
      const uint64_t byte = place < text.size()
                                ? static_cast<uint8_t>(text[place])
                                : tensorguard::internal::RandomBits(tensor, place) & 0x3f;
      out[i] = static_cast<std::byte>(byte);
    }
  }

  std::vector<Row> rows_;  // as tensors_
  std::vector<TensorInfo> tensors_;
};

void CheckReading(const WeightSource& weights, size_t tensor) {
  const TensorInfo& info = weights.tensors()[tensor];
  const auto count = tensorguard::internal::ElementCount(info.shape);
  Require(count && *count == info.element_count);
  if (info.quantisation.empty() || *count == 0) return;
  const uint64_t part = std::min<uint64_t>(*count, kMostElementsRead);
  std::vector<float> start(part);
  const auto read = weights.ReadFloat32(tensor, 0, start);
  if (!read) return Require(!read.error().problem.empty());
  std::vector<float> piece(std::min<uint64_t>(part, 37));
  Require(static_cast<bool>(weights.ReadFloat32(tensor, part - piece.size(), piece)));
  // NaN differs from itself.
  Require(std::equal(piece.begin(), piece.end(), start.end() - static_cast<ptrdiff_t>(piece.size()),
                     [](float a, float b) { return a == b || (a != a && b != b); }));
  (void)weights.ReadFloat32(tensor, *count - piece.size(), piece);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const auto json = tensorguard::internal::ParseJson({reinterpret_cast<const char*>(input), size});
  if (!json || !json->is_object() || !json->value("tensors", Json()).is_array()) return 0;
  const auto config =
      tensorguard::internal::ReadQuantisationConfig(json->value("config", Json()), "/none");
  if (!config) return 0;
  const auto stored = std::make_shared<FuzzedWeights>((*json)["tensors"]);
  const auto weights = tensorguard::internal::DequantiseWeights(stored, *config);
  if (!weights) {
    Require(!weights.error().problem.empty());
    return 0;
  }
  for (size_t i = 0; i < (*weights)->tensors().size(); ++i) {
    Require(i == 0 || (*weights)->tensors()[i - 1].name < (*weights)->tensors()[i].name);
    CheckReading(**weights, i);
  }
  return 0;
}
