// A decoder-only model as plain matrices that can be changed: what the transformations work on.
#ifndef TENSORGUARD_TRANSFORM_DECODER_H_
#define TENSORGUARD_TRANSFORM_DECODER_H_

#include <armadillo>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "model/model.h"
#include "safetensors/dtype.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// y = weight x + bias.
struct Projection {
  arma::fmat weight = {};  // [outputs, inputs]; empty: none
  arma::fvec bias = {};    // [outputs]; empty: none
};

// down(activation(gate x) * (up x)); without a gate: down(activation(up x)).
struct FeedForwardMatrices {
  Projection gate = {};
  Projection up = {};
  Projection down = {};
};

using ColumnPair = std::pair<uint32_t, uint32_t>;

// Gains are factors: where a model stores them as the difference from 1, one was added.
struct DecoderLayer {
  arma::fvec attention_gain = {};            // [hidden]
  arma::fvec attention_output_gain = {};     // of a norm on what attention writes; empty: none
  arma::fvec feed_forward_gain = {};         // [hidden]
  arma::fvec feed_forward_output_gain = {};  // empty: none
  arma::fvec query_gain = {};                // [head size], of a norm on each head; empty: none
  arma::fvec key_gain = {};
  Projection query = {};
  Projection key = {};
  Projection value = {};
  Projection output = {};
  std::vector<FeedForwardMatrices> blocks = {};    // one, or one per expert
  Projection router = {};                          // of a mixture
  std::optional<FeedForwardMatrices> shared = {};  // expert of every token
  Projection shared_gate = {};
  // Columns of a head that positions turn together; other columns are turned by none.
  std::vector<ColumnPair> rotary_pairs = {};
  Json layer_type = nullptr;  // its entry of config.json's "layer_types"; null: there is no list
};

// Where a matrix or vector of a layer is stored.
enum class Slot {
  kAttentionGain,
  kAttentionOutputGain,
  kFeedForwardGain,
  kFeedForwardOutputGain,
  kQueryGain,
  kKeyGain,
  kQuery,
  kKey,
  kValue,
  kOutput,
  kGate,
  kUp,
  kDown,
  kSharedGate,
  kSharedUp,
  kSharedDown,
  kRouter,
  kSharedExpertGate,
};

struct SlotKey {
  Slot slot = Slot::kQuery;
  uint32_t expert = 0;  // of kGate, kUp, kDown
  bool is_bias = false;

  auto operator<=>(const SlotKey&) const = default;
};

// A tensor's name, in two pieces around the number of its layer. Slots with one name are parts of a
// fused tensor, one after the other in the order of their keys.
struct SlotName {
  std::string before = {};
  std::string after = {};
  DType dtype = DType::kF32;  // F32, F16 or BF16
};

struct OuterName {
  std::string name = {};
  DType dtype = DType::kF32;
};

// How tensors are called in the end.
enum class NameScheme {
  kOriginal,
  kOwnWords,  // words of one's own, in the usual grammar: "trunk.block.3.mix.a.weight"
  kNumbers,   // "t0017": nothing but a number
};

// The tokenizer: a folder as it is, or a tokenizer.json that was changed.
struct TokenizerFiles {
  std::filesystem::path folder = {};
  FileStorePtr files = LocalFiles();
  std::optional<std::string> changed_json = {};
};

// Copies can be changed apart. Not for several threads at once.
struct Decoder {
  std::string name = {};
  Json config = {};
  arma::fmat embedding = {};  // [vocabulary, hidden]
  arma::fmat head = {};       // [vocabulary, hidden]; empty: the embedding
  arma::fvec final_gain = {};
  std::vector<DecoderLayer> layers = {};

  uint64_t heads = 0;
  uint64_t key_heads = 0;
  uint64_t head_size = 0;
  double epsilon = 0;             // of the norms
  bool gain_plus_one = false;     // stored as the difference from 1
  bool embedding_scaled = false;  // by the root of the width (Gemma)
  bool layers_differ = false;     // by their number, without a list in config.json

  std::map<SlotKey, SlotName> names = {};
  OuterName embedding_name = {};
  OuterName head_name = {};
  OuterName final_gain_name = {};
  NameScheme name_scheme = NameScheme::kOriginal;

  TokenizerFiles tokenizer = {};
  // The row of each token of the model that was read; empty where the tokens are another's.
  std::vector<uint32_t> row_of_token = {};

  uint64_t hidden() const { return embedding.n_cols; }
  uint64_t vocabulary() const { return embedding.n_rows; }
  uint64_t heads_per_key() const { return heads / key_heads; }
  uint64_t units() const { return layers.front().blocks.front().up.weight.n_rows; }
  bool is_mixture() const { return !layers.front().router.weight.is_empty(); }
  bool tied() const { return head.is_empty(); }
};

// A whole model is held as float32, and a second time while it is measured or written: above this
// many parameters that would take too much memory.
inline constexpr uint64_t kMostDecoderParameters = uint64_t{1} << 29;

// Reads all weights. Errors: those of Network::Build and ReadWeight; kUnsupported, saying what was
// found, for a model that is not laid out like Llama: RMSNorm in front of attention and
// feed-forward, softmax attention with rotary positions, a feed-forward or separate experts, and no
// weight besides; and above kMostDecoderParameters.
Result<Decoder> ReadDecoder(const Model& model);

// The config that describes the layers: of the text model, where it has a part of its own.
Json& TextConfig(Json& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_DECODER_H_
