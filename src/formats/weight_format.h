// Which format a weight file is in, by its name and first bytes, and how each format that is read
// names its files.
#ifndef TENSORGUARD_FORMATS_WEIGHT_FORMAT_H_
#define TENSORGUARD_FORMATS_WEIGHT_FORMAT_H_

#include <optional>
#include <span>
#include <string_view>

namespace tensorguard::internal {

inline constexpr std::string_view kTorchFormat = "PyTorch";
inline constexpr std::string_view kNumpyFormat = "NumPy";

// The names that a format's writers give to the files of a model.
struct FormatNames {
  std::string_view format;                     // "safetensors"
  std::string_view layout;                     // what of it is read, for messages
  std::span<const std::string_view> suffixes;  // of its files
  // What a file is called that holds a whole model, without its suffix: "model". Its shards are
  // "model-00001-of-00003". Empty where no name is reserved.
  std::string_view main_stem;
  // Of an index of shards, after a stem; empty if the format has none.
  std::string_view index_suffix;
  std::span<const std::string_view> adapter_endings;  // of the names of adapters
  // Beginnings or ends of names of files that have the suffix and hold no model.
  std::span<const std::string_view> other_beginnings;
  std::span<const std::string_view> other_endings;
  // The first part of several stands for all of them.
  bool first_part_names_all = false;
};

// Those that are read, the one before the other where a folder holds both.
std::span<const FormatNames> ReadableFormats();

// Whether `file_name` can be a model's weights in this format.
bool IsWeightName(const FormatNames& names, std::string_view file_name);

// Whether `file_name` is the main stem with a suffix of the format: "model.safetensors".
bool IsMainName(const FormatNames& names, std::string_view file_name);

// Whether it is what takes that one's place: a shard, or an unnumbered part ("model-vision...").
bool IsMainPartName(const FormatNames& names, std::string_view file_name);

// The one whose index `file_name` is, or null.
const FormatNames* FormatOfIndexName(std::string_view file_name);

// The end of `file_name` that is a suffix of a format that is read, or empty.
std::string_view WeightSuffixOf(std::string_view file_name);

// The format that has this suffix, or null; also of names that IsWeightName does not accept.
const FormatNames* FormatOfWeightName(std::string_view file_name);

// "ONNX", "Keras" ... if `file_name` is that of weights in a format that is not read.
std::optional<std::string_view> OtherWeightFormatOfName(std::string_view file_name);

// The same by what a file starts with; `start` is its first 8 bytes, or all if it is shorter.
std::optional<std::string_view> OtherWeightFormatOfBytes(std::string_view start);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_WEIGHT_FORMAT_H_
