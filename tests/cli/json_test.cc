// What --json prints: one object in one line, with the fields that others rely on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/cli/program_runner.h"
#include "tests/cli/sample_models.h"

namespace tensorguard::internal {
namespace {

using nlohmann::json;
using testing::ElementsAre;

class JsonOutput : public testing::Test {
 protected:
  JsonOutput() { WriteSampleModels(folder_); }

  // The object that the command prints; fails the test if stdout is anything but one line of JSON.
  json Run(const std::string& command, int expected_status = 0) {
    const ProgramRun run = RunInShell("tensorguard " + command, folder_.path());
    EXPECT_EQ(run.status, expected_status) << run.messages;
    messages_ = run.messages;
    EXPECT_EQ(std::count(run.output.begin(), run.output.end(), '\n'), 1) << run.output;
    json object = json::parse(run.output, nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(object.is_object()) << run.output;
    return object;
  }

  // Makes the features files of these models in the folder prints.
  void Fingerprint(const std::string& models) {
    const ProgramRun run = RunInShell(
        "tensorguard fingerprint " + models + " --profile paper -o prints/", folder_.path());
    ASSERT_EQ(run.status, 0) << run.messages;
  }

  ScratchFolder folder_;
  std::string messages_;
};

TEST_F(JsonOutput, InspectListsEveryTensor) {
  const json object = Run("inspect tiny --json");
  EXPECT_EQ(object["schema"], "tensorguard.inspect/1");
  EXPECT_EQ(object["name"], "tiny");
  EXPECT_EQ(object["architecture"], "llama");
  EXPECT_EQ(object["parameters"], 2 * 32 * 16 + 3 * 16 + 3 * 24 * 16 + 4 * 16 * 16);
  EXPECT_EQ(object["layers"], 1);
  EXPECT_EQ(object["tied_head"], false);
  EXPECT_EQ(object["tokenizer"], json({{"kind", "byte-level BPE"},
                                       {"tokens", 6},
                                       {"anchors", 4},
                                       {"file", "tiny/tokenizer.json"}}));
  EXPECT_EQ(object["notes"], json::array());
  EXPECT_EQ(object["unassigned"], json::array());
  ASSERT_EQ(object["tensors"].size(), 12u);
  const json& down = object["tensors"][3];
  EXPECT_EQ(down["name"], "model.layers.0.mlp.down_proj.weight");
  EXPECT_EQ(down["role"], "down");
  EXPECT_EQ(down["layer"], 0);
  EXPECT_EQ(down["dtype"], "F32");
  EXPECT_EQ(down["shape"], json({16, 24}));
  EXPECT_EQ(down["file"], "tiny/model.safetensors");
  EXPECT_TRUE(object["tensors"][1]["layer"].is_null());
}

TEST_F(JsonOutput, InspectTellsABrokenTokenizerFromNone) {
  const json garbled = Run("inspect garbled --json");
  EXPECT_TRUE(garbled["tokenizer"].is_null());
  ASSERT_EQ(garbled["notes"].size(), 1u);
  EXPECT_EQ(garbled["notes"][0].get<std::string>().find("garbled/tokenizer.json: "), 0u);
  const json mute = Run("inspect mute --json");
  EXPECT_TRUE(mute["tokenizer"].is_null());
  EXPECT_EQ(mute["notes"], json::array());
}

TEST_F(JsonOutput, InspectNamesTheBaseOfAnAdapter) {
  const json object = Run("inspect lora --base tiny --json");
  EXPECT_EQ(object["name"], "lora");
  EXPECT_EQ(object["adapter"], true);
  EXPECT_EQ(object["base"], "tiny");
  EXPECT_EQ(object["tensors"].size(), 12u);
}

TEST_F(JsonOutput, FingerprintGivesTheFeaturesThatItWrites) {
  const json object = Run("fingerprint tiny -o out.json --profile paper --threads 2 --json");
  EXPECT_EQ(object["schema"], "tensorguard.fingerprint/1");
  ASSERT_EQ(object["models"].size(), 1u);
  const json& model = object["models"][0];
  EXPECT_EQ(model["name"], "tiny");
  EXPECT_EQ(model["profile"], "paper");
  EXPECT_EQ(model["output"], "out.json");
  EXPECT_EQ(model["parameters"], 3248);
  EXPECT_GT(model["seconds"], 0.0);
  EXPECT_GT(model["bytes_read"], 0);
  const ProgramRun written = RunInShell("cat out.json", folder_.path());
  EXPECT_EQ(model["features"], json::parse(written.output));
  EXPECT_EQ(model["features"]["model_name"], "tiny");
  EXPECT_TRUE(std::isfinite(model["features"]["global_kurtosis"].get<double>()));
}

TEST_F(JsonOutput, FingerprintOfTheFullProfileSaysWhatItWrote) {
  const json object = Run("fingerprint tiny --json");
  const json& model = object["models"][0];
  EXPECT_EQ(model["name"], "tiny");
  EXPECT_EQ(model["profile"], "full");
  EXPECT_EQ(model["output"], "tiny.fingerprint.safetensors");
  EXPECT_EQ(model["parameters"], 3248);
  EXPECT_GT(model["seconds"], 0.0);
  EXPECT_GT(model["bytes_read"], 3248 * 4);
  EXPECT_FALSE(model["notes"].empty());

  const json shown = Run("inspect tiny.fingerprint.safetensors --json");
  EXPECT_EQ(shown["architecture"], "llama");
  EXPECT_EQ(shown["parameters"], 3248);
  EXPECT_EQ(shown["layers"], 1);
  EXPECT_EQ(shown["anchors"]["kind"], "rows");
  ASSERT_EQ(shown["tensors"].size(), 12u);
  EXPECT_EQ(shown["tensors"][3]["role"], "down");
  EXPECT_EQ(shown["tensors"][3]["shape"], json({16, 24}));
}

TEST_F(JsonOutput, FingerprintIsTheSameForAnyNumberOfThreads) {
  const json one = Run("fingerprint tiny -o a.json --profile paper --threads 1 --json");
  const json four = Run("fingerprint tiny -o b.json --profile paper --threads 4 --json");
  EXPECT_EQ(one["models"][0]["features"], four["models"][0]["features"]);
}

TEST_F(JsonOutput, FingerprintKeepsTheGoodModelsAndReportsTheBad) {
  const json object = Run("fingerprint tiny text.safetensors other missing --json", 2);
  ASSERT_EQ(object["models"].size(), 2u);
  EXPECT_EQ(object["models"][1]["name"], "other");
  ASSERT_EQ(object["errors"].size(), 2u);
  EXPECT_EQ(object["error"], object["errors"][0]);
  EXPECT_EQ(object["error"]["kind"], "bad_file");
  EXPECT_EQ(object["error"]["file"], "text.safetensors");
  EXPECT_EQ(object["errors"][1]["kind"], "not_found");
  EXPECT_THAT(messages_,
              testing::EndsWith("tensorguard: 2 of 4 models could not be read (listed above)\n"));
}

TEST_F(JsonOutput, CompareGivesAVerdictAndWhatItCannotSee) {
  const json copy = Run("compare tiny copy --profile paper --json");
  EXPECT_EQ(copy["schema"], "tensorguard.compare/1");
  EXPECT_EQ(copy["verdict"], "identical");
  EXPECT_EQ(copy["score"], 1.0);
  const json other = Run("compare tiny other --profile paper --json");
  EXPECT_EQ(other["verdict"], "inconclusive");
  EXPECT_GT(other["score"], 0.0);
  EXPECT_LT(other["score"], 1.0);
  for (const char* absent : {"kernel", "sketch", "test"}) {
    EXPECT_TRUE(other["evidence"].contains(absent));
    EXPECT_TRUE(other["evidence"][absent].is_null());
  }
  EXPECT_EQ(other["evidence"]["paper"]["same_shapes"], true);
  EXPECT_EQ(other["evidence"]["paper"]["differences"].size(), 15u);
  EXPECT_FALSE(other["notes"].empty());
}

TEST_F(JsonOutput, CompareTakesModelsAdaptersAndFeaturesFiles) {
  Fingerprint("tiny");
  EXPECT_EQ(Run("compare tiny prints/tiny_features.json --json")["verdict"], "identical");
  EXPECT_EQ(Run("compare tiny lora --base tiny --profile paper --json")["verdict"], "inconclusive");
}

TEST_F(JsonOutput, CompareMeasuresItsDistanceInKnownModels) {
  Fingerprint("tiny other third");
  const json alone = Run("compare tiny other --profile paper --json");
  EXPECT_TRUE(alone["evidence"]["paper"]["distance"].is_null());
  const json among = Run("compare tiny other --known prints --json");
  const double distance = among["evidence"]["paper"]["distance"];
  EXPECT_GT(distance, 0.0);
  EXPECT_DOUBLE_EQ(among["score"], 1 / (1 + distance));
  EXPECT_EQ(Run("compare tiny copy --known prints --json")["evidence"]["paper"]["distance"], 0.0);
}

TEST_F(JsonOutput, ClassifyNamesTheNearestFamily) {
  Fingerprint("tiny other third");
  const json object = Run("classify copy --known prints --json");
  EXPECT_EQ(object["schema"], "tensorguard.classify/1");
  EXPECT_EQ(object["known"], true);
  EXPECT_EQ(object["best"]["name"], "tiny");
  EXPECT_EQ(object["best"]["score"], 1.0);
  EXPECT_EQ(object["best"]["verdict"], "identical");
  EXPECT_EQ(object["candidates"][0], object["best"]);
  EXPECT_EQ(object["candidates"].size(), 3u);
  for (const json& candidate : object["candidates"]) {
    EXPECT_GT(candidate["score"], 0.0);
    EXPECT_LE(candidate["score"], 1.0);
  }
}

TEST_F(JsonOutput, ClusterAssignsEveryModelToACentre) {
  Fingerprint("tiny other third");
  const json object = Run("cluster prints copy --centers tiny,other --plot f.svg --json");
  EXPECT_EQ(object["schema"], "tensorguard.cluster/1");
  EXPECT_EQ(object["assignments"].size(), 4u);
  EXPECT_EQ(object["assignments"]["tiny"], "tiny");
  EXPECT_EQ(object["assignments"]["copy"], "tiny");
  EXPECT_EQ(object["assignments"]["other"], "other");
  ASSERT_EQ(object["clusters"].size(), 2u);
  EXPECT_EQ(object["clusters"][0]["center"], "tiny");
  EXPECT_THAT(object["clusters"][0]["members"], testing::Contains("copy"));
  EXPECT_GE(object["silhouette"], -1.0);
  EXPECT_LE(object["silhouette"], 1.0);
  EXPECT_EQ(object["pca"]["third"].size(), 2u);
  EXPECT_EQ(object["pca"]["tiny"], object["pca"]["copy"]);
  EXPECT_EQ(RunInShell("head -c 5 f.svg", folder_.path()).output, "<?xml");
}

TEST_F(JsonOutput, ClusterByMixtureAgreesOnCopies) {
  Fingerprint("tiny other third copy");
  const json object = Run("cluster prints --centers tiny,other --method gmm --json");
  EXPECT_EQ(object["method"], "gmm");
  EXPECT_EQ(object["assignments"]["tiny"], object["assignments"]["copy"]);
}

TEST_F(JsonOutput, SensitivityGivesAGainForEachNoise) {
  const json object = Run("sensitivity tiny --json");
  EXPECT_EQ(object["schema"], "tensorguard.sensitivity/1");
  ASSERT_EQ(object["tensors"].size(), 9u);
  for (const json& tensor : object["tensors"]) {
    EXPECT_FALSE(tensor["name"].get<std::string>().empty());
    EXPECT_FALSE(tensor["role"].get<std::string>().empty());
    EXPECT_TRUE(tensor.contains("layer"));
    std::vector<std::string> noises;
    for (const auto& [noise, gain] : tensor["gain"].items()) {
      noises.push_back(noise);
      EXPECT_GT(gain, 0.0);
    }
    EXPECT_THAT(noises, ElementsAre("adversarial", "gaussian", "high_frequency", "low_frequency",
                                    "structured"));
    EXPECT_EQ(tensor["gradient_norm"].size(), 5u) << "the published score";
  }
}

TEST_F(JsonOutput, ErrorsAreObjectsToo) {
  const json bad = Run("inspect hostile.safetensors --json", 2);
  EXPECT_EQ(bad["error"]["kind"], "bad_file");
  EXPECT_EQ(bad["error"]["file"], "hostile.safetensors");
  EXPECT_EQ(bad["error"]["tensor"],
            "a\x1b[2J\xE2\x80\xAE"
            "b");
  EXPECT_EQ(bad["error"]["problem"], "data ends past the end of the file");
  EXPECT_FALSE(bad["error"].contains("try") && bad["error"]["try"] == "");

  const json unknown = Run("inspect tiny --jsn --json", 2);
  EXPECT_EQ(unknown["error"]["kind"], "usage");
  EXPECT_EQ(unknown["error"]["found"], "--jsn");
  EXPECT_EQ(unknown["error"]["try"], "--json");
}

TEST_F(JsonOutput, IsPlainAsciiWhateverTheNames) {
  const ProgramRun run =
      RunInShell("tensorguard inspect hostile.safetensors --json", folder_.path());
  for (const char c : run.output) {
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7F)) << static_cast<int>(c);
  }
}

}  // namespace
}  // namespace tensorguard::internal
