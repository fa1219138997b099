// generate_model: writes a model folder in Llama's layout with random weights, for benchmarks at
// true size. The same options give the same bytes on every run and for any number of threads.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/random_bits.h"

namespace tensorguard::internal {
namespace {

struct ModelShape {
  uint64_t vocabulary = 128256;  // the defaults are Llama-3.2-1B
  uint64_t hidden = 2048;
  uint64_t layers = 16;
  uint64_t heads = 32;
  uint64_t kv_heads = 8;
  uint64_t head_dim = 64;
  uint64_t ffn = 8192;
  bool own_head = false;  // lm_head.weight beside the embedding, not tied to it
};

struct Options {
  ModelShape shape;
  double weight_std = 0.02;
  uint64_t seed = 0;
  double noise = 0.0;            // of weight_std, added to every matrix
  bool permute = false;          // residual stream and hidden units in another order
  uint64_t derivation_seed = 1;  // of the noise and the orders
  uint64_t shard_mib = 5000;
  uint64_t shards = 0;  // 0: as many as shard_mib gives
  std::filesystem::path folder;
};

// What the rows or the columns of a matrix are counted by.
enum class Axis { kOther, kResidual, kUnits };

struct PlannedTensor {
  std::string name;
  std::vector<uint64_t> shape;
  Axis rows = Axis::kOther;
  Axis columns = Axis::kOther;

  uint64_t element_count() const { return shape[0] * (shape.size() == 2 ? shape[1] : 1); }
};

using Shard = std::vector<PlannedTensor>;

std::vector<PlannedTensor> PlanTensors(const ModelShape& m) {
  std::vector<PlannedTensor> tensors = {
      {"model.embed_tokens.weight", {m.vocabulary, m.hidden}, Axis::kOther, Axis::kResidual},
      {"model.norm.weight", {m.hidden}},
  };
  if (m.own_head) {
    tensors.push_back({"lm_head.weight", {m.vocabulary, m.hidden}, Axis::kOther, Axis::kResidual});
  }
  for (uint64_t layer = 0; layer < m.layers; ++layer) {
    const auto add = [&](const char* part, std::vector<uint64_t> shape, Axis rows = Axis::kOther,
                         Axis columns = Axis::kOther) {
      tensors.push_back(
          {fmt::format("model.layers.{}.{}.weight", layer, part), std::move(shape), rows, columns});
    };
    add("input_layernorm", {m.hidden});
    add("post_attention_layernorm", {m.hidden});
    add("self_attn.q_proj", {m.heads * m.head_dim, m.hidden}, Axis::kOther, Axis::kResidual);
    add("self_attn.k_proj", {m.kv_heads * m.head_dim, m.hidden}, Axis::kOther, Axis::kResidual);
    add("self_attn.v_proj", {m.kv_heads * m.head_dim, m.hidden}, Axis::kOther, Axis::kResidual);
    add("self_attn.o_proj", {m.hidden, m.heads * m.head_dim}, Axis::kResidual);
    add("mlp.gate_proj", {m.ffn, m.hidden}, Axis::kUnits, Axis::kResidual);
    add("mlp.up_proj", {m.ffn, m.hidden}, Axis::kUnits, Axis::kResidual);
    add("mlp.down_proj", {m.hidden, m.ffn}, Axis::kResidual, Axis::kUnits);
  }
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return tensors;
}

// Fills a shard up to `shard_mib`; a larger tensor has one of its own.
std::vector<Shard> PlanShardsBySize(const std::vector<PlannedTensor>& tensors, uint64_t shard_mib) {
  std::vector<Shard> shards;
  uint64_t used_bytes = 0;
  for (const PlannedTensor& tensor : tensors) {
    const uint64_t tensor_bytes = tensor.element_count() * sizeof(uint16_t);
    if (shards.empty() || used_bytes + tensor_bytes > shard_mib << 20) {
      shards.emplace_back();
      used_bytes = 0;
    }
    shards.back().push_back(tensor);
    used_bytes += tensor_bytes;
  }
  return shards;
}

// `count` shards, of which none has two tensors more than another; none is empty.
std::vector<Shard> PlanShardsByCount(const std::vector<PlannedTensor>& tensors, uint64_t count) {
  std::vector<Shard> shards(std::min<uint64_t>(count, tensors.size()));
  for (size_t i = 0; i < tensors.size(); ++i) {
    shards[i * shards.size() / tensors.size()].push_back(tensors[i]);
  }
  return shards;
}

uint16_t ToBfloat16(double value) {
  const uint32_t bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// The value that a standard normal number exceeds with probability 1 - `p`, by bisection.
double NormalQuantile(double p) {
  double low = -8, high = 8;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return low;
}

// Gaussian bfloat16 numbers: 16 random bits choose one of 65536 equally likely values, which is
// finer than bfloat16 itself except beyond four standard deviations.
class GaussianWeights {
 public:
  explicit GaussianWeights(const Options& options)
      : options_(options),
        values_(1 << 16),
        residual_order_(Order(options.shape.hidden, 1)),
        unit_order_(Order(options.shape.ffn, 2)) {
    for (size_t i = 0; i < values_.size(); ++i) {
      const double p = (static_cast<double>(i) + 0.5) / static_cast<double>(values_.size());
      values_[i] = ToBfloat16(options.weight_std * NormalQuantile(p));
    }
  }

  // Elements from `first_element` (a multiple of 4) on of the tensor with this number in the model.
  void Fill(const PlannedTensor& tensor, uint64_t tensor_number, uint64_t first_element,
            std::span<uint16_t> out) const {
    const uint64_t stream = Stream(options_.seed, tensor_number);
    if (options_.noise == 0.0 && !options_.permute) {
      for (size_t i = 0; i < out.size(); i += 4) {
        uint64_t random = RandomBits(stream + (first_element + i) / 4, 0);
        for (size_t j = i; j < std::min(i + 4, out.size()); ++j, random >>= 16) {
          out[j] = values_[random & 0xffff];
        }
      }
      return;
    }
    const uint64_t noise_stream = Stream(options_.derivation_seed, tensor_number);
    const uint64_t columns = tensor.shape[1];
    for (size_t i = 0; i < out.size(); ++i) {
      const uint64_t row = (first_element + i) / columns;
      const uint64_t column = (first_element + i) % columns;
      const uint64_t from = Moved(tensor.rows, row) * columns + Moved(tensor.columns, column);
      out[i] = At(stream, from);
      if (options_.noise == 0.0) continue;
      out[i] = ToBfloat16(ToDouble(out[i]) +
                          options_.noise * ToDouble(At(noise_stream, first_element + i)));
    }
  }

 private:
  static uint64_t Stream(uint64_t seed, uint64_t tensor_number) {
    return RandomBits(RandomBits(seed, 0) ^ tensor_number, 0);
  }

  static double ToDouble(uint16_t bfloat16) {
    return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bfloat16) << 16));
  }

  uint16_t At(uint64_t stream, uint64_t element) const {
    return values_[(RandomBits(stream + element / 4, 0) >> (element % 4 * 16)) & 0xffff];
  }

  uint64_t Moved(Axis axis, uint64_t index) const {
    if (!options_.permute || axis == Axis::kOther) return index;
    return axis == Axis::kResidual ? residual_order_[index] : unit_order_[index];
  }

  std::vector<uint32_t> Order(uint64_t count, uint64_t purpose) const {
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    const uint64_t stream = RandomBits(options_.derivation_seed, purpose);
    for (uint64_t i = count; i > 1; --i) std::swap(order[i - 1], order[RandomBits(stream, i) % i]);
    return order;
  }

  const Options& options_;
  std::vector<uint16_t> values_;
  std::vector<uint32_t> residual_order_;
  std::vector<uint32_t> unit_order_;
};

std::string SafetensorsHeader(const Shard& shard) {
  nlohmann::ordered_json header = {{"__metadata__", {{"format", "pt"}}}};
  uint64_t begin_bytes = 0;
  for (const PlannedTensor& tensor : shard) {
    const uint64_t end_bytes = begin_bytes + tensor.element_count() * sizeof(uint16_t);
    header[tensor.name] = {
        {"dtype", "BF16"}, {"shape", tensor.shape}, {"data_offsets", {begin_bytes, end_bytes}}};
    begin_bytes = end_bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data then begin at a multiple of 8
  return text;
}

void WriteTensor(const PlannedTensor& tensor, uint64_t tensor_number,
                 const GaussianWeights& weights, std::ofstream& file) {
  if (tensor.shape.size() == 1) {  // a norm's gain
    const std::vector<uint16_t> ones(tensor.element_count(), ToBfloat16(1.0));
    file.write(reinterpret_cast<const char*>(ones.data()), std::streamsize(ones.size() * 2));
    return;
  }
  constexpr uint64_t kSliceElements = 1 << 20;  // one thread's work at a time
  constexpr uint64_t kBlockElements = 32 * kSliceElements;
  std::vector<uint16_t> block(std::min(kBlockElements, tensor.element_count()));
  for (uint64_t begin = 0; begin < tensor.element_count(); begin += kBlockElements) {
    const uint64_t count = std::min(kBlockElements, tensor.element_count() - begin);
    const auto fill_slice = [&](size_t slice) -> Result<void> {
      const uint64_t first = slice * kSliceElements;
      weights.Fill(tensor, tensor_number, begin + first,
                   std::span(block).subspan(first, std::min(kSliceElements, count - first)));
      return {};
    };
    // No slice can fail, so there is no error to look at.
    (void)ParallelFor((count + kSliceElements - 1) / kSliceElements, 0, fill_slice);
    file.write(reinterpret_cast<const char*>(block.data()), std::streamsize(count * 2));
  }
}

void WriteShard(const Shard& shard, uint64_t first_tensor_number, const GaussianWeights& weights,
                const std::filesystem::path& path) {
  std::ofstream file;
  file.exceptions(std::ios::failbit | std::ios::badbit);
  file.open(path, std::ios::binary);
  const std::string header = SafetensorsHeader(shard);
  std::array<char, 8> length = {};
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
  file.write(length.data(), length.size());
  file << header;
  for (size_t i = 0; i < shard.size(); ++i) {
    WriteTensor(shard[i], first_tensor_number + i, weights, file);
  }
  file.close();
}

void WriteJson(const nlohmann::ordered_json& json, const std::filesystem::path& path) {
  std::ofstream file;
  file.exceptions(std::ios::failbit | std::ios::badbit);
  file.open(path, std::ios::binary);
  file << json.dump(2) << '\n';
  file.close();
}

nlohmann::ordered_json Config(const ModelShape& m) {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"vocab_size", m.vocabulary},
          {"hidden_size", m.hidden},
          {"intermediate_size", m.ffn},
          {"num_hidden_layers", m.layers},
          {"num_attention_heads", m.heads},
          {"num_key_value_heads", m.kv_heads},
          {"head_dim", m.head_dim},
          {"hidden_act", "silu"},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 500000.0},
          {"tie_word_embeddings", !m.own_head},
          {"torch_dtype", "bfloat16"}};
}

// Builds the folder beside its place and renames it, so that one cut short is never taken for a
// model.
void WriteModel(const Options& options) {
  const std::filesystem::path unfinished = options.folder.string() + ".unfinished";
  std::filesystem::remove_all(unfinished);
  std::filesystem::create_directories(unfinished);

  const std::vector<PlannedTensor> tensors = PlanTensors(options.shape);
  const std::vector<Shard> shards = options.shards > 0
                                        ? PlanShardsByCount(tensors, options.shards)
                                        : PlanShardsBySize(tensors, options.shard_mib);
  const GaussianWeights weights(options);
  nlohmann::ordered_json shard_of_tensor;
  uint64_t tensor_number = 0, total_bytes = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name =
        shards.size() == 1 ? "model.safetensors"
                           : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    WriteShard(shards[i], tensor_number, weights, unfinished / name);
    tensor_number += shards[i].size();
    for (const PlannedTensor& tensor : shards[i]) {
      shard_of_tensor[tensor.name] = name;
      total_bytes += tensor.element_count() * sizeof(uint16_t);
    }
  }
  if (shards.size() > 1) {
    WriteJson({{"metadata", {{"total_size", total_bytes}}}, {"weight_map", shard_of_tensor}},
              unfinished / "model.safetensors.index.json");
  }
  WriteJson(Config(options.shape), unfinished / "config.json");
  std::filesystem::rename(unfinished, options.folder);
  fmt::print("{}: {} tensors, {} bytes of weights\n", options.folder.string(), tensor_number,
             total_bytes);
}

int Main(int argc, char** argv) {
  Options options;
  ModelShape& shape = options.shape;
  CLI::App app(
      "Writes a Llama-shaped model with random bfloat16 weights. Shapes not given are those "
      "of Llama-3.2-1B.",
      "generate_model");
  const CLI::Range size(uint64_t{1}, uint64_t{1} << 20);
  app.add_option("--vocabulary", shape.vocabulary, "Tokens")->check(size);
  app.add_option("--hidden", shape.hidden, "Width of the residual stream")->check(size);
  app.add_option("--layers", shape.layers, "Layers")->check(size);
  app.add_option("--heads", shape.heads, "Query heads")->check(size);
  app.add_option("--kv-heads", shape.kv_heads, "Key and value heads")->check(size);
  app.add_option("--head-dim", shape.head_dim, "Width of a head")->check(size);
  app.add_option("--ffn", shape.ffn, "Hidden units of a feed-forward block")->check(size);
  app.add_flag("--own-head", shape.own_head, "lm_head.weight beside the embedding");
  app.add_option("--std", options.weight_std, "Standard deviation of the weights");
  app.add_option("--seed", options.seed, "Another seed gives an independent model");
  app.add_option("--noise", options.noise,
                 "Add noise of this fraction of the standard deviation to every matrix, as if "
                 "trained on")
      ->check(CLI::Range(0.0, 100.0));
  app.add_flag("--permute", options.permute,
               "Put the residual stream and the hidden units in another order, which changes "
               "nothing that the model computes");
  app.add_option("--derivation-seed", options.derivation_seed, "Of that noise and order");
  app.add_option("--shard-mib", options.shard_mib, "Largest shard")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 30));
  app.add_option("--shards", options.shards, "How many shards, instead of a largest size")
      ->check(CLI::Range(uint64_t{1}, uint64_t{99999}));
  app.add_option("FOLDER", options.folder, "Where to write; must not exist")
      ->required()
      ->check(CLI::NonexistentPath);
  CLI11_PARSE(app, argc, argv);
  try {
    WriteModel(options);
  } catch (const std::system_error& error) {  // the streams' and the folder's
    fmt::print(stderr, "generate_model: {}: {}\n", options.folder.string(), error.what());
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) { return tensorguard::internal::Main(argc, argv); }
