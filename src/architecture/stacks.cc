#include "architecture/stacks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

namespace tensorguard::internal {
namespace {

// The layers that lie in one list: `prefix` is the text before the list's name.
struct LayerList {
  std::string_view prefix;  // "model" of "model.layers.0..."; empty at the top
  std::string_view list;    // "layers"
  std::string stack;
  std::vector<size_t> tensors;
  uint32_t largest_layer = 0;
};

using LayerLists = std::map<std::pair<std::string_view, std::string_view>, LayerList>;

std::string_view PrefixOf(const TensorPath& path) {
  return path.prefix_words == 0 ? std::string_view()
                                : path.TextThrough(path.words[path.prefix_words - 1]);
}

// "encoder" or "decoder", by the first word that ends so; empty if none does.
std::string_view CodingSide(std::span<const std::string_view> words) {
  for (const std::string_view word : words) {
    if (word.ends_with("encoder")) return "encoder";
    if (word.ends_with("decoder")) return "decoder";
  }
  return {};
}

std::string_view CodingSide(const TensorPath& path) {
  return CodingSide(std::span(path.words).first(path.prefix_words));
}

bool IsMultiTokenWord(std::string_view word) {
  return word.starts_with("mtp") || word.starts_with("nextn");
}

LayerLists CollectLists(const ModelPaths& model, std::span<const TensorRole> roles) {
  LayerLists lists;
  for (size_t i = 0; i < roles.size(); ++i) {
    if (!roles[i].layer || !roles[i].stack.empty()) continue;
    LayerList& list = lists[{PrefixOf(model[i]), model[i].list}];
    list.prefix = PrefixOf(model[i]);
    list.list = model[i].list;
    list.tensors.push_back(i);
    list.largest_layer = std::max(list.largest_layer, *roles[i].layer);
  }
  return lists;
}

// The number of a layer within a block of layers, behind that of the block: "blocks.1.3".
std::optional<uint32_t> NumberInBlock(const TensorPath& path) {
  const size_t place = path.prefix_words + 2;
  if (path.list != "blocks" || path.words.size() <= place + 1) return {};
  return IndexOf(path.words[place]);
}

// Where every layer lies in a block (Funnel), layers are counted through all blocks.
void NumberThroughBlocks(const ModelPaths& model, std::span<TensorRole> roles, LayerList& list) {
  std::map<uint32_t, uint32_t> sizes;  // layers by block
  for (const size_t i : list.tensors) {
    const auto inner = NumberInBlock(model[i]);
    if (!inner) return;
    uint32_t& size = sizes[*roles[i].layer];
    size = std::max(size, *inner + 1);
  }
  std::map<uint32_t, uint32_t> before;
  uint32_t layers = 0;
  for (const auto& [block, size] : sizes) {
    before[block] = layers;
    layers += size;
    if (layers > kLargestIndex) return;
  }
  for (const size_t i : list.tensors) {
    roles[i].layer = before[*roles[i].layer] + *NumberInBlock(model[i]);
  }
  if (layers > 0) list.largest_layer = layers - 1;
}

// The two lists of HRM are one stack: the layers of its fast cycle, then those of its slow one.
void JoinCycles(std::span<TensorRole> roles, LayerLists& lists) {
  const auto of = [&](std::string_view module) {
    return std::find_if(lists.begin(), lists.end(),
                        [&](const auto& entry) { return entry.second.prefix.ends_with(module); });
  };
  const auto fast = of("l_module");
  const auto slow = of("h_module");
  if (fast == lists.end() || slow == lists.end()) return;
  const uint32_t first = fast->second.largest_layer + 1;
  if (first + slow->second.largest_layer > kLargestIndex) return;
  for (const size_t i : slow->second.tensors) *roles[i].layer += first;
  auto& tensors = fast->second.tensors;
  tensors.insert(tensors.end(), slow->second.tensors.begin(), slow->second.tensors.end());
  std::sort(tensors.begin(), tensors.end());
  fast->second.largest_layer = first + slow->second.largest_layer;
  lists.erase(slow);
}

// The list beside the token embedding, else one with a usual name, else the longest.
LayerList* ChooseMain(LayerLists& lists, const ModelPaths& model,
                      std::span<const TensorRole> roles) {
  std::set<std::string_view> beside_embedding;
  for (size_t i = 0; i < roles.size(); ++i) {
    const bool embedding = roles[i].role == Role::kEmbedding && roles[i].stack.empty();
    if (embedding && !roles[i].layer) beside_embedding.insert(model[i].ParentText());
  }
  LayerList* best = nullptr;
  auto best_rank = std::tuple(false, false, size_t{0});
  for (auto& [key, list] : lists) {
    if (!list.stack.empty()) continue;
    const bool plain = list.list == "layers" || list.list == "h" || list.list == "blocks" ||
                       list.list == "layer" || list.list == "block";
    const auto rank =
        std::tuple(beside_embedding.contains(list.prefix), plain, list.tensors.size());
    if (best == nullptr || rank > best_rank) {
      best = &list;
      best_rank = rank;
    }
  }
  return best;
}

// The first word of the prefix that the main list's prefix lacks, or the list's own name.
std::string NameOfSide(const LayerList& side, const LayerList& main) {
  std::string_view rest = side.prefix;
  std::string_view other = main.prefix;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('.'), rest.size());
    const size_t other_end = std::min(other.find('.'), other.size());
    if (rest.substr(0, end) != other.substr(0, other_end)) return std::string(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    other.remove_prefix(std::min(other_end + 1, other.size()));
  }
  return std::string(side.list);
}

void AssignMultiToken(const ModelPaths& model, std::span<TensorRole> roles) {
  for (size_t i = 0; i < roles.size(); ++i) {
    const auto& words = model[i].words;
    if (roles[i].stack.empty() && std::any_of(words.begin(), words.end(), IsMultiTokenWord)) {
      roles[i].stack = "mtp";
    }
  }
}

// DeepSeek V3 and GLM keep their multi-token layers at the end of the same list.
void SplitMultiToken(const ModelPaths& model, std::span<TensorRole> roles, LayerList& list) {
  std::set<uint32_t> multi_token;
  for (const size_t i : list.tensors) {
    for (const std::string_view word : model[i].module) {
      if (word == "eh_proj" || word == "enorm" || word == "hnorm") {
        multi_token.insert(*roles[i].layer);
      }
    }
  }
  if (multi_token.empty()) return;
  std::vector<size_t> kept;
  list.largest_layer = 0;
  for (const size_t i : list.tensors) {
    const uint32_t layer = *roles[i].layer;
    if (multi_token.contains(layer)) {
      roles[i].stack = "mtp";
      roles[i].layer = layer - *multi_token.begin();
    } else {
      kept.push_back(i);
      list.largest_layer = std::max(list.largest_layer, layer);
    }
  }
  list.tensors = std::move(kept);
}

bool IsLayerWork(Role role) {
  switch (role) {
    case Role::kEmbedding:
    case Role::kPositionEmbedding:
    case Role::kOutputHead:
    case Role::kNorm:
    case Role::kScale:
    case Role::kBuffer:
    case Role::kOther:
      return false;
    default:
      return true;
  }
}

// Some formats number every module: embedding 0, layers 1 to N, head N + 1. Embedding and head then
// leave their layers and the others count from 0.
void UnnumberEnds(std::span<TensorRole> roles, LayerList& list) {
  std::optional<uint32_t> first_work;
  std::optional<uint32_t> last_work;
  bool numbered_embedding = false;
  for (const size_t i : list.tensors) {
    const uint32_t layer = *roles[i].layer;
    numbered_embedding |= roles[i].role == Role::kEmbedding;
    if (!IsLayerWork(roles[i].role)) continue;
    first_work = std::min(first_work.value_or(layer), layer);
    last_work = std::max(last_work.value_or(layer), layer);
  }
  const bool all_numbered = numbered_embedding && first_work && *first_work > 0;
  if (all_numbered) list.largest_layer = *last_work - *first_work;
  for (const size_t i : list.tensors) {
    const uint32_t layer = *roles[i].layer;
    if (!all_numbered) {
      // A head inside the layers is none.
      if (roles[i].role == Role::kOutputHead) roles[i].role = Role::kOther;
    } else if (layer < *first_work || layer > *last_work) {
      roles[i].layer.reset();
    } else {
      roles[i].layer = layer - *first_work;
    }
  }
}

// Tensors outside layers follow the list below whose own words they lie.
void AssignOutside(const ModelPaths& model, std::span<TensorRole> roles, bool two_sides,
                   std::span<const LayerList* const> sides) {
  for (size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].layer || !roles[i].stack.empty()) continue;
    const TensorPath& path = model[i];
    for (const LayerList* side : sides) {
      const auto& words = path.words;
      const bool below = std::find(words.begin(), words.end(), side->stack) != words.end();
      if (below) roles[i].stack = side->stack;
    }
    if (two_sides && roles[i].stack.empty() && roles[i].role != Role::kOutputHead) {
      const size_t above = path.words.empty() ? 0 : path.words.size() - 1;
      roles[i].stack = CodingSide(std::span(path.words).first(above));
    }
  }
}

}  // namespace

MainStack AssignStacks(const ModelPaths& model, std::span<TensorRole> roles) {
  AssignMultiToken(model, roles);
  LayerLists lists = CollectLists(model, roles);
  JoinCycles(roles, lists);
  for (auto& [key, list] : lists) NumberThroughBlocks(model, roles, list);
  bool encoder = false;
  bool decoder = false;
  for (const auto& [key, list] : lists) {
    const std::string_view side = CodingSide(model[list.tensors.front()]);
    encoder |= side == "encoder";
    decoder |= side == "decoder";
  }
  const bool two_sides = encoder && decoder;
  LayerList* main = nullptr;
  if (two_sides) {
    for (auto& [key, list] : lists) {
      list.stack = CodingSide(model[list.tensors.front()]);
      const bool longer = main == nullptr || list.tensors.size() > main->tensors.size();
      if (list.stack == "decoder" && longer) main = &list;
    }
  } else {
    main = ChooseMain(lists, model, roles);
  }
  if (main == nullptr) return {};

  std::vector<const LayerList*> sides;
  for (auto& [key, list] : lists) {
    if (&list != main && list.stack.empty()) {
      list.stack = NameOfSide(list, *main);
      sides.push_back(&list);
    }
    SplitMultiToken(model, roles, list);
    for (const size_t i : list.tensors) roles[i].stack = list.stack;
    UnnumberEnds(roles, list);
  }
  AssignOutside(model, roles, two_sides, sides);
  return {main->stack, main->tensors.empty() ? 0 : main->largest_layer + 1};
}

}  // namespace tensorguard::internal
