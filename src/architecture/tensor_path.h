// A tensor's name taken apart: layer, expert, module and parameter.
#ifndef TENSORGUARD_ARCHITECTURE_TENSOR_PATH_H_
#define TENSORGUARD_ARCHITECTURE_TENSOR_PATH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "architecture/role_table.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

enum class Parameter {
  kWeight,
  kBias,
  kCodes,  // a quantiser's integers that stand for the weight
  kScale,  // its scales, zero points, tables
};

// Larger numbers in a name are no layer: whoever allocates per layer is safe.
inline constexpr uint32_t kLargestIndex = 99'999;

struct TensorPath {
  // The name in lower case, '.' between its words ('/' counts as '.' in names without a '.').
  // Everything else below views it.
  std::string text;
  std::vector<std::string_view> words;

  size_t prefix_words = 0;               // before the list of layers; all of them outside layers
  std::string_view list;                 // what holds the layers: "layers", "h", "blocks", ...
  std::optional<uint32_t> layer;         // as in the name
  std::vector<std::string_view> module;  // words after the layer's, or all; neither the parameter
                                         // nor numbers, except a number at the end
  std::optional<uint32_t> expert;        // experts.N
  bool in_experts = false;               // below a list or stack of experts
  Parameter parameter = Parameter::kWeight;
  bool parameter_named = false;     // the name spells "weight", "bias" and so on
  bool stored_input_major = false;  // the parameter's name says so: Flax's "kernel", GPTQ
  bool unreadable = false;          // too long to take apart

  // The text up to and with the last letter of `word`, which must be one of `words` or `module`.
  std::string_view TextThrough(std::string_view word) const;
  // `module`'s parent in full, from the start of the name.
  std::string_view ParentText() const;
};

// What a word of a name tells by itself.
struct WordMeaning {
  std::optional<Block> block;
  std::string_view modality_stack;  // empty: none
};

// All names of a model taken apart. Pinned: the paths view their own texts.
class ModelPaths {
 public:
  explicit ModelPaths(std::span<const TensorInfo> tensors);
  ModelPaths(const ModelPaths&) = delete;
  ModelPaths& operator=(const ModelPaths&) = delete;

  std::span<const TensorPath> paths() const { return paths_; }
  const TensorPath& operator[](size_t index) const { return paths_[index]; }

  // True if a module or tensor is called `parent` + '.' + `name`.
  bool Has(std::string_view parent, std::string_view name) const;
  // True if some name has this word.
  bool HasWord(std::string_view word) const { return words_.contains(word); }
  // Looked up once per word and model: names repeat their words.
  WordMeaning MeaningOf(std::string_view word) const;

 private:
  void Remember(const TensorPath& path, std::string_view previous_text);

  std::vector<TensorPath> paths_;
  std::set<std::string_view> modules_;  // every name and every beginning of one
  std::map<std::string_view, WordMeaning> words_;
};

// The number that `word` spells in plain decimal digits, if it is at most kLargestIndex.
std::optional<uint32_t> IndexOf(std::string_view word);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_TENSOR_PATH_H_
