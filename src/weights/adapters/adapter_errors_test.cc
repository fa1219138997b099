// Every way in which an adapter, its config and its base can fail to belong together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/memory_weights.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"
#include "weights/adapters/adapter.h"

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;

using Tensors = std::vector<BuiltTensor>;

constexpr const char* kRankOne = R"({"peft_type": "LORA", "r": 1, "lora_alpha": 2})";

MemoryTensor Zeros(const std::string& name, std::vector<uint64_t> shape,
                   DType dtype = DType::kF32) {
  return {name, std::move(shape), [](uint64_t) { return 0.0f; }, dtype};
}

BuiltTensor Ones(const std::string& name, std::vector<uint64_t> shape) {
  uint64_t count = 1;
  for (const uint64_t dimension : shape) count *= dimension;
  return F32Tensor(name, std::move(shape), std::vector<float>(count, 1));
}

Tensors Pair(const std::string& module) {
  return {Ones(module + ".lora_A.weight", {1, 2}), Ones(module + ".lora_B.weight", {3, 1})};
}

Tensors PairAnd(BuiltTensor more) {
  Tensors tensors = Pair("q");
  tensors.push_back(std::move(more));
  return tensors;
}

const std::vector<MemoryTensor>& PlainBase() {
  static const std::vector<MemoryTensor> base = {Zeros("q.weight", {3, 2})};
  return base;
}

// The error of merging; an empty one, and a failed test, if there is none.
Error MergeError(std::vector<MemoryTensor> base, const std::string& config,
                 const Tensors& tensors) {
  const ScratchFolder folder;
  folder.Write("adapter_config.json", config);
  folder.Write("adapter_model.safetensors", BuildSafetensors(tensors));
  auto merged = MergeAdapter(std::make_shared<MemoryWeights>(std::move(base)), folder.path());
  if (!merged) return std::move(merged).error();
  ADD_FAILURE() << "merged: " << config;
  return {};
}

struct ConfigCase {
  const char* config;
  ErrorKind kind;
  const char* problem;
};

TEST(AdapterErrorsTest, ConfigErrorsNameTheKey) {
  const ConfigCase cases[] = {
      {"[]", ErrorKind::kBadFile, "not the config of an adapter"},
      {"{}", ErrorKind::kBadFile, "not the config of an adapter"},
      {R"({"peft_type": 3})", ErrorKind::kBadFile, "peft_type has the wrong type"},
      {R"({"peft_type": "UNILORA"})", ErrorKind::kUnsupported, "type UNILORA"},
      {R"({"peft_type": "PROMPT_TUNING"})", ErrorKind::kUnsupported, "type PROMPT_TUNING"},
      {R"({"peft_type": "LORA", "r": 0})", ErrorKind::kBadFile, "r has the wrong"},
      {R"({"peft_type": "LORA", "r": -1})", ErrorKind::kBadFile, "r has the wrong"},
      {R"({"peft_type": "LORA", "r": 1.5})", ErrorKind::kBadFile, "r has the wrong"},
      {R"({"peft_type": "LORA", "r": "8"})", ErrorKind::kBadFile, "r has the wrong"},
      {R"({"peft_type": "LORA", "r": 99999999})", ErrorKind::kBadFile, "r has the wrong"},
      {R"({"peft_type": "LORA", "r": 1, "lora_alpha": NaN})", ErrorKind::kBadFile, "lora_alpha"},
      {R"({"peft_type": "LORA", "r": 1, "lora_alpha": "x"})", ErrorKind::kBadFile, "lora_alpha"},
      {R"({"peft_type": "LORA", "r": 1, "lora_alpha": 1e300})", ErrorKind::kBadFile,
       "lora_alpha gives a scaling that is no finite float32"},
      {R"({"peft_type": "LORA", "r": 1, "use_dora": "yes"})", ErrorKind::kBadFile, "use_dora"},
      {R"({"peft_type": "LORA", "r": 1, "use_rslora": 1})", ErrorKind::kBadFile, "use_rslora"},
      {R"({"peft_type": "LORA", "r": 1, "fan_in_fan_out": 0})", ErrorKind::kBadFile,
       "fan_in_fan_out"},
      {R"({"peft_type": "LORA", "r": 1, "modules_to_save": "a"})", ErrorKind::kBadFile,
       "modules_to_save"},
      {R"({"peft_type": "LORA", "r": 1, "modules_to_save": [1]})", ErrorKind::kBadFile,
       "modules_to_save"},
      {R"({"peft_type": "LORA", "r": 1, "task_type": 1})", ErrorKind::kBadFile, "task_type"},
      {R"({"peft_type": "LORA", "r": 1, "rank_pattern": [1]})", ErrorKind::kBadFile,
       "rank_pattern"},
      {R"({"peft_type": "LORA", "r": 1, "rank_pattern": {"q": 0}})", ErrorKind::kBadFile,
       "rank_pattern"},
      {R"({"peft_type": "LORA", "r": 1, "alpha_pattern": {"q": "a"}})", ErrorKind::kBadFile,
       "alpha_pattern"},
      {R"({"peft_type": "LORA", "r": 1, "alpha_pattern": {"(q": 1}})", ErrorKind::kBadFile,
       "not a valid regular expression"},
      {R"({"peft_type": "LORA", "r": 1, "alpha_pattern": {"q": 1}, "lora_dropout": NaN})",
       ErrorKind::kBadFile, "cannot be read in order"},
      {R"({"peft_type": "LORA", "r": 1, "init_lora_weights": "pissa_niter_4"})",
       ErrorKind::kUnsupported, "init_lora_weights"},
      {R"({"peft_type": "LORA", "r": 1, "target_parameters": "experts.w"})", ErrorKind::kBadFile,
       "target_parameters"},
      {R"({"peft_type": "LORA", "r": 1, "layer_replication": [[0, 4]]})", ErrorKind::kUnsupported,
       "layer_replication"},
      {R"({"peft_type": "IA3", "feedforward_modules": 3})", ErrorKind::kBadFile,
       "feedforward_modules"},
      {R"({"peft_type": "IA3", "feedforward_modules": "[a"})", ErrorKind::kBadFile,
       "not a valid regular expression"},
      {R"({"lora_parameters": 3})", ErrorKind::kBadFile, "lora_parameters"},
      {R"({"lora_parameters": {"rank": 1}})", ErrorKind::kBadFile, "lora_parameters"},
      {R"({"lora_parameters": {"rank": 0, "scale": 1}})", ErrorKind::kBadFile,
       "lora_parameters.rank"},
      {R"({"lora_parameters": {"rank": 1, "scale": 1e200}})", ErrorKind::kBadFile,
       "lora_parameters.scale"},
      {R"({"lora_parameters": {}, "fine_tune_type": "full"})", ErrorKind::kUnsupported,
       "fine_tune_type"},
      {R"({"lora_parameters": {}, "use_dora": true})", ErrorKind::kUnsupported, "use_dora"},
  };
  for (const ConfigCase& test : cases) {
    const Error error = MergeError(PlainBase(), test.config, Pair("q"));
    EXPECT_EQ(error.kind, test.kind) << test.config << ": " << DescribeError(error);
    EXPECT_THAT(error.problem, HasSubstr(test.problem)) << test.config;
    EXPECT_THAT(error.file, HasSubstr("adapter_config.json")) << test.config;
  }
}

TEST(AdapterErrorsTest, HostilePatternsEndSoon) {
  std::string patterns;
  for (int i = 0; i < 300; ++i) {
    patterns += (i == 0 ? "" : ", ") + ("\"(a{900}|x{" + std::to_string(i) + "})*b\": 1");
  }
  Tensors tensors;
  std::vector<MemoryTensor> base;
  for (int i = 0; i < 100; ++i) {
    const std::string module = "m" + std::to_string(i);
    for (BuiltTensor& tensor : Pair(module)) tensors.push_back(std::move(tensor));
    base.push_back(Zeros(module + ".weight", {3, 2}));
  }
  const Error error = MergeError(
      base, R"({"peft_type": "LORA", "r": 1, "alpha_pattern": {)" + patterns + "}}", tensors);
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_THAT(error.problem, HasSubstr("alpha_pattern are too complex"));
}

struct TensorCase {
  const char* what;
  std::vector<MemoryTensor> base;
  const char* config;
  Tensors tensors;
  ErrorKind kind;
  const char* problem;
};

void ExpectTensorErrors(const std::vector<TensorCase>& cases) {
  for (const TensorCase& test : cases) {
    const Error error = MergeError(test.base, test.config, test.tensors);
    EXPECT_EQ(error.kind, test.kind) << test.what << ": " << DescribeError(error);
    EXPECT_THAT(error.problem, HasSubstr(test.problem)) << test.what;
    EXPECT_THAT(error.file, HasSubstr("adapter_model.safetensors")) << test.what;
  }
}

TEST(AdapterErrorsTest, LoraTensorsThatBreakTheFormat) {
  constexpr const char* kDora = R"({"peft_type": "LORA", "r": 1, "use_dora": true})";
  ExpectTensorErrors({
      {"no tensors", PlainBase(), kRankOne, {}, ErrorKind::kBadFile, "holds no tensors"},
      {"A alone",
       PlainBase(),
       kRankOne,
       {Pair("q")[0]},
       ErrorKind::kBadFile,
       "one of the two low-rank matrices is missing"},
      {"B alone",
       PlainBase(),
       kRankOne,
       {Pair("q")[1]},
       ErrorKind::kBadFile,
       "one of the two low-rank matrices is missing"},
      {"bias alone",
       PlainBase(),
       kRankOne,
       {Ones("q.lora_B.bias", {3})},
       ErrorKind::kBadFile,
       "low-rank matrices are missing"},
      {"two pairs",
       PlainBase(),
       kRankOne,
       {Pair("q")[0], Pair("q")[1], Ones("q.lora_embedding_A", {1, 3}),
        Ones("q.lora_embedding_B", {2, 1})},
       ErrorKind::kBadFile,
       "too many matrices"},
      {"same meaning", PlainBase(), kRankOne, PairAnd(Ones("q.lora_A.default.weight", {1, 2})),
       ErrorKind::kBadFile, "have the same meaning"},
      {"rank unlike config", PlainBase(), R"({"peft_type": "LORA", "r": 2})", Pair("q"),
       ErrorKind::kBadFile, "another rank than adapter_config.json says"},
      {"ranks differ",
       PlainBase(),
       kRankOne,
       {Ones("q.lora_A.weight", {1, 2}), Ones("q.lora_B.weight", {3, 2})},
       ErrorKind::kBadFile,
       "of different rank"},
      {"convolution",
       PlainBase(),
       kRankOne,
       {Ones("q.lora_A.weight", {1, 2, 1, 1}), Ones("q.lora_B.weight", {3, 1, 1, 1})},
       ErrorKind::kUnsupported,
       "convolution"},
      {"magnitude missing", PlainBase(), kDora, Pair("q"), ErrorKind::kBadFile,
       "lora_magnitude_vector is missing"},
      {"magnitude unasked", PlainBase(), kRankOne, PairAnd(Ones("q.lora_magnitude_vector", {3})),
       ErrorKind::kBadFile, "lora_magnitude_vector without use_dora"},
      {"magnitude too short", PlainBase(), kDora, PairAnd(Ones("q.lora_magnitude_vector", {2})),
       ErrorKind::kBadFile, "vector does not fit"},
      {"unknown part", PlainBase(), kRankOne, PairAnd(Ones("q.lora_C.weight", {1})),
       ErrorKind::kUnsupported, "of a kind that is not supported"},
      {"trained tokens of no table", PlainBase(), kRankOne,
       PairAnd(Ones("e.token_adapter.trainable_tokens_delta", {1})), ErrorKind::kMismatch,
       "that the base does not have"},
      {"trained tokens that are not there", PlainBase(),
       R"({"peft_type": "LORA", "r": 1, "trainable_token_indices": [3]})", Pair("q"),
       ErrorKind::kBadFile, "lacks the rows that trainable_token_indices names"},
      {"IA3 in LoRA",
       PlainBase(),
       kRankOne,
       {Ones("q.ia3_l", {3, 1})},
       ErrorKind::kBadFile,
       "another kind of adapter"},
      {"LoRA in IA3", PlainBase(), R"({"peft_type": "IA3"})", Pair("q"), ErrorKind::kBadFile,
       "another kind of adapter"},
      {"vector turned round",
       PlainBase(),
       R"({"peft_type": "IA3"})",
       {Ones("q.ia3_l", {1, 2})},
       ErrorKind::kBadFile,
       "another shape than feedforward_modules says"},
  });
}

TEST(AdapterErrorsTest, AdaptersOfAnotherBase) {
  const std::vector<MemoryTensor> two_towers = {Zeros("text.layers.0.q.weight", {3, 2}),
                                                Zeros("vision.layers.0.q.weight", {3, 2})};
  ExpectTensorErrors({
      {"no module", PlainBase(), kRankOne, Pair("k"), ErrorKind::kMismatch,
       "a tensor that the base does not have"},
      {"two modules fit", two_towers, kRankOne, Pair("layers.0.q"), ErrorKind::kMismatch,
       "fits several tensors"},
      {"layer number is no wrapper",
       {Zeros("layers.0.q.weight", {3, 2})},
       kRankOne,
       Pair("q"),
       ErrorKind::kMismatch,
       "a tensor that the base does not have"},
      {"decoder is not encoder",
       {Zeros("encoder.q.weight", {3, 2})},
       kRankOne,
       Pair("decoder.q"),
       ErrorKind::kMismatch,
       "a tensor that the base does not have"},
      {"one tensor, two names",
       PlainBase(),
       kRankOne,
       {Pair("q")[0], Pair("q")[1], Pair("model.q")[0], Pair("model.q")[1]},
       ErrorKind::kBadFile,
       "go to one tensor of the base"},
      {"embedding turned round",
       {Zeros("q.weight", {2, 3})},
       kRankOne,
       {Ones("q.lora_embedding_A", {1, 3}), Ones("q.lora_embedding_B", {2, 1})},
       ErrorKind::kMismatch,
       "a base of another shape"},
      {"no bias to add to", PlainBase(), kRankOne, PairAnd(Ones("q.lora_B.bias", {3})),
       ErrorKind::kMismatch, "a tensor that the base does not have"},
      {"bias of another length",
       {Zeros("q.weight", {3, 2}), Zeros("q.bias", {4})},
       kRankOne,
       PairAnd(Ones("q.lora_B.bias", {3})),
       ErrorKind::kMismatch,
       "vector does not fit"},
      {"new tensor that no config announces", PlainBase(), kRankOne,
       PairAnd(Ones("score.weight", {2, 2})), ErrorKind::kMismatch,
       "a tensor that the base does not have"},
      {"replacement of another shape",
       {Zeros("q.weight", {3, 2}), Zeros("norm.weight", {4})},
       R"({"peft_type": "LORA", "r": 1, "modules_to_save": ["norm"]})",
       PairAnd(Ones("norm.weight", {5})),
       ErrorKind::kMismatch,
       "a base of another shape"},
      {"stacked experts",
       {Zeros("q.weight", {4, 3, 2})},
       kRankOne,
       Pair("q"),
       ErrorKind::kUnsupported,
       "no matrix"},
      {"quantised base",
       {Zeros("q.weight", {3, 2}, DType::kI8)},
       kRankOne,
       Pair("q"),
       ErrorKind::kUnsupported,
       "quantised"},
      {"IA3 of another length",
       PlainBase(),
       R"({"peft_type": "IA3"})",
       {Ones("q.ia3_l", {4, 1})},
       ErrorKind::kMismatch,
       "a base of another shape"},
      {"IA3 bias of another length",
       {Zeros("q.weight", {3, 2}), Zeros("q.bias", {4})},
       R"({"peft_type": "IA3"})",
       {Ones("q.ia3_l", {3, 1})},
       ErrorKind::kMismatch,
       "a base of another shape"},
  });
}

TEST(AdapterErrorsTest, ShapeErrorShowsBothShapes) {
  const Error error = MergeError({Zeros("model.q.weight", {5, 7})}, kRankOne, Pair("q"));
  EXPECT_EQ(error.kind, ErrorKind::kMismatch);
  EXPECT_EQ(error.tensor, "model.q.weight");
  EXPECT_THAT(error.found, HasSubstr("[5, 7]"));
  EXPECT_THAT(error.expected, HasSubstr("[3, 2]"));
}

TEST(AdapterErrorsTest, MissingAndUnreadableFiles) {
  const auto base = std::make_shared<MemoryWeights>(PlainBase());
  const ScratchFolder folder;
  auto merged = MergeAdapter(base, folder.path());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(merged.error().file, HasSubstr("adapter_config.json"));

  folder.Write("adapter_config.json", kRankOne);
  merged = MergeAdapter(base, folder.path());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(merged.error().problem, HasSubstr("no weight file"));

  folder.Write("adapter_model.bin", "pickle");
  merged = MergeAdapter(base, folder.path());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().kind, ErrorKind::kBadFile);
  EXPECT_THAT(merged.error().problem, HasSubstr("not a PyTorch file"));

  folder.Write("adapter_model.safetensors", "short");
  merged = MergeAdapter(base, folder.path());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().kind, ErrorKind::kBadFile);
  EXPECT_THAT(merged.error().problem, HasSubstr("too short"));
}

TEST(AdapterErrorsTest, SeveralMlxCheckpointsAreAmbiguous) {
  const auto base = std::make_shared<MemoryWeights>(PlainBase());
  const ScratchFolder folder;
  folder.Write("adapter_config.json", R"({"lora_parameters": {"rank": 1, "scale": 1}})");
  auto merged = MergeAdapter(base, folder.path());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().kind, ErrorKind::kNotFound);
  const std::string bytes = BuildSafetensors({Ones("q.lora_a", {2, 1}), Ones("q.lora_b", {1, 3})});
  folder.Write("0000100_adapters.safetensors", bytes);
  EXPECT_TRUE(MergeAdapter(base, folder.path()));
  folder.Write("0000200_adapters.safetensors", bytes);
  merged = MergeAdapter(base, folder.path());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(merged.error().problem, HasSubstr("several checkpoints"));
}

}  // namespace
}  // namespace tensorguard::internal
