// Which format a weight file is in, by its name and first bytes.
#ifndef TENSORGUARD_FORMATS_WEIGHT_FORMAT_H_
#define TENSORGUARD_FORMATS_WEIGHT_FORMAT_H_

#include <optional>
#include <string_view>

namespace tensorguard {

// "PyTorch", "ONNX" ... if `file_name` is that of weights in a format other than safetensors and
// GGUF, which are read.
std::optional<std::string_view> OtherWeightFormatOfName(std::string_view file_name);

// The same by what a file starts with; `start` is its first 8 bytes, or all if it is shorter.
std::optional<std::string_view> OtherWeightFormatOfBytes(std::string_view start);

}  // namespace tensorguard

#endif  // TENSORGUARD_FORMATS_WEIGHT_FORMAT_H_
