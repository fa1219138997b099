#include "formats/onnx/onnx_tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/checked.h"
#include "base/text.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are stored as they are here");

// Fields of a TensorProto.
enum TensorField : uint64_t {
  kDims = 1,
  kDataType = 2,
  kSegment = 3,
  kFloatData = 4,
  kInt32Data = 5,
  kStringData = 6,
  kInt64Data = 7,
  kTensorName = 8,
  kRawData = 9,
  kDoubleData = 10,
  kUint64Data = 11,
  kExternalData = 13,
  kDataLocation = 14,
};
constexpr uint64_t kExternal = 1;  // of data_location
constexpr uint64_t kStringType = 8;
// Writers put a tensor's numbers into one packed run.
constexpr size_t kMostRuns = 1 << 16;

struct ElementType {
  uint64_t number;  // TensorProto.DataType
  std::string_view name;
  std::optional<DType> dtype;
  OnnxNibbles nibbles = OnnxNibbles::kNone;
  uint64_t typed_field = kInt32Data;  // that holds the numbers where raw_data does not
};

constexpr std::array kElementTypes = std::to_array<ElementType>({
    {1, "FLOAT", DType::kF32, OnnxNibbles::kNone, kFloatData},
    {2, "UINT8", DType::kU8},
    {3, "INT8", DType::kI8},
    {4, "UINT16", DType::kU16},
    {5, "INT16", DType::kI16},
    {6, "INT32", DType::kI32},
    {7, "INT64", DType::kI64, OnnxNibbles::kNone, kInt64Data},
    {8, "STRING", {}},
    {9, "BOOL", DType::kBool},
    {10, "FLOAT16", DType::kF16},
    {11, "DOUBLE", DType::kF64, OnnxNibbles::kNone, kDoubleData},
    {12, "UINT32", DType::kU32, OnnxNibbles::kNone, kUint64Data},
    {13, "UINT64", DType::kU64, OnnxNibbles::kNone, kUint64Data},
    {14, "COMPLEX64", DType::kC64, OnnxNibbles::kNone, kFloatData},
    {15, "COMPLEX128", {}},
    {16, "BFLOAT16", DType::kBF16},
    {17, "FLOAT8E4M3FN", DType::kF8E4M3},
    {18, "FLOAT8E4M3FNUZ", DType::kF8E4M3Fnuz},
    {19, "FLOAT8E5M2", DType::kF8E5M2},
    {20, "FLOAT8E5M2FNUZ", DType::kF8E5M2Fnuz},
    {21, "UINT4", DType::kU8, OnnxNibbles::kUnsigned},
    {22, "INT4", DType::kU8, OnnxNibbles::kSigned},
    {23, "FLOAT4E2M1", DType::kF4},
    {24, "FLOAT8E8M0", DType::kF8E8M0},
    {25, "UINT2", {}},
    {26, "INT2", {}},
});

const ElementType* FindElementType(uint64_t number) {
  const auto* type = std::find_if(kElementTypes.begin(), kElementTypes.end(),
                                  [&](const ElementType& row) { return row.number == number; });
  return type == kElementTypes.end() ? nullptr : type;
}

Error OverLimit(std::string_view what, uint64_t limit) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = fmt::format("ONNX file holds more {} than this program reads", what),
          .expected = fmt::format("at most {}", limit)};
}

// A message as it stands in the file, before its parts are held against each other.
struct RawTensor {
  std::string name;
  std::vector<uint64_t> shape;
  uint64_t type = 0;
  std::optional<ProtobufField> raw;
  std::vector<ProtobufField> typed;  // numbers: packed runs, or single ones
  bool external = false;
  OnnxExternalData external_data;
  bool strings = false;
};

class TensorReader {
 public:
  TensorReader(ProtobufBytes& bytes, OnnxBudget& budget) : bytes_(bytes), budget_(budget) {}

  Result<RawTensor> Read(const ProtobufField& message) {
    RawTensor tensor;
    ProtobufReader reader(bytes_, message);
    while (!reader.AtEnd()) {
      TG_ASSIGN(const auto field, budget_.Next(reader));
      auto added = AddField(field, tensor);
      if (!added) {
        Error error = std::move(added).error().InTensor(tensor.name);
        if (!error.byte_offset) error.byte_offset = field.begin_bytes;
        return error;
      }
    }
    return tensor;
  }

  // The numbers of `runs` as little-endian elements of `element_bytes` each.
  Result<std::string> Unpack(const std::vector<ProtobufField>& runs, const ElementType& type,
                             unsigned element_bytes) {
    std::string elements;
    for (const ProtobufField& run : runs) {
      const bool fixed = type.typed_field == kFloatData || type.typed_field == kDoubleData;
      TG_TRY(fixed ? AddFixed(run, elements) : AddVarints(run, element_bytes, elements));
    }
    return elements;
  }

 private:
  Result<void> AddField(const ProtobufField& field, RawTensor& tensor) {
    switch (field.number) {
      case kDims:
        return AddDimensions(field, tensor.shape);
      case kDataType:
        tensor.type = field.number_value;
        return CheckOnnxField(field, ProtobufType::kVarint);
      case kSegment:
        return Error{.kind = ErrorKind::kUnsupported,
                     .problem = "tensors in segments are not read"};
      case kFloatData:
      case kInt32Data:
      case kInt64Data:
      case kDoubleData:
      case kUint64Data:
        if (tensor.typed.size() == kMostRuns) return OverLimit("unpacked numbers", kMostRuns);
        tensor.typed.push_back(field);
        return {};
      case kStringData:
        tensor.strings = true;
        return {};
      case kTensorName:
        return AddText(field, tensor.name);
      case kRawData:
        tensor.raw = field;
        return CheckOnnxField(field, ProtobufType::kBytes);
      case kExternalData:
        return AddExternal(field, tensor.external_data);
      case kDataLocation:
        if (field.number_value > kExternal) {
          return Error{.problem = "tensor lies in a kind of place that ONNX does not know",
                       .found = fmt::format("{}", field.number_value)};
        }
        tensor.external = field.number_value == kExternal;
        return CheckOnnxField(field, ProtobufType::kVarint);
      default:
        return {};
    }
  }

  Result<void> AddText(const ProtobufField& field, std::string& text) {
    TG_ASSIGN(auto read, budget_.TakeText(bytes_, field));
    text = std::move(read);
    return {};
  }

  Result<void> AddDimensions(const ProtobufField& field, std::vector<uint64_t>& shape) {
    std::vector<uint64_t> added;
    if (field.type == ProtobufType::kVarint) {
      added.push_back(field.number_value);
    } else if (auto packed = CheckOnnxField(field, ProtobufType::kBytes); !packed) {
      return packed;
    }
    ProtobufReader reader(bytes_, field);
    while (field.type == ProtobufType::kBytes && !reader.AtEnd() &&
           added.size() <= OnnxLimits::kDimensions) {
      TG_ASSIGN(const auto dimension, reader.TakeVarint());
      added.push_back(dimension);
    }
    shape.insert(shape.end(), added.begin(), added.end());
    if (shape.size() > OnnxLimits::kDimensions) {
      return Error{.problem = "tensor has too many dimensions",
                   .expected = fmt::format("at most {}", OnnxLimits::kDimensions)};
    }
    return {};
  }

  // One key and value of the place in another file.
  Result<void> AddExternal(const ProtobufField& message, OnnxExternalData& data) {
    if (auto checked = CheckOnnxField(message, ProtobufType::kBytes); !checked) return checked;
    std::string key;
    std::string value;
    ProtobufReader reader(bytes_, message);
    while (!reader.AtEnd()) {
      TG_ASSIGN(const auto field, budget_.Next(reader));
      if (field.number != 1 && field.number != 2) continue;
      auto added = AddText(field, field.number == 1 ? key : value);
      if (!added) return added;
    }
    if (key == "location") {
      data.location = std::move(value);
      return {};
    }
    if (key != "offset" && key != "length") return {};
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) {
      return Error{.problem = fmt::format("{} of external data is no whole number", key),
                   .found = value};
    }
    if (key == "offset") {
      data.begin_bytes = number;
    } else {
      data.length_bytes = number;
    }
    return {};
  }

  Result<void> AddFixed(const ProtobufField& run, std::string& elements) {
    if (run.type == ProtobufType::kVarint) return CheckOnnxField(run, ProtobufType::kBytes);
    if (auto taken = budget_.TakeUnpacked(run.length_bytes()); !taken) return taken;
    const size_t begin = elements.size();
    elements.resize(begin + run.length_bytes());
    return bytes_.Read(run.begin_bytes, std::as_writable_bytes(std::span(elements).subspan(begin)));
  }

  Result<void> AddVarints(const ProtobufField& run, unsigned element_bytes, std::string& elements) {
    const auto add = [&](uint64_t number) {
      elements.append(reinterpret_cast<const char*>(&number), element_bytes);
      return budget_.TakeUnpacked(element_bytes);
    };
    if (run.type == ProtobufType::kVarint) return add(run.number_value);
    if (auto checked = CheckOnnxField(run, ProtobufType::kBytes); !checked) return checked;
    ProtobufReader reader(bytes_, run);
    while (!reader.AtEnd()) {
      TG_ASSIGN(const auto number, reader.TakeVarint());
      if (auto added = add(number); !added) return added;
    }
    return {};
  }

  ProtobufBytes& bytes_;
  OnnxBudget& budget_;
};

Result<const ElementType*> ReadableType(const RawTensor& tensor) {
  const ElementType* type = FindElementType(tensor.type);
  if (type != nullptr && type->dtype) return type;
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "tensor type is not read",
               .found = type == nullptr ? fmt::format("type {}", tensor.type)
                                        : fmt::format("type {} ({})", type->number, type->name)};
}

Result<void> FillShape(const ElementType& type, std::vector<uint64_t> shape, OnnxTensor& tensor) {
  tensor.dtype = *type.dtype;
  tensor.nibbles = type.nibbles;
  const unsigned bits = type.nibbles != OnnxNibbles::kNone ? 4 : InfoOf(tensor.dtype).bits;
  const auto elements = ElementCount(shape);
  const auto all_bits = elements ? CheckedMultiply(*elements, bits) : std::nullopt;
  if (!all_bits) {
    return Error{.problem = "shape is too large to address",
                 .found = fmt::format("shape [{}]", fmt::join(shape, ", "))};
  }
  tensor.shape = std::move(shape);
  tensor.element_count = *elements;
  tensor.data_bytes = *all_bits / 8 + (*all_bits % 8 != 0);
  return {};
}

Result<void> CheckLength(const OnnxTensor& tensor, uint64_t bytes) {
  if (bytes == tensor.data_bytes) return {};
  return Error{.problem = "tensor's data is not as long as its shape says",
               .found = fmt::format("{} bytes", bytes),
               .expected = fmt::format("{} bytes for shape [{}]", tensor.data_bytes,
                                       fmt::join(tensor.shape, ", "))};
}

Result<void> PlaceData(RawTensor& raw, const ElementType& type, TensorReader& reader,
                       OnnxTensor& tensor) {
  if (raw.external) {
    if (raw.external_data.location.empty()) {
      return Error{.problem = "tensor lies in another file, but does not say which"};
    }
    if (raw.external_data.length_bytes) {
      auto checked = CheckLength(tensor, *raw.external_data.length_bytes);
      if (!checked) return checked;
    }
    tensor.data = std::move(raw.external_data);
    return {};
  }
  if (std::any_of(raw.typed.begin(), raw.typed.end(),
                  [&](const ProtobufField& run) { return run.number != type.typed_field; })) {
    return Error{.problem = "tensor's numbers lie in a field of another type",
                 .expected = fmt::format("field {} for {}", type.typed_field, type.name)};
  }
  if (raw.raw && !raw.typed.empty()) return Error{.problem = "tensor has its data twice"};
  // What is stored as fixed numbers in one run lies there as raw data would.
  const bool fixed = type.typed_field == kFloatData || type.typed_field == kDoubleData;
  if (!raw.raw && fixed && raw.typed.size() == 1 && raw.typed[0].type == ProtobufType::kBytes) {
    raw.raw = raw.typed[0];
  }
  if (raw.raw) {
    tensor.data = OnnxInlineData{raw.raw->begin_bytes, raw.raw->end_bytes};
    return CheckLength(tensor, raw.raw->length_bytes());
  }
  // Half bytes come two to a number.
  const unsigned bits = InfoOf(tensor.dtype).bits;
  TG_ASSIGN(auto elements, reader.Unpack(raw.typed, type, std::max(1u, bits / 8)));
  const uint64_t length = elements.size();
  tensor.data = std::move(elements);
  return CheckLength(tensor, length);
}

Result<OnnxTensor> Understood(RawTensor raw, TensorReader& reader) {
  TG_ASSIGN(const auto type, ReadableType(raw));
  OnnxTensor tensor;
  TG_TRY(FillShape(*type, std::move(raw.shape), tensor));
  TG_TRY(PlaceData(raw, *type, reader, tensor));
  return tensor;
}

}  // namespace

Result<void> OnnxBudget::TakeField() {
  if (++fields_ <= OnnxLimits::kFields) return {};
  return OverLimit("fields", OnnxLimits::kFields);
}

Result<void> OnnxBudget::TakeUnpacked(uint64_t bytes) {
  unpacked_bytes_ += bytes;
  if (unpacked_bytes_ <= OnnxLimits::kUnpackedBytes) return {};
  Error error =
      OverLimit("bytes of tensors that are not stored as raw data", OnnxLimits::kUnpackedBytes);
  error.advice = "save the model again with raw or external data";
  return error;
}

Result<std::string> OnnxBudget::TakeText(ProtobufBytes& bytes, const ProtobufField& field) {
  TG_TRY(CheckOnnxField(field, ProtobufType::kBytes));
  auto text = bytes.Text(field, OnnxLimits::kNameBytes);
  if (!text) return text;
  text_bytes_ += text->size();
  if (text_bytes_ > OnnxLimits::kTextBytes) {
    return OverLimit("bytes of names", OnnxLimits::kTextBytes);
  }
  if (IsUtf8(*text)) return text;
  return Error{.problem = "name in an ONNX file is not UTF-8",
               .byte_offset = field.begin_bytes,
               .found = *text};
}

Result<ProtobufField> OnnxBudget::Next(ProtobufReader& reader) {
  TG_TRY(TakeField());
  return reader.Next();
}

Result<void> CheckOnnxField(const ProtobufField& field, ProtobufType type) {
  if (field.type == type) return {};
  return Error{.problem = fmt::format("field {} is not stored as ONNX stores it", field.number),
               .byte_offset = field.begin_bytes,
               .found = fmt::format("wire type {}", static_cast<int>(field.type)),
               .expected = fmt::format("wire type {}", static_cast<int>(type))};
}

Result<std::optional<OnnxTensor>> ReadOnnxTensor(ProtobufBytes& bytes, const ProtobufField& message,
                                                 bool constant, OnnxBudget& budget) {
  TG_TRY(CheckOnnxField(message, ProtobufType::kBytes));
  TensorReader reader(bytes, budget);
  TG_ASSIGN(auto raw, reader.Read(message));
  if (constant && (raw.strings || raw.type == kStringType)) return std::optional<OnnxTensor>();
  std::string name = std::move(raw.name);
  auto tensor = Understood(std::move(raw), reader);
  if (!tensor) {
    Error error = std::move(tensor).error().InTensor(name);
    if (!error.byte_offset) error.byte_offset = message.begin_bytes;
    return error;
  }
  tensor->name = std::move(name);
  return std::optional(*std::move(tensor));
}

}  // namespace tensorguard::internal
