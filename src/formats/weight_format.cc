#include "formats/weight_format.h"

#include <array>

namespace tensorguard {
namespace {

struct Marked {
  std::string_view mark;
  std::string_view format;
};

constexpr std::array kSuffixes = std::to_array<Marked>({
    {".bin", "PyTorch"},
    {".pt", "PyTorch"},
    {".pth", "PyTorch"},
    {".ckpt", "PyTorch"},
    {".ggml", "GGML"},
    {".onnx", "ONNX"},
    {".onnx_data", "ONNX"},
    {".npz", "NumPy"},
    {".npy", "NumPy"},
    {".h5", "Keras HDF5"},
    {".keras", "Keras"},
    {".msgpack", "Flax"},
    {".tflite", "TensorFlow Lite"},
    {".pb", "TensorFlow"},
    {".llamafile", "llamafile"},
    {".mlmodel", "Core ML"},
    {".pkl", "Python pickle"},
    {".pickle", "Python pickle"},
    {".nemo", "NeMo"},
});

// Also settings and training leftovers end in .bin and .pt; they are no weights.
constexpr std::array kNotWeights = std::to_array<std::string_view>(
    {"training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.bin", "scheduler.pt"});

// Long enough that none is the length of a safetensors header.
constexpr std::array kMagics = std::to_array<Marked>({
    {"PK\x03\x04", "a zip file, as PyTorch and NumPy write"},
    {"\x80\x02\x8A\x0A\x6C\xFC\x9C\x46", "PyTorch, in its form before 2020"},
    {"\x89HDF\r\n\x1a\n", "HDF5"},
    {"\x93NUMPY", "NumPy"},
});

}  // namespace

std::optional<std::string_view> OtherWeightFormatOfName(std::string_view file_name) {
  for (const std::string_view name : kNotWeights) {
    if (file_name == name) return {};
  }
  for (const auto& [suffix, format] : kSuffixes) {
    if (file_name.ends_with(suffix)) return format;
  }
  return {};
}

std::optional<std::string_view> OtherWeightFormatOfBytes(std::string_view start) {
  for (const auto& [magic, format] : kMagics) {
    if (start.starts_with(magic)) return format;
  }
  return {};
}

}  // namespace tensorguard
