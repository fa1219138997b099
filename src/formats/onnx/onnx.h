// An ONNX model (onnx.proto of ONNX 1.20): its tensors, and which node uses which of them.
#ifndef TENSORGUARD_FORMATS_ONNX_ONNX_H_
#define TENSORGUARD_FORMATS_ONNX_ONNX_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/file.h"
#include "formats/byte_source.h"
#include "safetensors/dtype.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

inline constexpr std::string_view kOnnxSuffix = ".onnx";

// Far above what is in use (tens of thousands of nodes), so that memory and time are bounded.
struct OnnxLimits {
  static constexpr size_t kNodes = 1 << 20;
  static constexpr size_t kTensors = 1 << 20;
  static constexpr size_t kNamesOfNodes = 1 << 22;  // inputs, outputs and attributes of all nodes
  static constexpr uint64_t kFields = 1 << 26;      // of all messages, numbers of packed ones too
  static constexpr uint64_t kTextBytes = 256 << 20;
  static constexpr uint64_t kNameBytes = 65535;
  static constexpr uint64_t kUnpackedBytes = 64 << 20;  // of tensors stored as varints
  static constexpr size_t kDimensions = 16;
  static constexpr size_t kDepth = 16;  // of graphs in attributes of nodes of graphs
};

// Elements of half a byte, the first in the low bits; the bytes are the tensor's data.
enum class OnnxNibbles { kNone, kUnsigned, kSigned };

struct OnnxInlineData {  // bytes of the file
  uint64_t begin_bytes = 0;
  uint64_t end_bytes = 0;
};

struct OnnxExternalData {  // bytes of another file
  std::string location;    // relative to the model's folder; attacker text
  uint64_t begin_bytes = 0;
  std::optional<uint64_t> length_bytes = {};  // absent: to the end of the file
};

struct OnnxTensor {
  std::string name;
  size_t graph = 0;  // that it belongs to
  DType dtype = DType::kF32;
  OnnxNibbles nibbles = OnnxNibbles::kNone;  // if not kNone, `dtype` is U8
  std::vector<uint64_t> shape;
  uint64_t element_count = 0;
  uint64_t data_bytes = 0;  // that the elements take
  // The last: little-endian bytes, of what the file holds as varints.
  std::variant<OnnxInlineData, OnnxExternalData, std::string> data;
};

struct OnnxNode {
  std::string name;
  std::string op_type;
  std::string domain;               // empty: ONNX's own; "com.microsoft", ...
  size_t graph = 0;                 // that it belongs to
  std::vector<std::string> inputs;  // empty: left out
  std::vector<std::string> outputs;
  std::map<std::string, int64_t, std::less<>> numbers;             // attributes of one integer
  std::map<std::string, std::vector<int64_t>, std::less<>> lists;  // of integers

  const std::string& Input(size_t index) const;  // empty if there is none
  int64_t Number(std::string_view attribute, int64_t otherwise) const;
};

struct OnnxGraph {
  // Whose tensors it sees too; empty for the main graph and for functions.
  std::optional<size_t> outer;
};

struct OnnxModel {
  std::string producer;
  std::vector<OnnxGraph> graphs;    // the main one first, an outer one before those in it
  std::vector<OnnxTensor> tensors;  // initialisers, and constants that nodes hold
  std::vector<OnnxNode> nodes;      // as the file orders them, those of inner graphs first
};

// Reads everything but the tensors' numbers. Names are unique in a graph, data of tensors are as
// long as type and shape say, and lie inside the file (those in other files are not looked at).
// Strings and sequences are passed over where they are constants. Errors: kBadFile with tensor and
// byte; kUnsupported for sparse initialisers, initialisers of strings or of types that are not
// known, and more than OnnxLimits.
Result<OnnxModel> ParseOnnx(const ByteSource& source);
Result<OnnxModel> ReadOnnx(const File& file);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_ONNX_ONNX_H_
