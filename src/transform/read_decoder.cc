#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/network.h"
#include "network/network_parts.h"
#include "transform/decoder.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {
namespace {

Error NotLikeLlama(std::string found) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "this model's layout cannot be transformed",
          .found = std::move(found),
          .expected =
              "a decoder like Llama: RMSNorm in front of softmax attention with rotary "
              "positions and of a feed-forward or separate experts",
          .advice = "transform a Llama, Qwen2, Qwen3, Mistral, Mixtral, Gemma or Phi-3 model"};
}

DType WrittenType(DType stored) {
  const bool plain = stored == DType::kF32 || stored == DType::kF16 || stored == DType::kBF16;
  return plain ? stored : DType::kBF16;
}

// Splits "model.layers.3.mlp.up_proj.weight" around its first number.
SlotName SplitName(const TensorInfo& tensor) {
  const std::string& name = tensor.name;
  size_t begin = 0;
  while (begin < name.size()) {
    const size_t end = std::min(name.find('.', begin), name.size());
    const auto part = std::string_view(name).substr(begin, end - begin);
    const bool number = !part.empty() && std::ranges::all_of(part, [](unsigned char c) {
      return std::isdigit(c) != 0;
    });
    if (number) return {name.substr(0, begin), name.substr(end), WrittenType(tensor.dtype)};
    begin = end + 1;
  }
  return {name, "", WrittenType(tensor.dtype)};
}

arma::fmat MatrixOf(const FloatMatrix& rows) {
  return arma::fmat(rows.values().data(), rows.columns(), rows.rows()).t();
}

std::optional<std::string> UnlikeLayout(const Layer& layer) {
  if (layer.unread) return fmt::format("the tensor {}, whose place is not known", *layer.unread);
  if (layer.recurrent || layer.recurrent_feed_forward) return "a recurrent mixer";
  if (layer.cross_attention) return "attention to an encoder";
  if (!layer.attention) return "a layer without attention";
  if (!layer.feed_forward && !layer.mixture) return "a layer without a feed-forward";
  if (layer.parallel) return "attention and feed-forward side by side";
  if (layer.residual_after_norm || layer.mixer_factors.stream != 1 ||
      layer.feed_forward_factors.stream != 1) {
    return "a residual stream that is scaled or normalised on its way";
  }
  const LayerNorms& norms = layer.norms;
  if (!norms.mixer_input || !norms.feed_forward_input || norms.mixer_sum ||
      norms.feed_forward_sum || layer.embedding_norm) {
    return "norms that do not stand in front of attention and feed-forward";
  }
  const AttentionLayer& attention = *layer.attention;
  if (attention.latent || attention.gate || attention.inner_norm || attention.sinks) {
    return "attention with a latent, a gate, sinks or a norm inside";
  }
  if (attention.rule_error || !attention.heads_known) return "attention without known heads";
  if (attention.shape.value_size != attention.shape.head_size) return "values of another width";
  if (!attention.rule.slopes.empty()) return "positions by slopes";
  return {};
}

// Reads the parts of one model, noting which weights have been taken and under which names.
class Reader {
 public:
  Reader(const Network& network, const Model& model) : network_(network), model_(model) {}

  Result<Decoder> Read();

 private:
  // REQUIRES before a call: nothing failed yet; after a failure the rest does nothing.
  arma::fmat Matrix(const Weight* weight);
  arma::fvec Vector(const Weight* weight);
  arma::fvec Gain(const std::optional<Norm>& norm, Slot slot, uint64_t width);
  Projection Map(const LinearMap& map, Slot slot, uint32_t expert = 0);
  FeedForwardMatrices Block(const FeedForward& block, uint32_t expert, bool shared);
  DecoderLayer ReadOneLayer(const Layer& layer, size_t index);
  void NoteName(const Weight& weight, SlotKey key);
  void NoteRotary(const AttentionLayer& attention, DecoderLayer& layer) const;
  void Fail(Error error) {
    if (!failure_) failure_ = std::move(error);
  }
  OuterName NameOf(const Weight& weight) const {
    const TensorInfo& tensor = model_.weights->tensors()[weight.tensor_index];
    return {tensor.name, WrittenType(tensor.dtype)};
  }
  Result<void> CheckOuterParts(const Stack& stack, const std::optional<Head>& head) const;
  Result<void> CheckAllTaken() const;

  const Network& network_;
  const Model& model_;
  std::optional<Error> failure_;
  std::set<const Weight*> taken_;
  std::map<SlotKey, SlotName> names_;
  size_t layer_ = 0;
};

arma::fmat Reader::Matrix(const Weight* weight) {
  if (failure_) return {};
  taken_.insert(weight);
  const TensorRole& stored = model_.architecture.roles[weight->tensor_index];
  const bool plain = stored.packing == Packing::kNone || stored.packing == Packing::kConcatenated;
  if (!plain || weight->input_major || stored.stacked_experts) {
    Fail(NotLikeLlama("a tensor that is stored interleaved, transposed or stacked")
             .InTensor(model_.weights->tensors()[weight->tensor_index].name));
    return {};
  }
  auto read = ReadWeight(*model_.weights, *weight);
  if (!read) {
    Fail(std::move(read).error());
    return {};
  }
  return MatrixOf(*read);
}

arma::fvec Reader::Vector(const Weight* weight) {
  if (weight == nullptr) return {};
  return arma::vectorise(Matrix(weight));
}

void Reader::NoteName(const Weight& weight, SlotKey key) {
  const TensorInfo& tensor = model_.weights->tensors()[weight.tensor_index];
  const SlotName name = SplitName(tensor);
  const auto [known, added] = names_.emplace(key, name);
  const bool alike = known->second.before == name.before && known->second.after == name.after;
  if ((added && layer_ > 0) || !alike) {
    Fail(NotLikeLlama("layers that do not have the same tensors").InTensor(tensor.name));
  }
}

arma::fvec Reader::Gain(const std::optional<Norm>& norm, Slot slot, uint64_t width) {
  if (!norm || failure_) return {};
  if (norm->kind != NormKind::kRms || norm->gain == nullptr || norm->bias != nullptr) {
    Fail(NotLikeLlama("a LayerNorm, or a norm without a gain"));
    return {};
  }
  NoteName(*norm->gain, {slot});
  arma::fvec gain = Vector(norm->gain);
  if (gain.n_elem != width && !failure_) {
    Fail(NotLikeLlama("a norm on queries and keys that is wider than a head"));
  }
  if (norm->gain_plus_one) gain += 1;
  return gain;
}

Projection Reader::Map(const LinearMap& map, Slot slot, uint32_t expert) {
  Projection projection = {.weight = Matrix(map.weight), .bias = Vector(map.bias)};
  if (failure_) return projection;
  NoteName(*map.weight, {slot, expert});
  if (map.bias != nullptr) NoteName(*map.bias, {slot, expert, true});
  return projection;
}

FeedForwardMatrices Reader::Block(const FeedForward& block, uint32_t expert, bool shared) {
  if (block.inner_norm || block.settings.clamp) {
    Fail(NotLikeLlama("a feed-forward with a norm or a limit inside"));
    return {};
  }
  FeedForwardMatrices matrices;
  if (block.gate) {
    matrices.gate = Map(*block.gate, shared ? Slot::kSharedGate : Slot::kGate, expert);
  }
  matrices.up = Map(block.up, shared ? Slot::kSharedUp : Slot::kUp, expert);
  matrices.down = Map(block.down, shared ? Slot::kSharedDown : Slot::kDown, expert);
  return matrices;
}

void Reader::NoteRotary(const AttentionLayer& attention, DecoderLayer& layer) const {
  if (!attention.rule.rotary) return;
  const Rotary& rotary = *attention.rule.rotary;
  const auto pairs = static_cast<uint32_t>(rotary.frequencies.size());
  const auto first = static_cast<uint32_t>(rotary.first);
  for (uint32_t i = 0; i < pairs; ++i) {
    layer.rotary_pairs.push_back(rotary.interleaved ? ColumnPair(first + 2 * i, first + 2 * i + 1)
                                                    : ColumnPair(first + i, first + i + pairs));
  }
}

DecoderLayer Reader::ReadOneLayer(const Layer& source, size_t index) {
  layer_ = index;
  if (const auto found = UnlikeLayout(source)) Fail(NotLikeLlama(*found));
  if (failure_) return {};
  const AttentionLayer& attention = *source.attention;
  const uint64_t hidden = network_.description().hidden_size;
  const uint64_t head_size = attention.shape.head_size;
  DecoderLayer layer;
  layer.attention_gain = Gain(source.norms.mixer_input, Slot::kAttentionGain, hidden);
  layer.attention_output_gain = Gain(source.norms.mixer_output, Slot::kAttentionOutputGain, hidden);
  layer.feed_forward_gain = Gain(source.norms.feed_forward_input, Slot::kFeedForwardGain, hidden);
  layer.feed_forward_output_gain =
      Gain(source.norms.feed_forward_output, Slot::kFeedForwardOutputGain, hidden);
  layer.query_gain = Gain(attention.query_norm, Slot::kQueryGain, head_size);
  layer.key_gain = Gain(attention.key_norm, Slot::kKeyGain, head_size);
  layer.query = Map(attention.query, Slot::kQuery);
  layer.key = Map(attention.key, Slot::kKey);
  layer.value = Map(attention.value, Slot::kValue);
  layer.output = Map(attention.output, Slot::kOutput);
  NoteRotary(attention, layer);
  if (source.feed_forward) {
    layer.blocks.push_back(Block(*source.feed_forward, 0, false));
    return layer;
  }
  const MixtureOfExperts& mixture = *source.mixture;
  for (uint32_t e = 0; e < mixture.blocks.size(); ++e) {
    layer.blocks.push_back(Block(mixture.blocks[e], e, false));
  }
  if (mixture.router) layer.router = Map(*mixture.router, Slot::kRouter);
  if (mixture.shared) layer.shared = Block(*mixture.shared, 0, true);
  if (mixture.shared_gate) layer.shared_gate = Map(*mixture.shared_gate, Slot::kSharedExpertGate);
  return layer;
}

Result<void> Reader::CheckOuterParts(const Stack& stack, const std::optional<Head>& head) const {
  if (!head) return NotLikeLlama("a model without an output head");
  if (head->bias || head->transform || head->norm || head->projection) {
    return NotLikeLlama("an output head with a bias or a transform");
  }
  const Embedding& embedding = stack.embedding;
  if (embedding.table == nullptr) return NotLikeLlama("a model without a token embedding");
  if (embedding.positions || !embedding.constants.empty() || embedding.norm ||
      embedding.projection) {
    return NotLikeLlama("an embedding with positions, a norm or a projection");
  }
  if (!stack.final_norm || stack.final_norm->kind != NormKind::kRms || !stack.final_norm->gain) {
    return NotLikeLlama("no RMSNorm at the end");
  }
  if (stack.layers.empty() || stack.order.size() != stack.layers.size()) {
    return NotLikeLlama("layers that run more than once, or none");
  }
  return {};
}

Result<void> Reader::CheckAllTaken() const {
  for (const Weight& weight : network_.weights()) {
    if (taken_.contains(&weight)) continue;
    return NotLikeLlama("a weight without a place in the layers")
        .InTensor(model_.weights->tensors()[weight.tensor_index].name);
  }
  return {};
}

// Whether what a layer does hangs on its number.
bool LayersDiffer(const std::vector<Layer>& layers) {
  const AttentionRule& first = layers.front().attention->rule;
  return std::ranges::any_of(layers, [&](const Layer& layer) {
    const AttentionRule& rule = layer.attention->rule;
    if (rule.window != first.window || rule.chunk != first.chunk || rule.scale != first.scale) {
      return true;
    }
    if (rule.rotary.has_value() != first.rotary.has_value()) return true;
    return rule.rotary && rule.rotary->frequencies != first.rotary->frequencies;
  });
}

// Each layer takes its entry of the list along; true if there is one.
bool TakeLayerTypes(Decoder& decoder) {
  const Json& config = TextConfig(decoder.config);
  const auto list = config.find("layer_types");
  if (list == config.end() || !list->is_array() || list->size() != decoder.layers.size()) {
    return false;
  }
  for (size_t l = 0; l < decoder.layers.size(); ++l) decoder.layers[l].layer_type = (*list)[l];
  return true;
}

Result<Decoder> Reader::Read() {
  const NetworkParts& parts = network_.parts();
  if (parts.stacks.size() != 1) return NotLikeLlama("an encoder and a decoder");
  const Stack& stack = parts.stacks.front();
  TG_TRY(CheckOuterParts(stack, parts.head));

  Decoder decoder = {.name = model_.name, .config = model_.config};
  decoder.tokenizer = {.folder = model_.tokenizer_folder, .files = model_.files};
  decoder.epsilon = stack.final_norm->epsilon;
  decoder.gain_plus_one = stack.final_norm->gain_plus_one;
  decoder.embedding_scaled =
      stack.embedding.scale != 1 && stack.context.traits->embedding_scale != EmbeddingScale::kOne;
  decoder.embedding = Matrix(stack.embedding.table);
  decoder.embedding_name = NameOf(*stack.embedding.table);
  decoder.final_gain = Vector(stack.final_norm->gain);
  decoder.final_gain_name = NameOf(*stack.final_norm->gain);
  if (decoder.gain_plus_one) decoder.final_gain += 1;
  decoder.head_name = {"lm_head.weight", decoder.embedding_name.dtype};
  if (!parts.head->tied) {
    decoder.head = Matrix(parts.head->table);
    decoder.head_name = NameOf(*parts.head->table);
  }
  for (const Layer& layer : stack.layers) {
    decoder.layers.push_back(ReadOneLayer(layer, decoder.layers.size()));
    if (failure_) return *std::move(failure_);
  }
  const AttentionShape& shape = stack.layers.front().attention->shape;
  for (const Layer& layer : stack.layers) {
    const AttentionShape& other = layer.attention->shape;
    if (other.heads != shape.heads || other.key_heads != shape.key_heads ||
        other.head_size != shape.head_size) {
      return NotLikeLlama("layers that differ in their heads");
    }
  }
  decoder.heads = shape.heads;
  decoder.key_heads = shape.key_heads;
  decoder.head_size = shape.head_size;
  TG_TRY(CheckAllTaken());
  decoder.names = std::move(names_);
  decoder.layers_differ = !TakeLayerTypes(decoder) && LayersDiffer(stack.layers);
  decoder.row_of_token.resize(decoder.vocabulary());
  for (size_t i = 0; i < decoder.vocabulary(); ++i) {
    decoder.row_of_token[i] = static_cast<uint32_t>(i);
  }
  return decoder;
}

}  // namespace

Json& TextConfig(Json& config) {
  for (const char* part : {"text_config", "llm_config", "language_config"}) {
    const auto found = config.find(part);
    if (found != config.end() && found->is_object()) return *found;
  }
  return config;
}

Result<Decoder> ReadDecoder(const Model& model) {
  if (model.parameter_count() > kMostDecoderParameters) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "this model is too large to be transformed",
                 .file = model.path.string(),
                 .found = fmt::format("{} parameters", model.parameter_count()),
                 .expected = fmt::format("at most {}: the whole model is held in memory",
                                         kMostDecoderParameters),
                 .advice = "try a smaller model of the same kind"};
  }
  if (!model.config.is_object()) {
    return NotLikeLlama("no config.json").InFile(model.path.string());
  }
  TG_ASSIGN(const auto network, Network::Build(model));
  auto decoder = Reader(*network, model).Read();
  if (!decoder) return std::move(decoder).error().InFile(model.path.string());
  return decoder;
}

}  // namespace tensorguard::internal
