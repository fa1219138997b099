// Small random networks of several layouts, with a tokenizer, as the transformations read them.
#ifndef TENSORGUARD_TESTS_SUPPORT_RANDOM_DECODERS_H_
#define TENSORGUARD_TESTS_SUPPORT_RANDOM_DECODERS_H_

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/disguised_models.h"
#include "tests/support/scratch_folder.h"
#include "transform/decoder.h"

namespace tensorguard::internal {

// Byte-level BPE of `size` tokens: letters, then pairs of them.
inline std::string TestTokenizer(uint64_t size) {
  Json vocab = Json::object();
  Json merges = Json::array();
  for (uint64_t id = 0; id < size; ++id) {
    const std::string first(1, static_cast<char>('a' + id % 26));
    const std::string second(1, static_cast<char>('a' + id / 26));
    if (id < 26) {
      vocab[first] = id;
    } else {
      vocab["\u0120" + second + first] = id;
      merges.push_back(second + " " + first);
    }
  }
  return Json{{"version", "1.0"},
              {"pre_tokenizer", {{"type", "ByteLevel"}}},
              {"decoder", {{"type", "ByteLevel"}}},
              {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}}
      .dump();
}

// Rows of the parts one after the other as one tensor.
inline void Fuse(TestNetwork& network, const std::vector<std::string>& parts,
                 const std::string& whole) {
  TensorValues fused = {.shape = {0, network.hidden}, .values = {}};
  for (const std::string& part : parts) {
    const TensorValues& tensor = network.tensors.at(part);
    fused.shape[0] += tensor.shape[0];
    fused.values.insert(fused.values.end(), tensor.values.begin(), tensor.values.end());
    network.tensors.erase(part);
  }
  network.tensors[whole] = std::move(fused);
}

inline TestNetwork FusedNetwork() {
  TestNetwork network = LlamaLike("phi3", {}, false, false);
  for (uint64_t layer = 0; layer < network.layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    const std::string attention = prefix + "self_attn.";
    Fuse(network,
         {attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"},
         attention + "qkv_proj.weight");
    Fuse(network, {prefix + "mlp.gate_proj.weight", prefix + "mlp.up_proj.weight"},
         prefix + "mlp.gate_up_proj.weight");
  }
  return network;
}

// Norms on each head's queries and keys.
inline TestNetwork NormedHeadsNetwork() {
  TestNetwork network = LlamaLike("qwen3", {}, false, false);
  for (uint64_t layer = 0; layer < network.layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".self_attn.";
    AddTensor(network, prefix + "q_norm.weight", {network.head_size}, 0.4f, 1);
    AddTensor(network, prefix + "k_norm.weight", {network.head_size}, 0.4f, 1);
  }
  return network;
}

// Untied and tied Llama, Qwen2's biases, Gemma's gains, experts, fused tensors, norms on heads.
inline std::vector<TestNetwork> DecoderNetworks() {
  std::vector<TestNetwork> networks = TestNetworks();
  networks.resize(5);
  networks.push_back(FusedNetwork());
  networks.push_back(NormedHeadsNetwork());
  return networks;
}

class WithTokenizer : public ::testing::Test {
 protected:
  Model ModelFrom(const TestNetwork& network) {
    Model model = ModelOf(network.tensors, network.config);
    model.name = network.name;
    const std::string folder = "tokens" + std::to_string(network.vocabulary);
    model.tokenizer_folder =
        folder_.Write(folder + "/tokenizer.json", TestTokenizer(network.vocabulary)).parent_path();
    return model;
  }

  Decoder Read(const TestNetwork& network) {
    auto decoder = ReadDecoder(ModelFrom(network));
    EXPECT_TRUE(decoder) << network.name << ": " << DescribeError(decoder.error());
    return decoder ? *std::move(decoder) : Decoder();
  }

  ScratchFolder folder_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_RANDOM_DECODERS_H_
