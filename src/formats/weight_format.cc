#include "formats/weight_format.h"

#include <algorithm>
#include <array>

namespace tensorguard::internal {
namespace {

using namespace std::string_view_literals;

constexpr std::array kSafetensorsSuffixes = {".safetensors"sv};
// Our own results have the suffix too, and are never a model.
constexpr std::array kSafetensorsOthers = {".fingerprint.safetensors"sv};
constexpr std::array kSafetensorsAdapters = {"adapter_model.safetensors"sv,
                                             "adapters.safetensors"sv};
constexpr std::array kOnnxSuffixes = {".onnx"sv};
constexpr std::array kGgufSuffixes = {".gguf"sv};
// A vision projector beside its language model is no model.
constexpr std::array kGgufOthers = {"mmproj"sv};

constexpr std::array kTorchSuffixes = {".bin"sv, ".pt"sv, ".pth"sv, ".ckpt"sv};
constexpr std::array kTorchAdapters = {"adapter_model.bin"sv};
// State of a training, and what other programs call ".bin".
constexpr std::array kTorchOthers = {"training_args"sv, "optimizer"sv, "scheduler"sv, "scaler"sv,
                                     "rng_state"sv,     "tokenizer"sv, "openvino"sv,  "ggml-"sv};
constexpr std::array kNumpySuffixes = {".npz"sv, ".npy"sv};

constexpr std::array kReadable = std::to_array<FormatNames>({
    {.format = "safetensors",
     .layout = "safetensors: one file, numbered shards (model-00001-of-00003.safetensors), or an "
               "index (model.safetensors.index.json) and its shards",
     .suffixes = kSafetensorsSuffixes,
     .main_stem = "model",
     .index_suffix = ".safetensors.index.json",
     .adapter_endings = kSafetensorsAdapters,
     .other_beginnings = {},
     .other_endings = kSafetensorsOthers},
    {.format = "GGUF",
     .layout = "GGUF: one file or numbered parts",
     .suffixes = kGgufSuffixes,
     .main_stem = {},
     .index_suffix = {},
     .adapter_endings = {},
     .other_beginnings = kGgufOthers,
     .other_endings = {},
     .first_part_names_all = true},
    {.format = kTorchFormat,
     .layout = "PyTorch: one file (.bin, .pt, .pth, .ckpt), numbered shards, or an index "
               "(pytorch_model.bin.index.json) and its shards",
     .suffixes = kTorchSuffixes,
     .main_stem = "pytorch_model",
     .index_suffix = ".bin.index.json",
     .adapter_endings = kTorchAdapters,
     .other_beginnings = kTorchOthers,
     .other_endings = {}},
    {.format = kNumpyFormat,
     .layout = "NumPy: one .npz",
     .suffixes = kNumpySuffixes,
     .main_stem = {},
     .index_suffix = {},
     .adapter_endings = {},
     .other_beginnings = {},
     .other_endings = {}},
    {.format = "ONNX",
     .layout = "ONNX: one file with its external data, or those of an encoder and its decoder",
     .suffixes = kOnnxSuffixes,
     .main_stem = {},
     .index_suffix = {},
     .adapter_endings = {},
     .other_beginnings = {},
     .other_endings = {}},
});

bool EndsWithAny(std::string_view name, std::span<const std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

bool StartsWithAny(std::string_view name, std::span<const std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return name.starts_with(beginning); });
}

struct Marked {
  std::string_view mark;
  std::string_view format;
};

constexpr std::array kSuffixes = std::to_array<Marked>({
    {".ggml", "GGML"},
    {".onnx_data", "ONNX's external data, without its model"},
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
    {".distcp", "a part of a distributed checkpoint of PyTorch"},
});

// Long enough that none is the length of a safetensors header.
constexpr std::array kMagics = std::to_array<Marked>({
    {"\x89HDF\r\n\x1a\n", "HDF5"},
});

}  // namespace

std::span<const FormatNames> ReadableFormats() { return kReadable; }

bool IsWeightName(const FormatNames& names, std::string_view file_name) {
  return EndsWithAny(file_name, names.suffixes) &&
         !StartsWithAny(file_name, names.other_beginnings) &&
         !EndsWithAny(file_name, names.other_endings);
}

bool IsMainName(const FormatNames& names, std::string_view file_name) {
  if (names.main_stem.empty() || !file_name.starts_with(names.main_stem)) return false;
  file_name.remove_prefix(names.main_stem.size());
  return std::find(names.suffixes.begin(), names.suffixes.end(), file_name) != names.suffixes.end();
}

bool IsMainPartName(const FormatNames& names, std::string_view file_name) {
  if (names.main_stem.empty() || !file_name.starts_with(names.main_stem)) return false;
  file_name.remove_prefix(names.main_stem.size());
  return file_name.starts_with('-') || file_name.starts_with('_');
}

const FormatNames* FormatOfIndexName(std::string_view file_name) {
  const auto names = std::find_if(kReadable.begin(), kReadable.end(), [&](const FormatNames& row) {
    return !row.index_suffix.empty() && file_name.ends_with(row.index_suffix);
  });
  return names == kReadable.end() ? nullptr : &*names;
}

std::string_view WeightSuffixOf(std::string_view file_name) {
  for (const FormatNames& names : kReadable) {
    for (const std::string_view suffix : names.suffixes) {
      if (file_name.ends_with(suffix)) return suffix;
    }
  }
  return {};
}

const FormatNames* FormatOfWeightName(std::string_view file_name) {
  const auto names = std::find_if(kReadable.begin(), kReadable.end(), [&](const FormatNames& row) {
    return EndsWithAny(file_name, row.suffixes);
  });
  return names == kReadable.end() ? nullptr : &*names;
}

std::optional<std::string_view> OtherWeightFormatOfName(std::string_view file_name) {
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

}  // namespace tensorguard::internal
