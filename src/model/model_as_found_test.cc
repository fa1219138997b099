// Models as people have them: half-merged, with leftovers, in the layout of those who made them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model/model.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kWidth = 8;
constexpr uint64_t kHeads = 2;

// Numbers that differ from tensor to tensor.
std::vector<float> Numbers(const std::string& name, size_t count) {
  size_t seed = 0;
  for (const char letter : name) seed = seed * 31 + static_cast<unsigned char>(letter);
  std::vector<float> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    numbers[i] = std::sin(static_cast<float>((seed % 1000) + 7 * i));
  }
  return numbers;
}

using Tensors = std::map<std::string, BuiltTensor>;

void Add(const std::string& name, const std::vector<uint64_t>& shape, Tensors& tensors) {
  size_t count = 1;
  for (const uint64_t dimension : shape) count *= dimension;
  tensors[name] = F32Tensor(name, shape, Numbers(name, count));
}

Tensors Llama(const std::string& prefix = "") {
  Tensors tensors;
  Add(prefix + "model.embed_tokens.weight", {16, kWidth}, tensors);
  Add(prefix + "lm_head.weight", {16, kWidth}, tensors);
  Add(prefix + "model.norm.weight", {kWidth}, tensors);
  for (const char* layer : {"0", "1"}) {
    const std::string in = prefix + "model.layers." + layer + ".";
    Add(in + "input_layernorm.weight", {kWidth}, tensors);
    Add(in + "post_attention_layernorm.weight", {kWidth}, tensors);
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      Add(in + "self_attn." + name + ".weight", {kWidth, kWidth}, tensors);
    }
    Add(in + "mlp.gate_proj.weight", {12, kWidth}, tensors);
    Add(in + "mlp.up_proj.weight", {12, kWidth}, tensors);
    Add(in + "mlp.down_proj.weight", {kWidth, 12}, tensors);
  }
  return tensors;
}

std::string FileOf(const Tensors& tensors) {
  std::vector<BuiltTensor> list;
  for (const auto& [name, tensor] : tensors) {
    list.push_back(tensor);
    list.back().name = name;
  }
  return BuildSafetensors(list);
}

const char* const kConfig =
    R"({"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 2, "vocab_size": 16, "rms_norm_eps": 1e-5, "hidden_act": "silu",
        "tie_word_embeddings": false})";

std::map<std::string, std::vector<float>> ValuesOf(const Model& model) {
  std::map<std::string, std::vector<float>> values;
  for (size_t i = 0; i < model.weights->tensors().size(); ++i) {
    auto& numbers = values[model.weights->tensors()[i].name];
    numbers.resize(model.weights->tensors()[i].element_count);
    EXPECT_TRUE(model.weights->ReadFloat32(i, 0, numbers));
  }
  return values;
}

std::string Problem(const fs::path& path, const OpenModelOptions& options = {}) {
  const auto model = OpenModel(path, options);
  return model ? "no error" : DescribeError(model.error());
}

std::vector<std::string> NotesOf(const fs::path& path) {
  const auto model = OpenModel(path);
  return model ? model->notes : std::vector<std::string>{DescribeError(model.error())};
}

TEST(ModelAsFound, TwoModelsInOneFileAreChosenFrom) {
  const ScratchFolder scratch;
  Tensors tensors = Llama("policy.");
  tensors.merge(Llama("ref_model."));
  scratch.Write("m/model.safetensors", FileOf(tensors));
  scratch.Write("m/config.json", kConfig);
  EXPECT_THAT(Problem(scratch.path() / "m"),
              HasSubstr("m: the model's files hold more than one model\n"
                        "  found:    models below policy, ref_model\n"));
  const auto model =
      OpenModel(scratch.path() / "m", {.base = {}, .part = PartChoice{.name = "ref_model"}});
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->name, "m.ref_model");
  EXPECT_EQ(model->weights->tensors().size(), tensors.size() / 2);
  EXPECT_EQ(model->architecture.layers, 2u);
  EXPECT_THAT(model->notes, ElementsAre("the part ref_model alone"));
  EXPECT_THAT(Problem(scratch.path() / "m",
                      {.base = {}, .part = PartChoice{.name = "x", .required = false}}),
              HasSubstr("the model has no part of this name"));
}

TEST(ModelAsFound, AModelWithoutTheChosenPart) {
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", FileOf(Llama()));
  EXPECT_THAT(Problem(scratch.path() / "m", {.base = {}, .part = PartChoice{.name = "ref"}}),
              HasSubstr("the model has no part of this name\n  found:    ref\n  expected: the "
                        "beginning of tensors' names: lm_head, model"));
  const auto whole = OpenModel(scratch.path() / "m",
                               {.base = {}, .part = PartChoice{.name = "ref", .required = false}});
  ASSERT_TRUE(whole) << DescribeError(whole.error());
  EXPECT_THAT(whole->notes, ElementsAre("has no part ref: taken whole"));
}

// Llama with a LoRA of rank 2 on q_proj that was not merged.
Tensors WithLora(bool base_layer) {
  Tensors tensors = Llama();
  for (const char* layer : {"0", "1"}) {
    const std::string module = fmt::format("model.layers.{}.self_attn.q_proj", layer);
    Add(module + ".lora_A.default.weight", {2, kWidth}, tensors);
    Add(module + ".lora_B.default.weight", {kWidth, 2}, tensors);
    if (!base_layer) continue;
    auto node = tensors.extract(module + ".weight");
    node.key() = module + ".base_layer.weight";
    tensors.insert(std::move(node));
  }
  return tensors;
}

TEST(ModelAsFound, ALoraInsideIsRefusedWithoutItsScale) {
  for (const bool base_layer : {true, false}) {
    const ScratchFolder scratch;
    scratch.Write("m/model.safetensors", FileOf(WithLora(base_layer)));
    scratch.Write("m/config.json", kConfig);
    const std::string problem = Problem(scratch.path() / "m");
    EXPECT_THAT(problem, HasSubstr("tensor \"model.layers.0.self_attn.q_proj.lora_A.default."
                                   "weight\": the checkpoint holds a LoRA that is not merged, and "
                                   "does not state its scale\n"));
    EXPECT_THAT(problem, HasSubstr("merge_and_unload()"));
  }
}

TEST(ModelAsFound, ALoraInsideIsMergedByItsStatedScale) {
  const char* const kLora = R"({"peft_type": "LORA", "r": 2, "lora_alpha": 6})";
  for (const bool in_config : {true, false}) {
    const ScratchFolder scratch;
    scratch.Write("m/model.safetensors", FileOf(WithLora(true)));
    if (in_config) {
      scratch.Write("m/config.json", R"({"lora_config": {"r": 2, "lora_alpha": 6}})");
    } else {
      scratch.Write("m/adapter_config.json", kLora);
    }
    const auto model = OpenModel(scratch.path() / "m");
    ASSERT_TRUE(model) << DescribeError(model.error());
    const auto values = ValuesOf(*model);
    EXPECT_EQ(values.size(), Llama().size());
    const std::string module = "model.layers.1.self_attn.q_proj.";
    const auto base = Numbers(module + "weight", kWidth * kWidth);
    const auto a = Numbers(module + "lora_A.default.weight", 2 * kWidth);
    const auto b = Numbers(module + "lora_B.default.weight", kWidth * 2);
    for (size_t i = 0; i < base.size(); ++i) {
      const size_t row = i / kWidth;
      const size_t column = i % kWidth;
      const float change = b[2 * row] * a[column] + b[2 * row + 1] * a[kWidth + column];
      EXPECT_NEAR(values.at(module + "weight")[i], base[i] + 3 * change, 1e-5);
    }
    EXPECT_THAT(model->notes, Contains(HasSubstr("was merged by its stated scale")));
  }
}

TEST(ModelAsFound, AModelsOwnAdaptersStayBesideIt) {
  const ScratchFolder scratch;
  Tensors tensors = Llama();
  for (const char* name : {"vision", "speech"}) {
    const std::string module = "model.layers.0.self_attn.q_proj.";
    Add(module + "lora_A." + name + ".weight", {2, kWidth}, tensors);
    Add(module + "lora_B." + name + ".weight", {kWidth, 2}, tensors);
  }
  scratch.Write("m/model.safetensors", FileOf(tensors));
  const auto model = OpenModel(scratch.path() / "m");
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->weights->tensors().size(), tensors.size());
  EXPECT_THAT(model->notes, ElementsAre(HasSubstr("adapters (speech, vision) lie beside")));
}

TEST(ModelAsFound, AnAdapterAloneIsNamed) {
  const ScratchFolder scratch;
  Tensors peft;
  Add("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", {2, 8}, peft);
  Add("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", {8, 2}, peft);
  EXPECT_THAT(Problem(scratch.Write("peft.safetensors", FileOf(peft))),
              HasSubstr("the file holds a LoRA and no model"));
  Tensors kohya;
  Add("lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", {2, 8}, kohya);
  Add("lora_unet_mid_block_attentions_0_proj_in.lora_up.weight", {8, 2}, kohya);
  Add("lora_unet_mid_block_attentions_0_proj_in.alpha", {1}, kohya);
  EXPECT_THAT(Problem(scratch.Write("style.safetensors", FileOf(kohya))),
              HasSubstr("the file holds an adapter in the form of kohya's scripts, and no model"));
}

TEST(ModelAsFound, ALeftoverAdapterConfigIsNoAdapter) {
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", FileOf(Llama()));
  scratch.Write("m/adapter_config.json", R"({"peft_type": "LORA", "r": 2, "lora_alpha": 6})");
  EXPECT_FALSE(*NamesAdapter(scratch.path() / "m"));
  EXPECT_THAT(NotesOf(scratch.path() / "m"),
              ElementsAre("adapter_config.json lies beside a whole model and no adapter: it is not "
                          "used"));
}

TEST(ModelAsFound, AWholeModelBesideAnAdapterIsNotHidden) {
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", FileOf(Llama()));
  scratch.Write("m/adapter_config.json", R"({"peft_type": "LORA", "r": 2, "lora_alpha": 6})");
  scratch.Write("m/adapter_model.safetensors", "");
  const std::string problem = Problem(scratch.path() / "m", {.base = scratch.path() / "m"});
  EXPECT_THAT(problem, HasSubstr("m: the folder holds an adapter and a whole model\n"
                                 "  found:    adapter_model.safetensors, model.safetensors\n"));
  EXPECT_THAT(problem, HasSubstr("give the path of the model, " +
                                 (scratch.path() / "m/model.safetensors").string()));
  EXPECT_EQ(Problem(scratch.path() / "m/model.safetensors"), "no error");
  EXPECT_TRUE(*NamesAdapter(scratch.path() / "m/adapter_model.safetensors"));
}

TEST(ModelAsFound, ASecondFormatWithOtherNumbersIsTold) {
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", FileOf(Llama()));
  scratch.Write("m/pytorch_model.bin", FileOf(Llama()));
  EXPECT_THAT(NotesOf(scratch.path() / "m"), IsEmpty());
  Tensors other = Llama();
  for (auto& [name, tensor] : other) {
    tensor = F32Tensor(name, tensor.shape, Numbers("other" + name, tensor.data.size() / 4));
  }
  scratch.Write("m/pytorch_model.bin", FileOf(other));
  EXPECT_THAT(NotesOf(scratch.path() / "m"),
              ElementsAre(HasSubstr(
                  "pytorch_model.bin beside model.safetensors holds other numbers (of lm_head")));
}

TEST(ModelAsFound, OtherFilesOfWeightsAreTold) {
  const ScratchFolder scratch;
  scratch.Write("m/pytorch_model.bin", FileOf(Llama()));
  scratch.Write("m/vae.safetensors", FileOf(Llama()));
  const auto model = OpenModel(scratch.path() / "m");
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_THAT(model->weights->tensors()[0].file, HasSubstr("pytorch_model.bin"));
  EXPECT_THAT(model->notes, ElementsAre("other files of weights lie beside and were not read: "
                                        "vae.safetensors"));
}

TEST(ModelAsFound, FurtherModulesOfASentenceEncoderAreTold) {
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", FileOf(Llama()));
  scratch.Write("m/modules.json", "[]");
  scratch.Write("m/1_Pooling/config.json", "{}");
  scratch.Write("m/2_Dense/model.safetensors", "");
  EXPECT_THAT(NotesOf(scratch.path() / "m"),
              ElementsAre("modules.json names further modules, whose weights are not read: "
                          "2_Dense"));
}

TEST(ModelAsFound, AFormatThatCannotBeReadBesideOneThatCan) {
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", "");
  scratch.Write("m/pytorch_model.bin", FileOf(Llama()));
  EXPECT_THAT(Problem(scratch.path() / "m"),
              HasSubstr("give the path of the model in the other format, if that is meant: " +
                        (scratch.path() / "m/pytorch_model.bin").string()));
}

// Rows (half, pair) of each head become (pair, half), as Meta's code has them.
BuiltTensor Turned(const std::string& name, const BuiltTensor& tensor) {
  const uint64_t half = kWidth / kHeads / 2;
  std::string data;
  for (uint64_t head = 0; head < kHeads; ++head) {
    for (uint64_t pair = 0; pair < half; ++pair) {
      for (uint64_t side = 0; side < 2; ++side) {
        const uint64_t row = (head * 2 + side) * half + pair;
        data += tensor.data.substr(row * kWidth * 4, kWidth * 4);
      }
    }
  }
  return {name, tensor.dtype, tensor.shape, data};
}

Tensors Native() {
  const std::map<std::string, std::string> names = {
      {"self_attn.q_proj", "attention.wq"},    {"self_attn.k_proj", "attention.wk"},
      {"self_attn.v_proj", "attention.wv"},    {"self_attn.o_proj", "attention.wo"},
      {"mlp.gate_proj", "feed_forward.w1"},    {"mlp.up_proj", "feed_forward.w3"},
      {"mlp.down_proj", "feed_forward.w2"},    {"input_layernorm", "attention_norm"},
      {"post_attention_layernorm", "ffn_norm"}};
  Tensors native;
  for (const auto& [name, tensor] : Llama()) {
    std::string own = name == "model.embed_tokens.weight" ? "tok_embeddings.weight"
                      : name == "lm_head.weight"          ? "output.weight"
                                                          : name.substr(6);
    for (const auto& [hub, meta] : names) {
      if (const size_t at = own.find(hub); at != own.npos) own.replace(at, hub.size(), meta);
    }
    const bool turned = own.ends_with("wq.weight") || own.ends_with("wk.weight");
    native[own] = turned ? Turned(own, tensor) : tensor;
  }
  return native;
}

TEST(ModelAsFound, TheLayoutOfMetaAndMistralIsTheHubs) {
  const ScratchFolder scratch;
  scratch.Write("hub/model.safetensors", FileOf(Llama()));
  scratch.Write("native/consolidated.safetensors", FileOf(Native()));
  scratch.Write("native/params.json",
                R"({"dim": 8, "n_layers": 2, "n_heads": 2, "norm_eps": 1e-5, "vocab_size": -1,
                    "rope_theta": 500000.0, "use_scaled_rope": true, "multiple_of": 4})");
  const auto hub = OpenModel(scratch.path() / "hub");
  const auto native = OpenModel(scratch.path() / "native");
  ASSERT_TRUE(hub);
  ASSERT_TRUE(native) << DescribeError(native.error());
  EXPECT_EQ(ValuesOf(*hub), ValuesOf(*native));
  EXPECT_EQ(native->architecture.name, "llama");
  EXPECT_FALSE(native->config.contains("num_key_value_heads"));
  EXPECT_EQ(native->config["num_attention_heads"], 2);
  EXPECT_EQ(native->config["rms_norm_eps"], 1e-5);
  EXPECT_EQ(native->config["rope_scaling"]["factor"], 8.0);
  EXPECT_FALSE(native->config.contains("vocab_size"));
  EXPECT_THAT(native->notes, IsEmpty());
}

// The rows (or columns) of one of two processors.
BuiltTensor Share(const BuiltTensor& tensor, size_t processor, bool rows) {
  const uint64_t height = tensor.shape[0];
  const uint64_t row_bytes = tensor.data.size() / height;
  if (rows) {
    const size_t half = tensor.data.size() / 2;
    return {tensor.name,
            "F32",
            {height / 2, tensor.shape[1]},
            tensor.data.substr(processor * half, half)};
  }
  std::string data;
  for (uint64_t row = 0; row < height; ++row) {
    data += tensor.data.substr(row * row_bytes + processor * row_bytes / 2, row_bytes / 2);
  }
  return {tensor.name, "F32", {height, tensor.shape[1] / 2}, data};
}

TEST(ModelAsFound, SharesOfSeveralProcessorsAreOneModel) {
  for (const bool embedding_by_rows : {true, false}) {
    const ScratchFolder scratch;
    scratch.Write("hub/model.safetensors", FileOf(Llama()));
    scratch.Write("native/params.json", R"({"dim": 8, "n_layers": 2, "n_heads": 2})");
    for (const size_t processor : {0, 1}) {
      Tensors shares;
      for (const auto& [name, tensor] : Native()) {
        const bool columns = name.ends_with("wo.weight") || name.ends_with("w2.weight") ||
                             (name == "tok_embeddings.weight" && !embedding_by_rows);
        const bool whole = tensor.shape.size() == 1;
        shares[name] = whole ? tensor : Share(tensor, processor, !columns);
      }
      scratch.Write(fmt::format("native/consolidated.0{}.pth", processor), FileOf(shares));
    }
    const auto hub = OpenModel(scratch.path() / "hub");
    const auto native = OpenModel(scratch.path() / "native");
    ASSERT_TRUE(hub);
    ASSERT_TRUE(native) << DescribeError(native.error());
    EXPECT_EQ(ValuesOf(*hub), ValuesOf(*native));
    std::vector<float> part(5);  // from the middle of one share to another's
    const auto& tensors = native->weights->tensors();
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].element_count < 40) continue;
      ASSERT_TRUE(native->weights->ReadFloat32(i, 30, part));
      const auto all = ValuesOf(*hub).at(tensors[i].name);
      EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + 30)) << tensors[i].name;
    }
  }
}

TEST(ModelAsFound, SharesThatDoNotFitAreRefused) {
  const ScratchFolder scratch;
  scratch.Write("n/params.json", R"({"dim": 8, "n_heads": 2})");
  scratch.Write("n/consolidated.00.pth", FileOf(Native()));
  Tensors other = Native();
  other.erase("norm.weight");
  scratch.Write("n/consolidated.01.pth", FileOf(other));
  EXPECT_THAT(Problem(scratch.path() / "n"),
              HasSubstr("shards for several processors hold different tensors"));
  other = Native();
  Add("norm.weight", {4}, other);
  scratch.Write("n/consolidated.01.pth", FileOf(other));
  EXPECT_THAT(
      Problem(scratch.path() / "n"),
      HasSubstr("tensor \"norm.weight\": shards for several processors differ in a tensor"));
  Tensors unknown = Native();
  Add("layers.0.attention.mystery.weight", {8, 8}, unknown);
  for (const char* name : {"n/consolidated.00.pth", "n/consolidated.01.pth"}) {
    scratch.Write(name, FileOf(unknown));
  }
  EXPECT_THAT(Problem(scratch.path() / "n"),
              HasSubstr("it is not known how the tensor is split over several processors"));
}

TEST(ModelAsFound, TheNativeLayoutWithoutItsHeadsSaysSo) {
  const ScratchFolder scratch;
  scratch.Write("n/consolidated.safetensors", FileOf(Native()));
  EXPECT_THAT(NotesOf(scratch.path() / "n"),
              ElementsAre(HasSubstr("no params.json tells the number of heads")));
  scratch.Write("n/params.json", R"({"dim": 8, "n_heads": 3})");
  const std::string problem = Problem(scratch.path() / "n");
  EXPECT_THAT(problem, HasSubstr("number of heads does not fit the tensor's rows"));
  EXPECT_THAT(problem, HasSubstr("params.json belongs to these weights"));
}

TEST(ModelAsFound, PlaceholdersAreNoModel) {
  const ScratchFolder scratch;
  Tensors empty = Llama();
  for (auto& [name, tensor] : empty) tensor = {name, "F32", {0}, ""};
  EXPECT_THAT(Problem(scratch.Write("m.safetensors", FileOf(empty))),
              HasSubstr("the tensors are placeholders without numbers\n  found:    21 of 21 "
                        "tensors have no elements"));
}

TEST(ModelAsFound, StateOfATrainingIsNoParameter) {
  const ScratchFolder scratch;
  Tensors tensors = Llama();
  const size_t own = tensors.size();
  Add("optimizer.state.lm_head.weight.exp_avg", {16, kWidth}, tensors);
  Add("state.0.momentum_buffer", {16, kWidth}, tensors);
  const auto model = OpenModel(scratch.Write("m.safetensors", FileOf(tensors)));
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->weights->tensors().size(), own);
  EXPECT_THAT(model->notes, ElementsAre(HasSubstr("2 tensors of a training's state")));
  Tensors state;
  Add("state.0.exp_avg", {4, 4}, state);
  EXPECT_THAT(Problem(scratch.Write("o.safetensors", FileOf(state))),
              HasSubstr("the file holds the state of an optimiser and no model"));
}

std::string Gguf(const std::vector<std::string>& pairs) {
  std::vector<BuiltGgufTensor> tensors = {
      GgufF32Tensor("token_embd.weight", {8, 16}, Numbers("e", 128)),
      GgufF32Tensor("output_norm.weight", {8}, Numbers("n", 8))};
  for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
    tensors.push_back(
        GgufF32Tensor(fmt::format("blk.0.{}.weight", name), {8, 8}, Numbers(name, 64)));
  }
  return BuildGguf(pairs, tensors);
}

TEST(ModelAsFound, GgufOfAnUnknownArchitectureIsReadAsStored) {
  const ScratchFolder scratch;
  const auto model =
      OpenModel(scratch.Write("m.gguf", Gguf({GgufTextPair("general.architecture", "wonder"),
                                              GgufNumberPair("wonder.attention.head_count", 2),
                                              GgufNumberPair("wonder.embedding_length", 8),
                                              GgufNumberPair("wonder.block_count", 1)})));
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->architecture.name, "gguf-wonder");
  EXPECT_EQ(model->weights->tensors()[0].name, "blk.0.attn_k.weight");
  EXPECT_EQ(model->architecture.roles[0].role, Role::kKey);
  EXPECT_EQ(model->config["num_attention_heads"], 2);
  EXPECT_THAT(model->notes,
              ElementsAre(HasSubstr("the conversion of the architecture wonder to GGUF is not "
                                    "known")));
  const auto silent = OpenModel(scratch.Write("s.gguf", Gguf({})));
  ASSERT_TRUE(silent) << DescribeError(silent.error());
  EXPECT_EQ(silent->architecture.name, "gguf");
}

TEST(ModelAsFound, GgufFilesOfOtherThingsAreNamed) {
  const ScratchFolder scratch;
  const auto refused = [&](const std::vector<std::string>& pairs) {
    return Problem(scratch.Write("m.gguf", Gguf(pairs)));
  };
  EXPECT_THAT(refused({GgufTextPair("general.architecture", "llama"),
                       GgufTextPair("general.type", "adapter")}),
              HasSubstr("a LoRA in GGUF"));
  EXPECT_THAT(refused({GgufTextPair("general.type", "imatrix")}), HasSubstr("imatrix"));
  EXPECT_THAT(refused({GgufTextPair("general.architecture", "clip")}), HasSubstr("mmproj"));
  EXPECT_THAT(refused({GgufTextPair("general.architecture", "controlvector")}),
              HasSubstr("a control vector"));
}

}  // namespace
}  // namespace tensorguard::internal
