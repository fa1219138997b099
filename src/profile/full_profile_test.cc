// The full profile from a model to the fingerprint: against plain loops, for any number of threads,
// and where a part is missing, zero or no number.
#include "profile/full_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/file.h"
#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/stored_fingerprint.h"
#include "profile/response_kernels.h"
#include "tests/support/disguised_models.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;

// Without a tokenizer, so that the anchors are rows.
class FullProfile : public ::testing::Test {
 protected:
  Model ModelFrom(const TestNetwork& network) {
    Model model = ModelOf(network.tensors, network.config);
    model.name = network.name;
    model.tokenizer_folder = folder_.path();
    return model;
  }

  Fingerprint PrintOf(const TestNetwork& network, unsigned threads = 1) {
    auto print = ComputeFullFingerprint(ModelFrom(network), {.threads = threads});
    EXPECT_TRUE(print) << DescribeError(print.error());
    return print ? *std::move(print) : Fingerprint();
  }

  std::string FileOf(const Fingerprint& print, const std::string& name) {
    EXPECT_TRUE(WriteFingerprint(print, folder_.path() / name));
    return *ReadSmallFile(folder_.path() / name, 1 << 24);
  }

  ScratchFolder folder_;
};

// Root mean square of one over that of the other.
double PlainGain(const FloatMatrix& outputs, const FloatMatrix& stream) {
  const auto mean_square = [](const FloatMatrix& rows) {
    double sum = 0;
    for (const float value : rows.values()) sum += static_cast<double>(value) * value;
    return sum / static_cast<double>(rows.values().size());
  };
  return std::sqrt(mean_square(outputs) / mean_square(stream));
}

// left . right over rows, then both means taken out, by the formula.
FloatMatrix PlainKernel(const FloatMatrix& left, const FloatMatrix& right) {
  const size_t n = left.rows();
  std::vector<std::vector<double>> kernel(n, std::vector<double>(n));
  for (size_t t = 0; t < n; ++t) {
    for (size_t s = 0; s < n; ++s) {
      for (size_t i = 0; i < left.columns(); ++i) {
        kernel[t][s] += static_cast<double>(left.Row(t)[i]) * right.Row(s)[i];
      }
    }
  }
  FloatMatrix centred(n, n);
  for (size_t t = 0; t < n; ++t) {
    for (size_t s = 0; s < n; ++s) {
      double row = 0;
      double column = 0;
      double all = 0;
      for (size_t i = 0; i < n; ++i) {
        row += kernel[t][i] / static_cast<double>(n);
        column += kernel[i][s] / static_cast<double>(n);
        for (size_t j = 0; j < n; ++j) all += kernel[i][j] / static_cast<double>(n * n);
      }
      centred.Row(t)[s] = static_cast<float>(kernel[t][s] - row - column + all);
    }
  }
  return centred;
}

void ExpectNear(const FloatMatrix& stored, const FloatMatrix& plain, double tolerance) {
  ASSERT_EQ(stored.rows(), plain.rows());
  ASSERT_EQ(stored.columns(), plain.columns());
  double largest = 0;
  for (const float value : plain.values()) largest = std::max<double>(largest, std::abs(value));
  ASSERT_GT(largest, 0);
  for (size_t i = 0; i < plain.values().size(); ++i) {
    ASSERT_NEAR(stored.values()[i], plain.values()[i], tolerance * largest);
  }
}

TEST_F(FullProfile, HoldsThePlainKernels) {
  const TestNetwork mixtral = TestNetworks().at(4);
  const Fingerprint print = PrintOf(mixtral);
  const auto network = Network::Build(ModelFrom(mixtral));
  ASSERT_TRUE(network);
  const auto inputs = (*network)->InputRows(print.anchor_tokens);
  const auto outputs = (*network)->OutputRows(print.anchor_tokens);
  ASSERT_TRUE(inputs && outputs);
  const auto x = (*network)->MixerInput(1, *inputs);
  const auto both = (*network)->QueriesAndKeysOf(1, *x);
  const auto mixed = (*network)->MixerOutput(1, *x);
  const auto fed = (*network)->FeedForwardOutput(1, *(*network)->FeedForwardInput(1, *inputs));
  ASSERT_TRUE(both && *both && mixed && fed);
  constexpr double kByte = 0.51 / 127;
  ExpectNear(print.layers[1].query_key, PlainKernel((*both)->queries, (*both)->keys), kByte);
  ExpectNear(print.layers[1].output_value, PlainKernel(*mixed, *outputs), kByte);
  ExpectNear(print.layers[1].feed_forward, PlainKernel(*fed, *outputs), kByte);
  ExpectNear(print.cross_gram, PlainKernel(*inputs, *outputs), 1e-3);
  EXPECT_NEAR(*print.layers[1].mixer_gain, PlainGain(*mixed, *inputs), 1e-9);
  EXPECT_NEAR(*print.layers[1].feed_forward_gain, PlainGain(*fed, *inputs), 1e-9);
  EXPECT_EQ(print.layers[1].experts.size(), 3u);
}

TEST_F(FullProfile, DescribesTheModel) {
  const TestNetwork llama = TestNetworks().at(0);
  const Fingerprint print = PrintOf(llama);
  EXPECT_EQ(print.model_name, "llama");
  EXPECT_EQ(print.architecture, "llama");
  EXPECT_EQ(print.vocabulary_size, llama.vocabulary);
  EXPECT_EQ(print.hidden_size, llama.hidden);
  EXPECT_TRUE(print.has_head);
  EXPECT_FALSE(print.tied_head);
  EXPECT_EQ(print.anchor_kind, AnchorKind::kRows);
  EXPECT_EQ(print.anchors.size(), llama.vocabulary);
  EXPECT_EQ(print.layers.size(), llama.layers);
  EXPECT_EQ(print.weights.size(), llama.tensors.size());
  EXPECT_EQ(print.embedding_sketch.rows(), print.anchors.size());
  EXPECT_EQ(print.head_sketch.rows(), print.anchors.size());
  EXPECT_THAT(print.notes, Contains(HasSubstr("no tokenizer")));
  const Fingerprint tied = PrintOf(TestNetworks().at(1));
  EXPECT_TRUE(tied.tied_head);
  EXPECT_TRUE(tied.head_sketch.values().empty());
}

TEST_F(FullProfile, IsTheSameForAnyNumberOfThreadsAndAsItsFile) {
  for (const TestNetwork& network : TestNetworks()) {
    const Fingerprint one = PrintOf(network, 1);
    const std::string bytes = FileOf(one, "one");
    EXPECT_EQ(bytes, FileOf(PrintOf(network, 4), "four"));
    const auto read = ReadFingerprint(folder_.path() / "one");
    ASSERT_TRUE(read);
    ASSERT_EQ(read->layers.size(), one.layers.size());
    for (size_t i = 0; i < one.layers.size(); ++i) {
      EXPECT_TRUE(
          std::ranges::equal(read->layers[i].query_key.values(), one.layers[i].query_key.values()));
    }
    EXPECT_EQ(bytes, FileOf(AsStored(*read), "again"));
  }
}

TEST_F(FullProfile, TakesTheAnchorsOfAnotherModel) {
  const TestNetwork llama = TestNetworks().at(0);
  const ChosenAnchors anchors = {
      .kind = AnchorKind::kTokens, .anchors = {3, 8, 700}, .tokens = {50, 2, 7}, .notes = {}};
  const auto print = ComputeFullFingerprint(ModelFrom(llama), {.anchors = anchors});
  ASSERT_TRUE(print);
  EXPECT_EQ(print->anchor_kind, AnchorKind::kTokens);
  EXPECT_EQ(print->anchors, anchors.anchors);
  EXPECT_EQ(print->layers[0].query_key.rows(), 3u);

  ChosenAnchors beyond = anchors;
  beyond.tokens[1] = 60;
  const auto refused = ComputeFullFingerprint(ModelFrom(llama), {.anchors = beyond});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kMismatch);
  EXPECT_EQ(refused.error().found, "token 60");
}

TEST_F(FullProfile, AZeroLayerHasZeroKernels) {
  TestNetwork llama = TestNetworks().at(0);
  for (auto& [name, tensor] : llama.tensors) {
    if (name.find("layers.1.") == std::string::npos) continue;
    std::fill(tensor.values.begin(), tensor.values.end(), 0.0f);
  }
  const auto print = ComputeFullFingerprint(ModelFrom(llama), {.incomplete = true});
  ASSERT_TRUE(print) << DescribeError(print.error());
  EXPECT_THAT(print->layers[1].query_key.values(), Each(0));
  EXPECT_THAT(print->layers[1].feed_forward.values(), Each(0));
  EXPECT_EQ(print->layers[1].output_value.rows(), print->anchors.size());
  EXPECT_EQ(print->layers[1].mixer_gain, 0);
}

TEST_F(FullProfile, RefusesWeightsThatAreNotNumbers) {
  TestNetwork llama = TestNetworks().at(0);
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  llama.tensors.at(name).values[3] = std::numeric_limits<float>::quiet_NaN();
  const auto print = ComputeFullFingerprint(ModelFrom(llama));
  ASSERT_FALSE(print);
  EXPECT_EQ(print.error().kind, ErrorKind::kBadFile);
  EXPECT_EQ(print.error().tensor, name);
}

TEST_F(FullProfile, RefusesResponsesThatAreNotNumbers) {
  TestNetwork llama = TestNetworks().at(0);
  for (const char* projection : {"q_proj", "k_proj"}) {
    auto& weight =
        llama.tensors.at(std::string("model.layers.1.self_attn.") + projection + ".weight");
    for (float& value : weight.values) value *= 1e20f;
  }
  const auto print = ComputeFullFingerprint(ModelFrom(llama));
  ASSERT_FALSE(print);
  EXPECT_EQ(print.error().problem, "the query-key response of layer 1 is not finite");
}

TEST_F(FullProfile, RefusesCodesOfAQuantiser) {
  const TestNetwork llama = TestNetworks().at(0);
  std::vector<MemoryTensor> tensors;
  for (const auto& [name, tensor] : llama.tensors) {
    MemoryTensor made = MemoryTensorOf(name, tensor.shape, tensor.values);
    if (name == "model.layers.0.self_attn.q_proj.weight") made.dtype = DType::kI8;
    tensors.push_back(std::move(made));
  }
  Model model = ModelFrom(llama);
  model.weights = std::make_shared<MemoryWeights>(std::move(tensors));
  const auto print = ComputeFullFingerprint(model);
  ASSERT_FALSE(print);
  EXPECT_EQ(print.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(print.error().tensor, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(print.error().found, "I8 in place of a query matrix");
}

TEST_F(FullProfile, ReportsProgressToItsEnd) {
  uint64_t last = 0;
  uint64_t total = 0;
  const auto print = ComputeFullFingerprint(
      ModelFrom(TestNetworks().at(0)), {.threads = 2, .on_progress = [&](const Progress& progress) {
                                          EXPECT_GE(progress.bytes_done, last);
                                          last = progress.bytes_done;
                                          total = progress.bytes_total;
                                        }});
  ASSERT_TRUE(print);
  EXPECT_GT(total, 0u);
  EXPECT_EQ(last, total);
}

// A wider network, so that layers weigh more than the anchors' rows.
TestNetwork DeepNetwork() {
  TestNetwork network = {.hidden = 48, .heads = 4, .key_heads = 2, .head_size = 12};
  network.inner = 96;
  network.layers = 6;
  return LlamaLike("llama", Json::object(), false, true, std::move(network));
}

uint64_t BytesOf(const TestNetwork& network) {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : network.tensors) bytes += tensor.values.size() * sizeof(float);
  return bytes;
}

void ExpectSame(const FloatMatrix& a, const FloatMatrix& b) {
  EXPECT_THAT(a.values(), ::testing::ElementsAreArray(b.values()));
}

TEST_F(FullProfile, AQuickOneHoldsWhatTheBudgetAllows) {
  const TestNetwork network = DeepNetwork();
  const Fingerprint whole = PrintOf(network);
  const uint64_t budget = BytesOf(network) / 2;
  const auto quick = ComputeFullFingerprint(ModelFrom(network), {.budget_bytes = budget});
  ASSERT_TRUE(quick) << DescribeError(quick.error());
  ASSERT_TRUE(quick->quick);
  EXPECT_EQ(quick->quick->budget_bytes, budget);
  EXPECT_LE(quick->quick->read_bytes, budget);
  EXPECT_GT(quick->quick->read_bytes, budget / 2);
  EXPECT_EQ(quick->quick->tensor_bytes, BytesOf(network));
  EXPECT_EQ(quick->quick->model_layers, 6u);
  ASSERT_GE(quick->layers.size(), 2u);
  ASSERT_LT(quick->layers.size(), 6u);
  // What it holds is what the whole one holds.
  EXPECT_EQ(quick->layers.front().index, 0u);
  EXPECT_EQ(quick->layers.back().index, 5u);
  ExpectSame(quick->layers.front().query_key, whole.layers.front().query_key);
  ExpectSame(quick->layers.back().query_key, whole.layers.back().query_key);
  EXPECT_FALSE(quick->weights.empty());
  for (const WeightSummary& weight : quick->weights) {
    const auto same =
        std::find_if(whole.weights.begin(), whole.weights.end(),
                     [&](const WeightSummary& each) { return each.tensor == weight.tensor; });
    ASSERT_NE(same, whole.weights.end());
    EXPECT_EQ(same->digest, weight.digest);
    ExpectSame(same->sketch, weight.sketch);
  }
}

TEST_F(FullProfile, AQuickOneIsNotWritten) {
  const TestNetwork network = DeepNetwork();
  const auto quick =
      ComputeFullFingerprint(ModelFrom(network), {.budget_bytes = BytesOf(network) / 2});
  ASSERT_TRUE(quick);
  const auto written = WriteFingerprint(*quick, folder_.path() / "quick");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().problem, HasSubstr("quick"));
}

TEST_F(FullProfile, ABudgetForTheWholeModelMakesTheWholeFingerprint) {
  const TestNetwork network = DeepNetwork();
  const auto print = ComputeFullFingerprint(ModelFrom(network), {.budget_bytes = BytesOf(network)});
  ASSERT_TRUE(print);
  EXPECT_FALSE(print->quick);
  EXPECT_EQ(FileOf(*print, "budget"), FileOf(PrintOf(network), "whole"));
}

TEST_F(FullProfile, ABudgetBelowTheAnchorsIsAnError) {
  const auto print = ComputeFullFingerprint(ModelFrom(DeepNetwork()), {.budget_bytes = 100});
  ASSERT_FALSE(print);
  EXPECT_EQ(print.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(print.error().found, "100 bytes");
}

}  // namespace
}  // namespace tensorguard::internal
