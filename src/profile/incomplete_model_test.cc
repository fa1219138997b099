// Models of which something is missing are refused by what is missing, and gone on with if asked
// to; what differs by design is no fault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "fingerprint/file/fingerprint_file.h"
#include "profile/full_profile.h"
#include "profile/zero_parts.h"
#include "tests/support/disguised_models.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class IncompleteModel : public ::testing::Test {
 protected:
  TestNetwork Llama(uint64_t experts = 0) {
    TestNetwork network = {.layers = 6};
    network.experts = experts;
    return LlamaLike(experts > 0 ? "mixtral" : "llama", Json::object(), false, true,
                     std::move(network));
  }

  Result<Fingerprint> PrintOf(const TestNetwork& network, bool incomplete = false) {
    Model model = ModelOf(network.tensors, network.config);
    model.name = network.name;
    model.tokenizer_folder = folder_.path();
    return ComputeFullFingerprint(model, {.threads = 1, .incomplete = incomplete});
  }

  // What is missing without the tensors whose names hold one of `parts`.
  std::vector<std::string> MissingWithout(TestNetwork network,
                                          const std::vector<std::string>& parts) {
    std::erase_if(network.tensors, [&](const auto& tensor) {
      return std::any_of(parts.begin(), parts.end(), [&](const std::string& part) {
        return tensor.first.find(part) != std::string::npos;
      });
    });
    return MissingOf(network);
  }

  std::vector<std::string> MissingWithZeros(TestNetwork network,
                                            const std::vector<std::string>& parts) {
    for (auto& [name, tensor] : network.tensors) {
      for (const std::string& part : parts) {
        if (name.find(part) == std::string::npos) continue;
        std::fill(tensor.values.begin(), tensor.values.end(), 0.0f);
      }
    }
    return MissingOf(network);
  }

  std::vector<std::string> MissingOf(const TestNetwork& network) {
    const auto going_on = PrintOf(network, true);
    EXPECT_TRUE(going_on) << DescribeError(going_on.error());
    if (!going_on) return {"an error"};
    const auto refused = PrintOf(network);
    EXPECT_EQ(static_cast<bool>(refused), going_on->missing.empty());
    if (!refused) {
      EXPECT_EQ(refused.error().kind, ErrorKind::kBadFile);
      EXPECT_THAT(refused.error().problem, HasSubstr(going_on->missing.front()));
      EXPECT_THAT(refused.error().advice, HasSubstr("--incomplete"));
      EXPECT_LT(going_on->known_permille, 1000u);
      EXPECT_THAT(going_on->notes, Contains(HasSubstr("not whole")));
    }
    return going_on->missing;
  }

  ScratchFolder folder_;
};

TEST_F(IncompleteModel, NamesLayersThatAreNotThere) {
  EXPECT_THAT(MissingWithout(Llama(), {}), IsEmpty());
  EXPECT_THAT(MissingWithout(Llama(), {"layers.4.", "layers.5."}), ElementsAre("layers 4-5"));
  EXPECT_THAT(MissingWithout(Llama(), {"layers.2."}), ElementsAre("layer 2"));
  EXPECT_THAT(MissingWithout(Llama(), {"layers.0.", "layers.3."}), ElementsAre("layers 0, 3"));
  TestNetwork no_config = Llama();
  no_config.config = Json();
  EXPECT_THAT(MissingWithout(no_config, {"layers.2."}), ElementsAre("layer 2"));
  EXPECT_THAT(MissingWithout(no_config, {"layers.5."}), IsEmpty());
}

TEST_F(IncompleteModel, NamesMatricesThatTheOtherLayersHave) {
  EXPECT_THAT(MissingWithout(Llama(), {"layers.2.self_attn.o_proj"}),
              ElementsAre("output projection of layer 2"));
  EXPECT_THAT(MissingWithout(Llama(), {"layers.2.mlp.down", "layers.4.mlp.down"}),
              ElementsAre("down of layers 2, 4"));
  EXPECT_THAT(MissingWithout(Llama(), {"layers.2.mlp"}),
              ElementsAre("the feed-forward of layer 2"));
  EXPECT_THAT(MissingWithout(Llama(), {"layers.2.self_attn"}),
              ElementsAre("the attention of layer 2"));
  EXPECT_THAT(MissingWithout(Llama(), {".mlp."}), ElementsAre("the feed-forward of every layer"));
  EXPECT_THAT(MissingWithout(Llama(), {"model.norm"}), ElementsAre("the final norm"));
  EXPECT_THAT(MissingWithout(Llama(4), {"layers.1.block_sparse_moe.gate"}),
              ElementsAre("router of layer 1"));
}

// Layers that a list of the config sets apart, or of which half differ.
TEST_F(IncompleteModel, LeavesWhatDiffersByDesign) {
  TestNetwork listed = Llama();
  listed.config["layer_types"] = {"full", "full", "sliding", "full", "full", "sliding"};
  EXPECT_THAT(MissingWithout(listed, {"layers.2.mlp", "layers.5.mlp"}), IsEmpty());
  EXPECT_THAT(MissingWithout(listed, {"layers.2.mlp"}), ElementsAre("the feed-forward of layer 2"));
  EXPECT_THAT(MissingWithout(Llama(), {"layers.1.mlp", "layers.3.mlp", "layers.5.mlp"}), IsEmpty());
  TestNetwork shorter = Llama();
  shorter.config["num_hidden_layers"] = 4;
  EXPECT_THAT(MissingWithout(shorter, {"layers.4.", "layers.5."}), IsEmpty());
}

TEST_F(IncompleteModel, NamesPlaceholdersOfZeros) {
  EXPECT_THAT(MissingWithZeros(Llama(), {"layers.3.", "layers.4."}), ElementsAre("layers 3-4"));
  EXPECT_THAT(MissingWithZeros(Llama(), {".mlp."}), ElementsAre("the feed-forward of every layer"));
  EXPECT_THAT(MissingWithZeros(Llama(), {"self_attn"}),
              ElementsAre("the attention of every layer"));
  EXPECT_THAT(MissingWithZeros(Llama(4), {"layers.3."}), ElementsAre("layer 3"));
}

// A new layer of block expansion writes nothing at first.
TEST_F(IncompleteModel, NotesZerosThatSilenceAPart) {
  TestNetwork expanded = Llama();
  for (const char* name :
       {"model.layers.3.self_attn.o_proj.weight", "model.layers.3.mlp.down_proj.weight"}) {
    auto& values = expanded.tensors.at(name).values;
    std::fill(values.begin(), values.end(), 0.0f);
  }
  const auto print = PrintOf(expanded);
  ASSERT_TRUE(print) << DescribeError(print.error());
  EXPECT_THAT(print->missing, IsEmpty());
  EXPECT_THAT(print->notes, Contains("only zeros: model.layers.3.mlp.down_proj.weight, "
                                     "model.layers.3.self_attn.o_proj.weight"));
}

TEST_F(IncompleteModel, ItsFileSaysWhatIsMissing) {
  TestNetwork network = Llama();
  std::erase_if(network.tensors, [](const auto& tensor) {
    return tensor.first.find("layers.4.") != std::string::npos;
  });
  const auto print = PrintOf(network, true);
  ASSERT_TRUE(print);
  const auto path = folder_.path() / "x.fingerprint.safetensors";
  ASSERT_TRUE(WriteFingerprint(*print, path));
  const auto read = ReadFingerprint(path);
  ASSERT_TRUE(read) << DescribeError(read.error());
  EXPECT_THAT(read->missing, ElementsAre("layer 4"));
  EXPECT_EQ(read->known_permille, print->known_permille);
  EXPECT_NEAR(read->known_permille, 850, 30);
}

}  // namespace
}  // namespace tensorguard::internal
