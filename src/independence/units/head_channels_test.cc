#include "independence/units/head_channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "tests/support/random_models.h"
#include "tests/support/random_units.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kHidden = 40;
constexpr uint64_t kHeads = 4;
constexpr uint64_t kKeyHeads = 2;
constexpr uint64_t kHeadSize = 6;

using Tensors = std::map<std::string, TensorValues>;

// Numbers row by row of an [out, in] matrix whose transpose is `columns`.
TensorValues FromColumns(const arma::fmat& columns) {
  return {.shape = {columns.n_cols, columns.n_rows},
          .values = std::vector<float>(columns.begin(), columns.end())};
}

std::string Name(const std::string& part) { return "model.layers.0." + part + ".weight"; }

// Transposes of the matrices of one attention: what stands in front of it has gains of one.
struct Attention {
  arma::fmat query = NormalMatrix(kHidden, kHeads* kHeadSize, 1);
  arma::fmat key = NormalMatrix(kHidden, kKeyHeads* kHeadSize, 2);
  arma::fmat value = NormalMatrix(kHidden, kKeyHeads* kHeadSize, 3);
  arma::fmat output = NormalMatrix(kHeads * kHeadSize, kHidden, 4);
};

std::shared_ptr<const Network> Build(const Attention& attention) {
  const TensorValues ones{.shape = {kHidden}, .values = std::vector<float>(kHidden, 1.0f)};
  const Tensors tensors = {{"model.embed_tokens.weight", FromColumns(NormalMatrix(kHidden, 20, 5))},
                           {"model.norm.weight", ones},
                           {Name("input_layernorm"), ones},
                           {Name("post_attention_layernorm"), ones},
                           {Name("self_attn.q_proj"), FromColumns(attention.query)},
                           {Name("self_attn.k_proj"), FromColumns(attention.key)},
                           {Name("self_attn.v_proj"), FromColumns(attention.value)},
                           {Name("self_attn.o_proj"), FromColumns(attention.output)},
                           {Name("mlp.gate_proj"), FromColumns(NormalMatrix(kHidden, 16, 6))},
                           {Name("mlp.up_proj"), FromColumns(NormalMatrix(kHidden, 16, 7))},
                           {Name("mlp.down_proj"), FromColumns(NormalMatrix(16, kHidden, 8))}};
  const Json config = {{"model_type", "llama"},
                       {"architectures", {"LlamaForCausalLM"}},
                       {"hidden_size", kHidden},
                       {"num_attention_heads", kHeads},
                       {"num_key_value_heads", kKeyHeads},
                       {"head_dim", kHeadSize},
                       {"intermediate_size", 16},
                       {"vocab_size", 20}};
  auto network = Network::Build(ModelOf(tensors, config));
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return *network;
}

HeadChannels Channels(const Attention& attention, unsigned threads = 1) {
  const auto network = Build(attention);
  const auto channels = ReadHeadChannels(*network, 0, threads);
  EXPECT_TRUE(channels && *channels);
  return **channels;
}

arma::fmat OfHead(const arma::fmat& matrix, uint64_t head) {
  return matrix.cols(head * kHeadSize, (head + 1) * kHeadSize - 1);
}

TEST(ReadHeadChannels, AreTheSingularVectorsOfTheForms) {
  const Attention attention;
  const HeadChannels channels = Channels(attention);
  for (uint64_t head = 0; head < kHeads; ++head) {
    const arma::fmat output = arma::fmat(attention.output.t());
    const arma::fmat forms[] = {
        OfHead(output, head) * OfHead(attention.value, head / 2).t(),
        OfHead(attention.key, head / 2) * OfHead(attention.query, head).t()};
    const UnitVectors* found[] = {&channels.values, &channels.scores};
    for (const size_t kind : {0, 1}) {
      arma::fmat left;
      arma::fmat right;
      arma::fvec sizes;
      ASSERT_TRUE(arma::svd_econ(left, sizes, right, forms[kind]));
      const arma::fmat up = OfHead(found[kind]->up, head);
      const arma::fmat down = OfHead(found[kind]->down, head);
      for (uint64_t i = 0; i < kHeadSize; ++i) {
        EXPECT_NEAR(std::abs(arma::dot(up.col(i), right.col(i))), 1.0f, 1e-3f);
        EXPECT_NEAR(std::abs(arma::dot(down.col(i), left.col(i))), 1.0f, 1e-3f);
        EXPECT_GT(arma::dot(up.col(i), right.col(i)) * arma::dot(down.col(i), left.col(i)), 0.0f)
            << "the two signs go together";
      }
    }
  }
}

TEST(ReadHeadChannels, NoChangeInsideAHeadMovesThem) {
  const Attention before;
  Attention after = before;
  for (uint64_t key_head = 0; key_head < kKeyHeads; ++key_head) {
    const auto columns = [&](uint64_t head) {
      return arma::span(head * kHeadSize, (head + 1) * kHeadSize - 1);
    };
    // Invertible, and no rotation.
    arma::fmat mix = NormalMatrix(kHeadSize, kHeadSize, 20 + key_head);
    mix.diag() += 4.0f;
    const arma::fmat inverse = arma::inv(mix);
    after.value.cols(columns(key_head)) = before.value.cols(columns(key_head)) * mix;
    after.key.cols(columns(key_head)) = before.key.cols(columns(key_head)) * mix;
    for (const uint64_t head : {2 * key_head, 2 * key_head + 1}) {
      after.output.rows(columns(head)) = inverse * before.output.rows(columns(head));
      after.query.cols(columns(head)) = before.query.cols(columns(head)) * inverse.t();
    }
  }
  const HeadChannels a = Channels(before);
  const HeadChannels b = Channels(after);
  const auto alike = [](const arma::fmat& x, const arma::fmat& y) {
    for (arma::uword i = 0; i < x.n_cols; ++i) {
      EXPECT_NEAR(std::abs(arma::dot(x.col(i), y.col(i))), 1.0f, 1e-3f) << i;
    }
  };
  alike(a.values.up, b.values.up);
  alike(a.values.down, b.values.down);
  alike(a.scores.up, b.scores.up);
  alike(a.scores.down, b.scores.down);
}

TEST(ReadHeadChannels, AreTheSameForAnyThreads) {
  const HeadChannels one = Channels({}, 1);
  const HeadChannels four = Channels({}, 4);
  EXPECT_TRUE(arma::approx_equal(one.values.up, four.values.up, "absdiff", 0.0f));
  EXPECT_TRUE(arma::approx_equal(one.scores.down, four.scores.down, "absdiff", 0.0f));
}

TEST(ReadHeadChannels, AreZeroForADeadHead) {
  Attention attention;
  attention.output.rows(0, kHeadSize - 1).zeros();
  const HeadChannels channels = Channels(attention);
  EXPECT_TRUE(OfHead(channels.values.down, 0).is_zero());
  EXPECT_TRUE(OfHead(channels.values.up, 0).is_zero());
  EXPECT_FALSE(OfHead(channels.values.down, 1).is_zero());
  EXPECT_FALSE(OfHead(channels.scores.up, 0).is_zero());
}

TEST(ReadValueForm, IsTheSumOverHeads) {
  const Attention attention;
  const arma::fmat map = NormalMatrix(kHidden, 5, 9);
  const auto form = ReadValueForm(*Build(attention), 0, map, 2);
  ASSERT_TRUE(form && *form);
  arma::fmat whole(kHidden, kHidden, arma::fill::zeros);
  const arma::fmat output = arma::fmat(attention.output.t());
  for (uint64_t head = 0; head < kHeads; ++head) {
    whole += OfHead(output, head) * OfHead(attention.value, head / 2).t();
  }
  const arma::fmat expected = map.t() * whole * map;
  EXPECT_TRUE(arma::approx_equal(**form, expected, "reldiff", 1e-2f));
}

}  // namespace
}  // namespace tensorguard::internal
