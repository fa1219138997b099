#include "independence/units/unit_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "base/random_bits.h"
#include "independence/units/matched_units.h"
#include "tests/support/random_models.h"

namespace tensorguard::internal {
namespace {

// More units than are read at a time, and not a multiple of it.
constexpr uint64_t kUnits = 1300;
constexpr uint64_t kHidden = 12;
constexpr float kRounding = 2e-5f;

TensorValues Drawn(std::vector<uint64_t> shape, uint64_t seed, float mean = 0.0f) {
  TensorValues tensor{.shape = std::move(shape), .values = {}};
  tensor.values.resize(ElementCount(tensor.shape).value());
  uint64_t index = 0;
  for (float& value : tensor.values) {
    value = mean + static_cast<float>(RandomBits(seed, index++) >> 40) / (1 << 24) - 0.5f;
  }
  return tensor;
}

using Tensors = std::map<std::string, TensorValues>;

// A gated block, whose `down` is stored [hidden, units].
std::shared_ptr<const Network> GatedNetwork(uint64_t seed) {
  const std::string layer = "model.layers.0.";
  Tensors tensors = {{"model.embed_tokens.weight", Drawn({20, kHidden}, seed + 1)},
                     {"model.norm.weight", Drawn({kHidden}, seed + 2, 1.0f)},
                     {layer + "input_layernorm.weight", Drawn({kHidden}, seed + 3, 1.0f)},
                     {layer + "post_attention_layernorm.weight", Drawn({kHidden}, seed + 4, 1.0f)},
                     {layer + "mlp.gate_proj.weight", Drawn({kUnits, kHidden}, seed + 5, 0.1f)},
                     {layer + "mlp.up_proj.weight", Drawn({kUnits, kHidden}, seed + 6)},
                     {layer + "mlp.down_proj.weight", Drawn({kHidden, kUnits}, seed + 7)}};
  for (const char* part : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
    tensors[layer + "self_attn." + part + ".weight"] = Drawn({kHidden, kHidden}, ++seed + 8);
  }
  const Json config = {{"model_type", "llama"},    {"architectures", {"LlamaForCausalLM"}},
                       {"hidden_size", kHidden},   {"num_attention_heads", 2},
                       {"num_key_value_heads", 2}, {"rms_norm_eps", 1e-6},
                       {"vocab_size", 20},         {"intermediate_size", kUnits}};
  const auto network = Network::Build(ModelOf(tensors, config));
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return *network;
}

// A plain block behind a norm that centres, all of it stored [in, out].
std::shared_ptr<const Network> PlainNetwork(uint64_t seed) {
  Tensors tensors = {{"wte.weight", Drawn({20, kHidden}, seed + 1)},
                     {"wpe.weight", Drawn({16, kHidden}, seed + 2)},
                     {"h.0.attn.c_attn.weight", Drawn({kHidden, 3 * kHidden}, seed + 3)},
                     {"h.0.attn.c_attn.bias", Drawn({3 * kHidden}, seed + 4)},
                     {"h.0.attn.c_proj.weight", Drawn({kHidden, kHidden}, seed + 5)},
                     {"h.0.attn.c_proj.bias", Drawn({kHidden}, seed + 6)},
                     {"h.0.mlp.c_fc.weight", Drawn({kHidden, kUnits}, seed + 7, 0.1f)},
                     {"h.0.mlp.c_fc.bias", Drawn({kUnits}, seed + 8)},
                     {"h.0.mlp.c_proj.weight", Drawn({kUnits, kHidden}, seed + 9)},
                     {"h.0.mlp.c_proj.bias", Drawn({kHidden}, seed + 10)}};
  for (const char* norm : {"h.0.ln_1", "h.0.ln_2", "ln_f"}) {
    tensors[std::string(norm) + ".weight"] = Drawn({kHidden}, ++seed + 11, 1.0f);
    tensors[std::string(norm) + ".bias"] = Drawn({kHidden}, ++seed + 11);
  }
  const Json config = {{"model_type", "gpt2"}, {"architectures", {"GPT2LMHeadModel"}},
                       {"n_embd", kHidden},    {"n_head", 2},
                       {"n_positions", 16},    {"vocab_size", 20}};
  const auto network = Network::Build(ModelOf(tensors, config));
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return *network;
}

FeedForwardBlock OnlyBlock(const Network& network) { return ListFeedForwardBlocks(network)[0][0]; }

UnitReader Opened(const Network& network, unsigned threads = 2) {
  auto reader = UnitReader::Open(network, OnlyBlock(network), threads);
  EXPECT_TRUE(reader) << (reader ? "" : DescribeError(reader.error()));
  return *std::move(reader);
}

class UnitReaderTest : public testing::TestWithParam<bool> {
 protected:
  static std::shared_ptr<const Network> Make(uint64_t seed) {
    return GetParam() ? GatedNetwork(seed) : PlainNetwork(seed);
  }
};

INSTANTIATE_TEST_SUITE_P(Layouts, UnitReaderTest, testing::Bool(),
                         [](const auto& layout) { return layout.param ? "Gated" : "Plain"; });

TEST_P(UnitReaderTest, ReadsAnyUnitsAsTheWholeBlockHasThem) {
  const auto network = Make(1);
  const auto whole = ReadUnitVectors(*network, OnlyBlock(*network));
  ASSERT_TRUE(whole);
  const UnitReader reader = Opened(*network);
  EXPECT_EQ(reader.units(), kUnits);
  for (const uint64_t first : {uint64_t{0}, uint64_t{500}, kUnits - 7}) {
    const auto part = reader.ReadAll(first, 7);
    ASSERT_TRUE(part);
    const auto differ = [&](const arma::fmat& found, const arma::fmat& all) {
      return arma::abs(found - all.cols(first, first + 6)).max();
    };
    ASSERT_EQ(part->has_gate(), GetParam());
    if (GetParam()) {
      EXPECT_LT(differ(part->gate, whole->gate), kRounding);
    }
    EXPECT_LT(differ(part->up, whole->up), kRounding);
    EXPECT_LT(differ(part->down, whole->down), kRounding);
  }
}

TEST_P(UnitReaderTest, GivesTheSameBitsForAnyThreads) {
  const auto network = Make(2);
  const auto one = Opened(*network, 1).ReadInParallel(UnitMatrix::kDown, 3, 1100, 1);
  const auto three = Opened(*network, 3).ReadInParallel(UnitMatrix::kDown, 3, 1100, 3);
  ASSERT_TRUE(one && three);
  EXPECT_TRUE(std::equal(one->begin(), one->end(), three->begin(), three->end()));
}

// The fast way to what is matched against the plain one.
TEST_P(UnitReaderTest, PreparesColumnsAsFromTheWholeBlock) {
  const auto network = Make(3);
  const auto whole = ReadUnitVectors(*network, OnlyBlock(*network));
  ASSERT_TRUE(whole);
  const auto matrices = MatricesToMatch(GetParam());
  const ResidualMaps maps = SameCoordinates(kHidden, kHidden, 0);
  for (const arma::uvec& chosen : {AllUnits(kUnits), MatchedSample(kUnits)}) {
    const MatchedColumns plain = PrepareColumns(*whole, matrices, chosen, maps.a, 2);
    const auto read = ReadMatchedColumns(Opened(*network), matrices, chosen, maps.a, 2);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), plain.size());
    for (size_t i = 0; i < plain.size(); ++i) {
      ASSERT_EQ(arma::size((*read)[i]), arma::size(plain[i]));
      EXPECT_LT(arma::abs((*read)[i] - plain[i]).max(), 10 * kRounding) << i;
    }
  }
}

TEST(ReadTransposed, ReadsEitherOrderOfStorageByUnit) {
  for (const bool gated : {true, false}) {
    const auto network = gated ? GatedNetwork(4) : PlainNetwork(4);
    const Weight down = OnlyBlock(*network).down;
    EXPECT_EQ(down.input_major, !gated);
    const auto turned = ReadTransposed(down);
    ASSERT_TRUE(turned);
    const auto rows = ReadWeight(network->source(), down);
    const auto units = ReadWeightRows(network->source(), *turned, 100, 5);
    ASSERT_TRUE(rows && units);
    for (size_t unit = 0; unit < 5; ++unit) {
      for (size_t i = 0; i < kHidden; ++i) {
        EXPECT_EQ(units->Row(unit)[i], rows->Row(i)[100 + unit]);
      }
    }
  }
}

// Some of a tensor's rows; a tensor's rows in pieces cannot be turned.
TEST(ReadTransposed, CountsFromTheFirstRow) {
  const auto network = GatedNetwork(5);
  Weight part = OnlyBlock(*network).down;
  part.runs = {{.first = 4, .count = 6}};
  part.rows = 6;
  const auto turned = ReadTransposed(part);
  ASSERT_TRUE(turned);
  const auto rows = ReadWeight(network->source(), part);
  const auto units = ReadWeight(network->source(), *turned);
  ASSERT_TRUE(rows && units);
  EXPECT_EQ(units->rows(), kUnits);
  EXPECT_EQ(units->Row(1200)[2], rows->Row(2)[1200]);
  part.runs = {{.first = 0, .count = 3}, {.first = 6, .count = 3}};
  EXPECT_FALSE(ReadTransposed(part));
  part.runs = {{.first = 0, .count = 6, .step = 2}};
  EXPECT_FALSE(ReadTransposed(part));
}

}  // namespace
}  // namespace tensorguard::internal
