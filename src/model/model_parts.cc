#include "model/model_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "architecture/role_table.h"
#include "architecture/tensor_path.h"
#include "base/text.h"
#include "weights/selected_weights.h"

namespace tensorguard::internal {
namespace {

// Parts lie below so many words at most: "state.model.policy".
constexpr size_t kMostWords = 4;
// More models than anybody keeps in one file: a bound on pairs.
constexpr size_t kMostParts = 64;
// Of the names below the part that has fewer, those that the other has too.
constexpr double kSameNames = 0.8;

// The end of the first `count` words of a name, in it; empty if it has no more than those.
std::optional<size_t> EndOfWords(std::string_view name, size_t count) {
  size_t end = 0;
  for (size_t i = 0; i < count; ++i) {
    end = name.find('.', i == 0 ? 0 : end + 1);
    if (end == name.npos) return {};
  }
  return end;
}

// "model.layers.*.mlp.up_proj.weight": the same for all layers and experts.
std::string WithoutNumbers(std::string_view name) {
  std::string pattern;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view word = name.substr(begin, end - begin);
    if (begin > 0) pattern += '.';
    pattern += IndexOf(word) ? std::string_view("*") : word;
    begin = end + 1;
  }
  return pattern;
}

struct Names {
  std::set<std::string> in_layers;
  std::set<std::string> outside;  // of matrices and larger tensors
  std::set<std::string> tables;   // of those, token embeddings
  bool has_head = false;

  bool IsModel() const { return !in_layers.empty() && !outside.empty(); }
};

// What is needed of one tensor, for any beginning of its name.
struct NamedTensor {
  std::string_view name;
  size_t words_before_layers = 0;
  bool in_layer = false;
  bool is_matrix = false;
  bool is_head = false;
  bool is_table = false;
};

void Add(const NamedTensor& tensor, size_t begin, size_t words, Names& names) {
  std::string pattern = WithoutNumbers(tensor.name.substr(begin));
  names.has_head |= tensor.is_head;
  if (tensor.in_layer && tensor.words_before_layers >= words) {
    names.in_layers.insert(std::move(pattern));
  } else if (tensor.is_matrix) {
    if (tensor.is_table) names.tables.insert(pattern);
    names.outside.insert(std::move(pattern));
  }
}

bool MostlySame(const std::set<std::string>& a, const std::set<std::string>& b) {
  const auto& fewer = a.size() < b.size() ? a : b;
  const auto& more = a.size() < b.size() ? b : a;
  const auto common = std::count_if(fewer.begin(), fewer.end(),
                                    [&](const std::string& name) { return more.contains(name); });
  return static_cast<double>(common) >= kSameNames * static_cast<double>(fewer.size());
}

bool HaveCommon(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::ranges::any_of(a, [&](const std::string& name) { return b.contains(name); });
}

// Heads may differ, a policy's and its critic's; what reads the inputs does not.
bool AreOneKind(const Names& a, const Names& b) {
  if (!MostlySame(a.in_layers, b.in_layers)) return false;
  if (!a.tables.empty() || !b.tables.empty()) return HaveCommon(a.tables, b.tables);
  return HaveCommon(a.outside, b.outside) && MostlySame(a.outside, b.outside);
}

std::string_view LastWord(std::string_view part) { return part.substr(part.rfind('.') + 1); }

bool IsTower(std::string_view part) {
  return !ModalityStackOf(LowerAscii(std::string(LastWord(part)))).empty();
}

bool IsDeclared(const Json& config, std::string_view part) {
  if (!config.is_object()) return false;
  const std::string word(LastWord(part));
  for (const std::string& key : {word, word + "_config"}) {
    const auto found = config.find(key);
    if (found != config.end() && found->is_object()) return true;
  }
  return false;
}

// Parts that one model is made of: those that its config has settings for, and an encoder with its
// decoder, of which one at most writes tokens.
bool AreMeantAsOne(const Json& config, std::string_view a, const Names& of_a, std::string_view b,
                   const Names& of_b) {
  if (IsDeclared(config, a) && IsDeclared(config, b)) return true;
  const auto sides = [](std::string_view one, std::string_view other) {
    return one.ends_with("encoder") && other.ends_with("decoder");
  };
  return (sides(a, b) || sides(b, a)) && !(of_a.has_head && of_b.has_head);
}

std::vector<NamedTensor> NamedTensors(const ModelPaths& paths, const Architecture& architecture,
                                      std::span<const TensorInfo> tensors) {
  std::vector<NamedTensor> named;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorRole& role = architecture.roles[i];
    if (paths[i].unreadable || role.role == Role::kBuffer || role.stack == "mtp") continue;
    named.push_back({.name = tensors[i].name,
                     .words_before_layers = paths[i].prefix_words,
                     .in_layer = paths[i].layer.has_value(),
                     .is_matrix = tensors[i].shape.size() >= 2,
                     .is_head = role.role == Role::kOutputHead,
                     .is_table = role.role == Role::kEmbedding});
  }
  return named;
}

// By their beginnings, the names below each.
using NamesBelow = std::map<std::string, Names, std::less<>>;

// Whole models by beginnings of so many words.
NamesBelow ModelsBelow(const std::vector<NamedTensor>& tensors, size_t words) {
  NamesBelow below;
  for (const NamedTensor& tensor : tensors) {
    const auto end = EndOfWords(tensor.name, words);
    if (!end) continue;
    Add(tensor, *end + 1, words, below[std::string(tensor.name.substr(0, *end))]);
  }
  std::erase_if(below,
                [](const auto& entry) { return !entry.second.IsModel() || IsTower(entry.first); });
  return below;
}

std::string_view RootOf(std::string_view part) {
  const size_t last = part.rfind('.');
  return last == part.npos ? std::string_view() : part.substr(0, last);
}

std::vector<std::string> PartsBeside(const Json& config, const NamesBelow& below) {
  std::set<std::string> parts;
  for (auto a = below.begin(); a != below.end(); ++a) {
    for (auto b = std::next(a); b != below.end(); ++b) {
      if (RootOf(a->first) != RootOf(b->first) || !AreOneKind(a->second, b->second)) continue;
      if (AreMeantAsOne(config, a->first, a->second, b->first, b->second)) continue;
      parts.insert({a->first, b->first});
    }
  }
  return {parts.begin(), parts.end()};
}

// "ema.model.embed_tokens" beside "model.embed_tokens".
std::vector<std::string> PartsBesideTheRest(const std::vector<NamedTensor>& tensors,
                                            const NamesBelow& below) {
  for (const auto& [part, names] : below) {
    Names rest;
    for (const NamedTensor& tensor : tensors) {
      if (!tensor.name.starts_with(part + ".")) Add(tensor, 0, 0, rest);
    }
    if (rest.IsModel() && AreOneKind(names, rest)) return {std::string(kPartOutside), part};
  }
  return {};
}

bool LiesBelow(std::string_view name, std::string_view part) {
  return name.size() > part.size() && name.starts_with(part) && name[part.size()] == '.';
}

bool BelongsTo(std::string_view name, const std::vector<std::string>& parts,
               std::string_view part) {
  const bool whole = std::find(parts.begin(), parts.end(), part) != parts.end();
  if (!whole) return LiesBelow(name, part);
  return std::none_of(
             parts.begin(), parts.end(),
             [&](const std::string& other) { return other != part && LiesBelow(name, other); }) &&
         (part == kPartOutside || LiesBelow(name, part) ||
          std::find(parts.begin(), parts.end(), kPartOutside) == parts.end());
}

}  // namespace

std::vector<std::string> FindModelParts(const Json& config, const Architecture& architecture,
                                        std::span<const TensorInfo> tensors) {
  const ModelPaths paths(tensors);
  const std::vector<NamedTensor> named = NamedTensors(paths, architecture, tensors);
  for (size_t words = 1; words <= kMostWords; ++words) {
    const NamesBelow below = ModelsBelow(named, words);
    if (below.size() > kMostParts) continue;
    auto parts = PartsBeside(config, below);
    if (parts.empty() && words == 1) parts = PartsBesideTheRest(named, below);
    if (!parts.empty()) return parts;
  }
  return {};
}

std::optional<std::shared_ptr<const WeightSource>> TakePart(
    std::shared_ptr<const WeightSource> weights, const std::vector<std::string>& parts,
    std::string_view part) {
  std::vector<SelectedTensor> selected;
  for (size_t i = 0; i < weights->tensors().size(); ++i) {
    const std::string& name = weights->tensors()[i].name;
    if (BelongsTo(name, parts, part)) selected.push_back({i, name});
  }
  if (selected.empty()) return {};
  auto taken = SelectTensors(std::move(weights), std::move(selected));
  if (!taken) return {};  // never: the names are those of one source
  return *std::move(taken);
}

Error SeveralModels(const std::vector<std::string>& parts) {
  const bool outside = parts.front() == kPartOutside;
  return {.kind = ErrorKind::kUsage,
          .problem = "the model's files hold more than one model",
          .found = outside ? fmt::format("one below \"{}\", and the same beside it", parts.back())
                           : fmt::format("models below {}", fmt::join(parts, ", ")),
          .expected = "one model",
          .advice = outside ? fmt::format("choose one: --part {}, or --part . for what lies "
                                          "beside it",
                                          parts.back())
                            : fmt::format("choose one: --part {}", parts.front())};
}

Error NoSuchPart(std::string_view part, const std::vector<std::string>& parts,
                 std::span<const TensorInfo> tensors) {
  constexpr size_t kMostListed = 12;
  std::set<std::string> words(parts.begin(), parts.end());
  for (const TensorInfo& tensor : tensors) {
    const auto end = EndOfWords(tensor.name, 1);
    if (end && parts.empty() && words.size() < kMostListed) {
      words.insert(tensor.name.substr(0, *end));
    }
  }
  return {.kind = ErrorKind::kUsage,
          .problem = "the model has no part of this name",
          .found = std::string(part),
          .expected = fmt::format("the beginning of tensors' names: {}", fmt::join(words, ", "))};
}

}  // namespace tensorguard::internal
