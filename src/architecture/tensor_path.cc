#include "architecture/tensor_path.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "architecture/role_table.h"
#include "base/text.h"

namespace tensorguard::internal {
namespace {

// Longer names than any library writes are attacks on whoever looks at every part of them.
constexpr size_t kLongestNameBytes = 512;
constexpr size_t kMostWords = 40;

struct ParameterRow {
  std::string_view name;
  Parameter parameter;
  bool beside_weight = false;  // only where the module has a weight or codes too
  bool input_major = false;
};

// Last words of names. To teach a quantiser, add its companions here.
constexpr ParameterRow kParameterRows[] = {
    {"weight", Parameter::kWeight},
    {"kernel", Parameter::kWeight, false, true},  // Flax
    {"gamma", Parameter::kWeight},
    {"bias", Parameter::kBias},
    {"beta", Parameter::kBias},
    // GPTQ, AWQ
    {"qweight", Parameter::kCodes, false, true},
    {"qzeros", Parameter::kScale},
    {"g_idx", Parameter::kScale},
    {"scales", Parameter::kScale, true},
    // MLX
    {"biases", Parameter::kScale, true},
    // compressed-tensors, FP8, BitNet
    {"weight_packed", Parameter::kCodes},
    {"weight_scale", Parameter::kScale},
    {"weight_scale_2", Parameter::kScale},
    {"weight_scale_inv", Parameter::kScale},
    {"weight_zero_point", Parameter::kScale},
    {"weight_shape", Parameter::kScale},
    {"weight_g_idx", Parameter::kScale},
    {"weight_global_scale", Parameter::kScale},
    {"input_scale", Parameter::kScale},
    {"input_global_scale", Parameter::kScale},
    {"input_zero_point", Parameter::kScale},
    {"output_scale", Parameter::kScale},
    {"activation_scale", Parameter::kScale},
    {"activation_zero_point", Parameter::kScale},
    {"k_scale", Parameter::kScale},
    {"v_scale", Parameter::kScale},
    {"quant_key_scale", Parameter::kScale},
    {"quant_value_scale", Parameter::kScale},
    {"scale", Parameter::kScale, true},
    // bitsandbytes
    {"absmax", Parameter::kScale},
    {"quant_map", Parameter::kScale},
    {"nested_absmax", Parameter::kScale},
    {"nested_quant_map", Parameter::kScale},
    {"quant_state", Parameter::kScale},
    {"bitsandbytes__nf4", Parameter::kScale},
    {"bitsandbytes__fp4", Parameter::kScale},
    {"scb", Parameter::kScale, true},
    {"weight_format", Parameter::kScale},
    // AQLM, QuIP#, EXL3
    {"codes", Parameter::kCodes, false},
    {"codebooks", Parameter::kScale},
    {"qidxs", Parameter::kCodes},
    {"trellis", Parameter::kCodes},
    {"suh", Parameter::kScale},
    {"svh", Parameter::kScale},
    // Salient channels kept apart
    {"salient_idx", Parameter::kScale},
    {"salient_scale", Parameter::kScale},
    {"salient_weight", Parameter::kScale},
    {"res_u", Parameter::kScale},
    {"res_v", Parameter::kScale},
};

// The same at the end of a word, where experts are stacked without a module of their own.
constexpr ParameterRow kParameterEndings[] = {
    {"_weight", Parameter::kWeight},      {"_bias", Parameter::kBias},
    {"_blocks", Parameter::kCodes},       {"_scales", Parameter::kScale},
    {"_scale", Parameter::kScale},        {"_scale_inv", Parameter::kScale},
    {"_weight_scale", Parameter::kScale}, {"_weight_packed", Parameter::kCodes},
};

constexpr std::array<std::string_view, 5> kWeightNames = {"weight", "qweight", "weight_packed",
                                                          "codes", "kernel"};

// Lists of layers whose name does not end with "layer", "layers", "block" or "blocks".
constexpr std::array<std::string_view, 6> kLayerLists = {
    "h", "blk", "albert_layer_groups", "layer_groups", "layer_norm1", "layer_norm2"};
// XLM keeps one list per kind of module; they count the same layers.
constexpr std::array<std::string_view, 4> kListsPerModule = {"attentions", "ffns", "layer_norm1",
                                                             "layer_norm2"};
constexpr std::array<std::string_view, 5> kExpertLists = {"experts", "switch_mlp", "local_experts",
                                                          "routed_experts", "expert"};

template <size_t kCount>
bool IsOneOf(std::string_view word, const std::array<std::string_view, kCount>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsLayerList(std::string_view word) {
  return word.ends_with("layers") || word.ends_with("layer") || word.ends_with("blocks") ||
         word.ends_with("block") || IsOneOf(word, kLayerLists) || IsOneOf(word, kListsPerModule);
}

// "layer_12", "h_3" or "block7" is a list and its index in one word.
struct ListAndIndex {
  std::string_view list;
  uint32_t index;
};

std::optional<ListAndIndex> SplitIndexedList(std::string_view word) {
  const size_t digits = word.find_last_not_of("0123456789") + 1;
  if (digits == 0 || digits == word.size()) return {};
  const auto index = IndexOf(word.substr(digits));
  std::string_view list = word.substr(0, digits);
  const bool underscore = list.ends_with('_');
  if (underscore) list.remove_suffix(1);
  if (!index || !IsLayerList(list) || (list.size() < 3 && !underscore)) return {};
  if (IsOneOf(word, kLayerLists)) return {};
  return ListAndIndex{list, *index};
}

struct FoundLayer {
  size_t list_word;
  size_t words;  // that list and index take: 1 or 2
  std::string_view list;
  uint32_t index;
};

// A number that follows an unknown word is a layer if what is below it says attention,
// feed-forward or mixer.
bool OpensBlocks(const ModelPaths& model, std::span<const std::string_view> words) {
  for (const std::string_view word : words) {
    const auto block = model.MeaningOf(word).block;
    if (block && *block != Block::kAside && *block != Block::kHead) return true;
  }
  return false;
}

std::optional<FoundLayer> FindLayer(const ModelPaths& model,
                                    const std::vector<std::string_view>& words) {
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string_view word = words[i];
    if (const auto joined = SplitIndexedList(word))
      return FoundLayer{i, 1, joined->list, joined->index};
    if (!IsLayerList(word) || i + 2 >= words.size()) continue;
    if (const auto index = IndexOf(words[i + 1])) return FoundLayer{i, 2, word, *index};
  }
  for (size_t i = 0; i + 3 < words.size(); ++i) {
    const auto index = IndexOf(words[i + 1]);
    if (!index || IsOneOf(words[i], kExpertLists) || model.MeaningOf(words[i]).block) continue;
    if (OpensBlocks(model, std::span(words).subspan(i + 2)))
      return FoundLayer{i, 2, words[i], *index};
  }
  return {};
}

void SplitWords(TensorPath& path) {
  const std::string_view text = path.text;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find('.', begin), text.size());
    path.words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

const ParameterRow* FindParameterRow(std::string_view word) {
  for (const ParameterRow& row : kParameterRows) {
    if (row.name == word) return &row;
  }
  return nullptr;
}

bool HasWeight(const ModelPaths& model, std::string_view module) {
  return std::any_of(kWeightNames.begin(), kWeightNames.end(),
                     [&](std::string_view name) { return model.Has(module, name); });
}

// Takes parameter words off the end of `words` ("weight", or "weight" and "absmax").
void ReadParameter(const ModelPaths& model, TensorPath& path,
                   std::vector<std::string_view>& words) {
  while (words.size() > 1) {
    const ParameterRow* row = FindParameterRow(words.back());
    if (row == nullptr) return;
    if (path.parameter_named && path.parameter != Parameter::kScale) return;
    if (row->beside_weight && !HasWeight(model, path.TextThrough(words[words.size() - 2]))) return;
    // The outermost word says what this tensor is; "weight" below "absmax" is only its place.
    if (!path.parameter_named) path.parameter = row->parameter;
    path.parameter_named = true;
    path.stored_input_major |= row->input_major;
    words.pop_back();
  }
}

// "down_proj_bias": a parameter without a module of its own, unless the table knows the word.
void ReadParameterEnding(TensorPath& path) {
  if (path.parameter_named || path.module.empty()) return;
  std::string_view& last = path.module.back();
  if (IsKnownLastWord(last)) return;
  const ParameterRow* longest = nullptr;
  for (const ParameterRow& row : kParameterEndings) {
    if (!last.ends_with(row.name) || last.size() == row.name.size()) continue;
    if (longest == nullptr || row.name.size() > longest->name.size()) longest = &row;
  }
  if (longest == nullptr) return;
  const std::string_view stem = last.substr(0, last.size() - longest->name.size());
  if (!IsKnownLastWord(stem)) return;
  last = stem;
  path.parameter = longest->parameter;
  path.parameter_named = true;
}

// Drops numbers from the module and notes experts.
void ReadModule(TensorPath& path, std::span<const std::string_view> words) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const auto number = IndexOf(word);
    if (IsOneOf(word, kExpertLists) || word.ends_with("_exps")) path.in_experts = true;
    if (number && i > 0 && IsOneOf(words[i - 1], kExpertLists)) {
      path.expert = number;
    } else if (word.starts_with("expert_") && IndexOf(word.substr(7))) {
      path.in_experts = true;
      path.expert = IndexOf(word.substr(7));
    } else if (!number || i + 1 == words.size()) {
      path.module.push_back(word);
    }
  }
}

void TakeApart(const ModelPaths& model, TensorPath& path) {
  path.prefix_words = path.words.size();
  if (path.unreadable) return;
  std::vector<std::string_view> words = path.words;
  ReadParameter(model, path, words);
  size_t module_begin = 0;
  if (const auto found = FindLayer(model, path.words)) {
    path.layer = found->index;
    path.list = IsOneOf(found->list, kListsPerModule) ? std::string_view("layers") : found->list;
    path.prefix_words = found->list_word;
    // XLM's lists are modules themselves.
    const bool list_is_module = IsOneOf(found->list, kListsPerModule);
    if (list_is_module) path.module.push_back(found->list);
    module_begin = std::min(found->list_word + found->words, words.size());
  }
  ReadModule(path, std::span(words).subspan(module_begin));
  ReadParameterEnding(path);
}

}  // namespace

std::optional<uint32_t> IndexOf(std::string_view word) {
  if (word.empty() || word.size() > 5) return {};
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return {};
  return number;
}

std::string_view TensorPath::TextThrough(std::string_view word) const {
  const size_t end = static_cast<size_t>(word.data() - text.data()) + word.size();
  return std::string_view(text).substr(0, end);
}

std::string_view TensorPath::ParentText() const {
  if (module.empty()) return {};
  const auto begin = static_cast<size_t>(module.back().data() - text.data());
  return std::string_view(text).substr(0, begin == 0 ? 0 : begin - 1);
}

ModelPaths::ModelPaths(std::span<const TensorInfo> tensors) : paths_(tensors.size()) {
  std::string_view previous;
  for (size_t i = 0; i < tensors.size(); ++i) {
    TensorPath& path = paths_[i];
    path.unreadable = tensors[i].name.size() > kLongestNameBytes;
    if (path.unreadable) continue;
    path.text = LowerAscii(tensors[i].name);
    if (path.text.find('.') == std::string::npos) {
      std::replace(path.text.begin(), path.text.end(), '/', '.');
    }
    SplitWords(path);
    path.unreadable = path.words.size() > kMostWords;
    Remember(path, previous);
    previous = path.text;
  }
  for (TensorPath& path : paths_) TakeApart(*this, path);
}

void ModelPaths::Remember(const TensorPath& path, std::string_view previous_text) {
  const std::string_view text = path.text;
  const auto differ =
      std::mismatch(text.begin(), text.end(), previous_text.begin(), previous_text.end());
  const auto shared = static_cast<size_t>(differ.first - text.begin());
  for (const std::string_view word : path.words) {
    const std::string_view through = path.TextThrough(word);
    // What the name before begins with too is there already: names mostly come sorted.
    if (through.size() < shared && previous_text[through.size()] == '.') continue;
    modules_.insert(through);
    const auto [place, is_new] = words_.try_emplace(word);
    if (is_new) place->second = {BlockOf(word), ModalityStackOf(word)};
  }
}

WordMeaning ModelPaths::MeaningOf(std::string_view word) const {
  const auto known = words_.find(word);
  if (known != words_.end()) return known->second;
  return {BlockOf(word), ModalityStackOf(word)};
}

bool ModelPaths::Has(std::string_view parent, std::string_view name) const {
  std::string full;
  full.reserve(parent.size() + name.size() + 1);
  full.append(parent).append(1, '.').append(name);
  return modules_.contains(full);
}

}  // namespace tensorguard::internal
