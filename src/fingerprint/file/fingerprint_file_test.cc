// Fingerprint files: what is written comes back, and a hostile one gets an error that names its
// fault.
#include "fingerprint/file/fingerprint_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "fingerprint/file/weight_index.h"
#include "fingerprint/screening.h"
#include "fingerprint/stored_fingerprint.h"
#include "safetensors/safetensors.h"
#include "tests/support/random_fingerprints.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Contents(const std::filesystem::path& path) {
  auto contents = ReadSmallFile(path, 1 << 30);
  EXPECT_TRUE(contents);
  return contents ? *contents : std::string();
}

// The parts of a fingerprint file, to be changed and put together again.
struct FileParts {
  std::map<std::string, std::string> metadata;
  std::map<std::string, BuiltTensor> tensors;

  Json Index() const { return ParseJson(metadata.at("tensorguard.index")).operator*(); }
  void SetIndex(const Json& index) { metadata["tensorguard.index"] = index.dump(); }

  std::string Build() const {
    Json header = {{"__metadata__", metadata}};
    std::string data;
    for (const auto& [name, tensor] : tensors) {
      header[name] = {{"dtype", tensor.dtype},
                      {"shape", tensor.shape},
                      {"data_offsets", {data.size(), data.size() + tensor.data.size()}}};
      data += tensor.data;
    }
    return BuildRawSafetensors(header.dump(), data);
  }
};

class FingerprintFile : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "x.fingerprint.safetensors"; }

  FileParts SmallParts() {
    EXPECT_TRUE(WriteFingerprint(SmallFingerprint(), path()));
    const auto file = File::Open(path());
    const auto table = ReadSafetensorsTable(**file);
    EXPECT_TRUE(table);
    const std::string bytes = Contents(path());
    FileParts parts = {.metadata = table->metadata, .tensors = {}};
    for (const TensorEntry& entry : table->tensors) {
      parts.tensors[entry.name] = {
          entry.name, std::string(InfoOf(entry.dtype).name), entry.shape,
          bytes.substr(entry.data_begin_bytes, entry.data_end_bytes - entry.data_begin_bytes)};
    }
    return parts;
  }

  // The error that a changed file gives.
  Error ErrorOf(const std::function<void(FileParts&)>& change) {
    FileParts parts = SmallParts();
    change(parts);
    const auto changed = folder_.Write("changed.safetensors", parts.Build());
    auto read = ReadFingerprint(changed);
    if (read) {
      ADD_FAILURE() << "the changed file was read";
      return {};
    }
    EXPECT_EQ(read.error().file, changed.string());
    return read.error();
  }

  Error ErrorOfIndex(const std::function<void(Json&)>& change) {
    return ErrorOf([&](FileParts& parts) {
      Json index = parts.Index();
      change(index);
      parts.SetIndex(index);
    });
  }

  ScratchFolder folder_;
};

void ExpectEqual(const FloatMatrix& a, const FloatMatrix& b) {
  ASSERT_EQ(a.rows(), b.rows());
  ASSERT_EQ(a.columns(), b.columns());
  EXPECT_TRUE(std::equal(a.values().begin(), a.values().end(), b.values().begin()));
}

TEST_F(FingerprintFile, HoldsWhatWasWritten) {
  const Fingerprint written = AsStored(SmallFingerprint());
  ASSERT_TRUE(WriteFingerprint(SmallFingerprint(), path()));
  EXPECT_TRUE(*HoldsFingerprint(path()));
  const auto read = ReadFingerprint(path());
  ASSERT_TRUE(read) << DescribeError(read.error());
  EXPECT_EQ(read->model_name, written.model_name);
  EXPECT_EQ(read->architecture, "llama");
  EXPECT_EQ(read->parameters, 12'345u);
  EXPECT_EQ(read->vocabulary_size, 1000u);
  EXPECT_EQ(read->hidden_size, 300u);
  EXPECT_TRUE(read->has_head);
  EXPECT_FALSE(read->tied_head);
  EXPECT_EQ(read->anchors, written.anchors);
  EXPECT_EQ(read->anchor_tokens, written.anchor_tokens);
  EXPECT_THAT(read->notes, ElementsAre("a note", "another"));
  ExpectEqual(read->input_gram, written.input_gram);
  ExpectEqual(read->cross_gram, written.cross_gram);
  ExpectEqual(read->head_sketch, written.head_sketch);
  ASSERT_EQ(read->layers.size(), 2u);
  ExpectEqual(read->layers[0].query_key, written.layers[0].query_key);
  ExpectEqual(read->layers[0].feed_forward, FloatMatrix(4, 4));
  EXPECT_EQ(read->layers[1].query_key.rows(), 0u);
  EXPECT_EQ(read->layers[1].stack, "decoder");
  EXPECT_EQ(read->layers[1].mixer, MixerKind::kRecurrent);
  EXPECT_EQ(read->layers[1].expert_count, 2u);
  ExpectEqual(read->layers[1].experts.at(1), written.layers[1].experts[1]);
  EXPECT_EQ(read->layers[0].mixer_gain, 0.3);
  EXPECT_EQ(read->layers[0].feed_forward_gain, 0.0);
  EXPECT_FALSE(read->layers[1].mixer_gain);
  EXPECT_EQ(read->layers[1].feed_forward_gain, 1.7);
  ASSERT_EQ(read->weights.size(), 4u);
  EXPECT_EQ(read->weights[1].tensor, "layers.0.q");
  EXPECT_EQ(read->weights[1].role.role, Role::kQuery);
  EXPECT_EQ(read->weights[1].norm, written.weights[1].norm);
  EXPECT_EQ(read->weights[1].digest, written.weights[1].digest);
  EXPECT_EQ(read->weights[1].quantiles, written.weights[1].quantiles);
  EXPECT_EQ(read->weights[1].distinct_per_256, 200.1);
  EXPECT_FALSE(read->weights[3].distinct_per_32);
  EXPECT_EQ(read->weights[3].role.expert, 1u);
  EXPECT_EQ(read->weights[3].tensor, "layers.1.experts.1.up");
  EXPECT_EQ(read->weights[1].digest_as_bfloat16, written.weights[1].digest_as_bfloat16);
  EXPECT_EQ(read->weights[1].digest_as_float16, written.weights[1].digest_as_float16);
  EXPECT_FALSE(read->weights[2].digest_as_bfloat16);
  EXPECT_EQ(read->weights[0].row_sample.digests, written.weights[0].row_sample.digests);
  ExpectEqual(read->weights[0].row_sample.projections, written.weights[0].row_sample.projections);
  EXPECT_TRUE(read->weights[1].row_sample.digests.empty());
  ExpectEqual(read->weights[1].sketch, written.weights[1].sketch);
  ExpectEqual(read->weights[2].sketch, written.weights[2].sketch);
  ASSERT_EQ(read->frame.layers.size(), 2u);
  ExpectEqual(read->frame.layers[0].forms[1], written.frame.layers[0].forms[1]);
  ExpectEqual(read->frame.layers[0].units.gates, written.frame.layers[0].units.gates);
  ExpectEqual(read->frame.layers[0].units.downs, written.frame.layers[0].units.downs);
  ExpectEqual(read->frame.token_inputs, written.frame.token_inputs);
  ExpectEqual(read->frame.token_outputs, written.frame.token_outputs);
  EXPECT_EQ(read->frame.layers[1].units.gates.rows(), 0u);
  ExpectEqual(read->frame.layers[1].units.ups, written.frame.layers[1].units.ups);
}

TEST_F(FingerprintFile, IsTheSameWhenWrittenAgain) {
  ASSERT_TRUE(WriteFingerprint(SmallFingerprint(), path()));
  const auto read = ReadFingerprint(path());
  ASSERT_TRUE(read);
  const auto again = folder_.path() / "again.safetensors";
  ASSERT_TRUE(WriteFingerprint(*read, again));
  EXPECT_EQ(Contents(path()), Contents(again));
}

TEST_F(FingerprintFile, RefusesOtherFilesAndNewerVersions) {
  EXPECT_EQ(ReadFingerprint(folder_.path() / "missing").error().kind, ErrorKind::kNotFound);
  const auto plain = folder_.Write("plain.safetensors", BuildSafetensors({}));
  EXPECT_FALSE(*HoldsFingerprint(plain));
  EXPECT_EQ(ReadFingerprint(plain).error().problem, "not a fingerprint file");
  const Error newer =
      ErrorOf([](FileParts& parts) { parts.metadata["tensorguard.fingerprint"] = "5"; });
  EXPECT_EQ(newer.kind, ErrorKind::kUnsupported);
  EXPECT_EQ(newer.found, "version 5");
  const Error older =
      ErrorOf([](FileParts& parts) { parts.metadata["tensorguard.fingerprint"] = "3"; });
  EXPECT_EQ(older.kind, ErrorKind::kUnsupported);
  EXPECT_EQ(older.found, "version 3");
  EXPECT_THAT(older.advice, HasSubstr("make the fingerprint again"));
  for (const char* version : {"", "one", "1.5", "-1", "0", "99999999999"}) {
    EXPECT_THAT(ErrorOf([&](FileParts& parts) {
                  parts.metadata["tensorguard.fingerprint"] = version;
                }).problem,
                HasSubstr("version is no number"));
  }
  EXPECT_THAT(ErrorOf([](FileParts& parts) { parts.metadata.erase("tensorguard.index"); }).problem,
              HasSubstr("no index"));
}

TEST_F(FingerprintFile, RefusesATensorThatDoesNotFit) {
  const Error lacking = ErrorOf([](FileParts& parts) { parts.tensors.erase("query_key"); });
  EXPECT_EQ(lacking.tensor, "query_key");
  EXPECT_THAT(lacking.problem, HasSubstr("lacks a tensor"));
  const Error extra =
      ErrorOf([](FileParts& parts) { parts.tensors["zebra"] = F32Tensor("zebra", {1}, {0}); });
  EXPECT_EQ(extra.tensor, "zebra");
  const Error shape = ErrorOf([](FileParts& parts) {
    parts.tensors["weights.norm"].shape = {2, 2};
  });
  EXPECT_EQ(shape.found, "F64 [2, 2]");
  EXPECT_EQ(shape.expected, "F64 [4]");
  const Error dtype = ErrorOf([](FileParts& parts) { parts.tensors["query_key"].dtype = "U8"; });
  EXPECT_EQ(dtype.found, "U8 [1, 4, 4]");
}

TEST_F(FingerprintFile, RefusesADamagedSignature) {
  const Error changed =
      ErrorOf([](FileParts& parts) { parts.tensors.at("screening").data[5] ^= 1; });
  EXPECT_EQ(changed.tensor, "screening");
  EXPECT_THAT(changed.problem, HasSubstr("digest"));
  const Error lacking =
      ErrorOf([](FileParts& parts) { parts.metadata.erase("tensorguard.screening"); });
  EXPECT_EQ(lacking.expected, "a digest in the metadata");
  EXPECT_THAT(ErrorOf([](FileParts& parts) { parts.tensors.erase("screening"); }).problem,
              HasSubstr("lacks a tensor"));
}

TEST_F(FingerprintFile, TheSignatureAloneIsCheckedToo) {
  FileParts parts = SmallParts();
  parts.tensors.at("screening").data[5] ^= 1;
  const auto damaged = ReadScreening(folder_.Write("damaged.safetensors", parts.Build()));
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().problem, HasSubstr("digest"));
  parts.tensors.at("screening").shape = {1, 8, 64};
  const auto shape = ReadScreening(folder_.Write("shape.safetensors", parts.Build()));
  ASSERT_FALSE(shape);
  EXPECT_EQ(shape.error().found, "I8 [1, 8, 64]");
  parts.metadata["tensorguard.fingerprint"] = "1";
  const auto older = ReadScreening(folder_.Write("older.safetensors", parts.Build()));
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().kind, ErrorKind::kUnsupported);
}

void SetNumber(BuiltTensor& tensor, size_t index, auto value) {
  tensor.data.replace(index * sizeof(value), sizeof(value), reinterpret_cast<const char*>(&value),
                      sizeof(value));
}

TEST_F(FingerprintFile, RefusesNumbersOutOfTheirBounds) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  struct Case {
    const char* tensor;
    std::function<void(BuiltTensor&)> change;
    const char* problem;
  };
  const Case cases[] = {
      {"anchors", [](auto& t) { SetNumber(t, 1, uint32_t{2}); }, "do not ascend"},
      {"anchors", [](auto& t) { SetNumber(t, 3, uint32_t{99'999}); }, "beyond the list"},
      {"anchor_tokens", [](auto& t) { SetNumber(t, 0, uint32_t{1000}); }, "beyond the vocabulary"},
      {"query_key.scale", [=](auto& t) { SetNumber(t, 0, nan); }, "scale is not a positive"},
      {"output_value.scale", [](auto& t) { SetNumber(t, 1, -1.0f); }, "scale is not a positive"},
      {"feed_forward.scale", [](auto& t) { SetNumber(t, 5, 3e38f); }, "not finite"},
      {"grams", [](auto& t) { SetNumber(t, 9, uint16_t{0x7c00}); }, "not finite"},
      {"weights.sketch", [](auto& t) { SetNumber(t, 9, uint16_t{0x7e00}); }, "not finite"},
      {"weights.norm", [](auto& t) { SetNumber(t, 2, -1.0); }, "weight 2 is out of its bounds"},
      {"weights.mean", [=](auto& t) { SetNumber(t, 0, double{nan}); }, "out of its bounds"},
      {"weights.zero_fraction", [](auto& t) { SetNumber(t, 0, 1.5); }, "out of its bounds"},
      {"layers.mixer_gain", [=](auto& t) { SetNumber(t, 0, double{nan}); }, "layer 0 is out of"},
      {"layers.feed_forward_gain", [](auto& t) { SetNumber(t, 1, -0.5); }, "layer 1 is out of"},
      {"weights.distinct_per_32", [](auto& t) { SetNumber(t, 0, 33.0); }, "out of its bounds"},
      {"weights.quantiles", [](auto& t) { SetNumber(t, 4, 100.0f); }, "do not ascend"},
      {"weights.quantiles", [=](auto& t) { SetNumber(t, 4, nan); }, "do not ascend"},
  };
  for (const Case& test : cases) {
    const Error error =
        ErrorOf([&](FileParts& parts) { test.change(parts.tensors.at(test.tensor)); });
    EXPECT_EQ(error.kind, ErrorKind::kBadFile);
    const std::string tensor = test.tensor;
    EXPECT_EQ(error.tensor, tensor.substr(0, tensor.find(".scale")));
    EXPECT_THAT(error.problem, HasSubstr(test.problem)) << test.tensor;
  }
}

TEST_F(FingerprintFile, RefusesAnIndexWithFaults) {
  struct Case {
    std::function<void(Json&)> change;
    const char* problem;
  };
  const Case cases[] = {
      {[](Json& index) { index = Json::array(); }, "the index is no object"},
      {[](Json& index) { index.erase("anchors"); }, "the index.anchors"},
      {[](Json& index) { index["anchors"] = 129; }, "the index.anchors"},
      {[](Json& index) { index["anchors"] = -1; }, "the index.anchors"},
      // Models that no token enters have none; this one has.
      {[](Json& index) { index["anchors"] = 0; }, "does not fit the index"},
      {[](Json& index) { index["anchors"] = 5; }, "does not fit the index"},
      {[](Json& index) { index["vocabulary_size"] = 1.5; }, "the index.vocabulary_size"},
      {[](Json& index) { index["tied_head"] = "yes"; }, "the index.tied_head"},
      {[](Json& index) { index["anchor_kind"] = "words"; }, "the index.anchor_kind"},
      {[](Json& index) { index["model_name"] = 7; }, "the index.model_name"},
      {[](Json& index) { index["colour"] = 7; }, "does not know"},
      {[](Json& index) { index["notes"][0] = 7; }, "a note is no text"},
      {[](Json& index) { index["layers"] = 7; }, "the index.layers"},
      {[](Json& index) { index["layers"][1] = 7; }, "layers[1] is no object"},
      {[](Json& index) { index["layers"][1]["expert_kernels"] = 33; }, "layers[1].expert_kernels"},
      {[](Json& index) { index["layers"][1]["kernels"][0] = "other"; }, "unknown kernel"},
      {[](Json& index) { index["layers"][1]["mixer"] = "shaker"; }, "layers[1].mixer"},
      {[](Json& index) { index["weight_kinds"][2]["role"] = "cook"; }, "weight_kinds[2].role"},
      {[](Json& index) { index["weight_kinds"][2]["rows"] = 0; }, "weight_kinds[2].rows"},
      {[](Json& index) { index["weight_kinds"][2]["columns"] = 2; }, "an impossible shape"},
      {[](Json& index) { index["weight_kinds"][1]["dtype"] = "F12"; }, "weight_kinds[1].dtype"},
      {[](Json& index) { index["weight_kinds"][1]["layer"] = 1; }, "does not know"},
      {[](Json& index) { index["weight_kinds"] = 1; }, "the index.weight_kinds"},
      {[](Json& index) { index["weights"][2] = 7; }, "weights[2] is no weight"},
      {[](Json& index) { index["weights"][2] = Json::array(); }, "weights[2] is no weight"},
      {[](Json& index) { index["weights"][2][0] = 4; }, "weights[2] is no weight"},
      {[](Json& index) { index["weights"][2][0] = -1; }, "weights[2] is no weight"},
      {[](Json& index) { index["weights"][3][1] = "1"; }, "weights[3] is no weight"},
      {[](Json& index) { index["weights"][3][2] = Json(); }, "weights[3] is no weight"},
      {[](Json& index) { index["weights"][3][2] = 0xffff'ffff; }, "weights[3] is no weight"},
      {[](Json& index) { index["weights"][3].push_back(1); }, "weights[3] is no weight"},
      {[](Json& index) { index["frame_layers"][0]["units"] = 129; }, "frame_layers[0].units"},
      {[](Json& index) { index["frame_layers"][0]["units"] = 4; }, "does not fit the index"},
      {[](Json& index) { index["frame_layers"][1]["gated"] = true; }, "does not fit the index"},
      {[](Json& index) { index["frame_layers"][1]["gated"] = 1; }, "frame_layers[1].gated"},
  };
  for (const Case& test : cases) {
    EXPECT_THAT(ErrorOfIndex(test.change).problem, HasSubstr(test.problem));
  }
  const Error text =
      ErrorOf([](FileParts& parts) { parts.metadata["tensorguard.index"] = "{\"a\":"; });
  EXPECT_EQ(text.kind, ErrorKind::kBadFile);
}

TEST_F(FingerprintFile, AllocatesNoMoreThanTheFileCanHold) {
  const Error error = ErrorOfIndex([](Json& index) {
    for (int i = 0; i < 5000; ++i) index["layers"].push_back(index["layers"][0]);
    index["anchors"] = 128;
  });
  EXPECT_THAT(error.problem, HasSubstr("more numbers than the file has bytes"));
  const Error weights = ErrorOfIndex([](Json& index) {
    for (int i = 0; i < 100'000; ++i) index["weights"].push_back(index["weights"][2]);
  });
  EXPECT_THAT(weights.problem, HasSubstr("more numbers than the file has bytes"));
  const Error rows = ErrorOfIndex([](Json& index) {
    index["weight_kinds"][2]["row_sample"] = true;
    index["weight_kinds"][2]["rows"] = uint64_t{1} << 40;
  });
  EXPECT_THAT(rows.problem, HasSubstr("more numbers than the file has bytes"));
}

// One long name for very many weights.
TEST(WeightIndex, BoundsTheNamesOfAllWeightsTogether) {
  const WeightSummary weight = SummaryNamed("x", Role::kNorm, 1, 1, 1);
  WeightIndex index = IndexOfWeights({&weight, 1});
  index.kinds[0].erase("sketch");
  index.kinds[0]["tensor"] = std::string(1 << 20, 'x');
  for (int i = 0; i < 200; ++i) index.weights.push_back(index.weights[0]);
  MatrixBudget budget(uint64_t{1} << 40);
  const auto read = WeightsOfIndex(index.kinds, index.weights, budget);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().problem, HasSubstr("names of the weights are too long"));
}

// Experts that are alike take a few bytes each; every name comes back.
TEST(WeightIndex, TellsOnceWhatWeightsHaveInCommon) {
  const std::vector<std::pair<std::string, uint32_t>> patterns = {
      {"model.layers.{}.mlp.experts.{}.up_proj.weight", 0},
      {"blk.{}.ffn.{}", 0},
      {"experts.{1}.layers.{0}.w", 0},
      {"decoder{}/expert{}", 1},       // counted from 1
      {"layers.{}.{{layer}}.{}", 0}};  // looks like a place for a number
  std::vector<WeightSummary> weights;
  for (const auto& [pattern, first] : patterns) {
    for (uint32_t layer = 0; layer < 12; ++layer) {
      for (uint32_t expert = 0; expert < 12; ++expert) {
        const std::string name = fmt::format(fmt::runtime(pattern), layer + first, expert + first);
        weights.push_back(SummaryNamed(name.c_str(), Role::kUp, 7, 3, 1));
        weights.back().sketch = {};
        weights.back().role.layer = layer;
        weights.back().role.expert = expert;
      }
    }
  }
  weights.push_back(SummaryNamed("alone.7", Role::kNorm, 7, 1, 1));
  weights.push_back(SummaryNamed("expert.7", Role::kNorm, 7, 1, 1));
  weights.back().role.expert = 7;
  const WeightIndex index = IndexOfWeights({weights.data(), 2 * 144});
  EXPECT_EQ(index.kinds.size(), 2u);
  EXPECT_LT(index.weights.dump().size(), 10u * 2 * 144);
  const WeightIndex all = IndexOfWeights(weights);
  MatrixBudget budget(uint64_t{1} << 40);
  const auto read = WeightsOfIndex(all.kinds, all.weights, budget);
  ASSERT_TRUE(read) << DescribeError(read.error());
  ASSERT_EQ(read->size(), weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    EXPECT_EQ(read->at(i).tensor, weights[i].tensor);
    EXPECT_EQ(read->at(i).role.layer, weights[i].role.layer);
    EXPECT_EQ(read->at(i).role.expert, weights[i].role.expert);
  }
}

TEST_F(FingerprintFile, RefusesAnchorsOfANewerList) {
  EXPECT_EQ(ErrorOfIndex([](Json& index) { index["anchor_list_version"] = 99; }).kind,
            ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace tensorguard::internal
