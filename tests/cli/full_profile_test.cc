// What the full profile tells about models of known ancestry, asked on the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program_runner.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class FullProfile : public testing::Test {
 protected:
  static std::string Sample(const std::string& name) {
    return (std::filesystem::current_path() / "examples/models" / name).string();
  }

  json Run(const std::string& command, int expected_status = 0) {
    const ProgramRun run = RunInShell("tensorguard " + command + " --json", folder_.path());
    EXPECT_EQ(run.status, expected_status) << run.messages;
    json object = json::parse(run.output, nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(object.is_object()) << run.output << run.messages;
    return object;
  }

  // As stored: files and models must give the same answers.
  std::string Print(const std::string& name) {
    const std::string file = name + ".fingerprint.safetensors";
    Run("fingerprint " + Sample(name) + " -o " + file);
    return file;
  }

  ScratchFolder folder_;
};

TEST_F(FullProfile, AFineTuneIsDerived) {
  const json object = Run("compare " + Sample("elm") + " " + Sample("elm--sft1"));
  EXPECT_EQ(object["schema"], "tensorguard.compare/1");
  EXPECT_EQ(object["verdict"], "derived");
  EXPECT_GT(object["score"], 0.9);
  EXPECT_LE(object["score"], 1.0);
  EXPECT_EQ(object["evidence"]["kernel"]["layers"].size(), 6u);
  EXPECT_GT(object["evidence"]["kernel"]["score"], 0.8);
  EXPECT_GT(object["evidence"]["sketch"]["cosine"], 0.9);
  EXPECT_TRUE(object["evidence"]["test"].is_null());
}

TEST_F(FullProfile, TheSameShapesAreNoFamily) {
  const json object = Run("compare " + Sample("alder") + " " + Sample("birch"));
  EXPECT_EQ(object["verdict"], "independent");
  EXPECT_LT(object["score"], 0.2);
}

TEST_F(FullProfile, TheRankOfALoraIsTold) {
  const json object = Run("compare " + Sample("alder") + " " + Sample("alder--lora"));
  EXPECT_EQ(object["verdict"], "derived");
  EXPECT_THAT(object["notes"].dump(), HasSubstr("rank 8"));
}

TEST_F(FullProfile, FilesAndModelsGiveTheSameAnswer) {
  const json models = Run("compare " + Sample("cedar") + " " + Sample("cedar--prune-depth"));
  const json files = Run("compare " + Print("cedar") + " " + Print("cedar--prune-depth"));
  EXPECT_EQ(models, files);
  EXPECT_EQ(models["verdict"], "derived");
}

TEST_F(FullProfile, FingerprintsAreTheSameForAnyNumberOfThreads) {
  Run("fingerprint " + Sample("elm") + " -o one.fingerprint.safetensors --threads 1");
  Run("fingerprint " + Sample("elm") + " -o four.fingerprint.safetensors --threads 4");
  EXPECT_EQ(
      RunInShell("cmp one.fingerprint.safetensors four.fingerprint.safetensors", folder_.path())
          .status,
      0);
}

TEST_F(FullProfile, TheDeepTestGivesAPValue) {
  const json derived = Run("compare " + Sample("elm") + " " + Sample("elm--sft1") + " --deep");
  EXPECT_EQ(derived["verdict"], "derived");
  EXPECT_LT(derived["evidence"]["test"]["p_value"], 1e-12);
  EXPECT_GT(derived["evidence"]["test"]["p_value"], 0.0);
  const json apart = Run("compare " + Sample("alder") + " " + Sample("birch") + " --deep");
  EXPECT_EQ(apart["verdict"], "independent");
  EXPECT_GT(apart["evidence"]["test"]["p_value"], 1e-4);
}

TEST_F(FullProfile, AFingerprintHasNoWeightsToTest) {
  const json object = Run("compare " + Print("elm") + " " + Sample("elm--sft1") + " --deep", 2);
  EXPECT_EQ(object["error"]["problem"], "a fingerprint holds no weights to test");
}

TEST_F(FullProfile, ThePageHoldsTheEvidenceAndLoadsNothing) {
  Run("compare " + Sample("elm") + " " + Sample("elm--sft1") + " --html page.html");
  std::ifstream file(folder_.path() / "page.html");
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_THAT(page.str(), HasSubstr("<strong>derived</strong>"));
  EXPECT_THAT(page.str(), HasSubstr("Feed-forward kernels"));
  EXPECT_THAT(page.str(), HasSubstr("What this cannot show"));
  EXPECT_THAT(page.str(), Not(HasSubstr("http:")));
  EXPECT_THAT(page.str(), Not(HasSubstr("https:")));
  EXPECT_THAT(page.str(), Not(HasSubstr("<script")));
}

TEST_F(FullProfile, ThePageSaysHowToRepeatIt) {
  const std::string arguments =
      "compare " + Sample("elm") + " " + Sample("elm--sft1") + " --html 'my page.html'";
  json printed = Run(arguments);
  std::ifstream file(folder_.path() / "my page.html");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string page = text.str();
  EXPECT_THAT(page, HasSubstr("In plain words"));
  EXPECT_THAT(page, HasSubstr("elm and elm--sft1 have one origin."));
  EXPECT_THAT(page, HasSubstr("tensorguard compare "));
  EXPECT_THAT(page, HasSubstr("--html &#39;my page.html&#39; --json"));
  const json versions = json::parse(RunInShell("tensorguard --version --json", "/").output);
  EXPECT_THAT(page, HasSubstr("TensorGuard " + versions["version"].get<std::string>()));
  // The same files, by another program's digests.
  for (const char* name : {"elm", "elm--sft1"}) {
    const ProgramRun digests = RunInShell(
        "b3sum --no-names " + Sample(name) + "/*.safetensors " + Sample(name) + "/config.json",
        folder_.path());
    ASSERT_EQ(digests.status, 0) << digests.messages;
    std::istringstream lines(digests.output);
    for (std::string digest; std::getline(lines, digest);) EXPECT_THAT(page, HasSubstr(digest));
  }
  // The data, whole.
  const std::string begin = "<pre id=\"json\">";
  const size_t at = page.find(begin) + begin.size();
  std::string inside = page.substr(at, page.find("</pre>", at) - at);
  for (const auto& [escaped, letter] :
       {std::pair("&quot;", "\""), std::pair("&#39;", "'"), std::pair("&lt;", "<"),
        std::pair("&gt;", ">"), std::pair("&amp;", "&")}) {
    for (size_t i = 0; (i = inside.find(escaped, i)) != std::string::npos; ++i) {
      inside.replace(i, std::string(escaped).size(), letter);
    }
  }
  printed.erase("html");
  EXPECT_EQ(json::parse(inside), printed);
}

TEST_F(FullProfile, ClassifyNamesTheParentOrNobody) {
  const std::string known =
      " --known " + Sample("alder") + " " + Sample("cedar") + " " + Sample("hazel");
  const json found = Run("classify " + Sample("hazel--sft1") + known);
  EXPECT_EQ(found["schema"], "tensorguard.classify/1");
  EXPECT_EQ(found["known"], true);
  EXPECT_EQ(found["best"]["name"], "hazel");
  EXPECT_EQ(found["best"]["verdict"], "derived");
  // One relative alone does not tell whether it is the parent or a sibling that hardly changed.
  EXPECT_TRUE(found["direct_parent"].is_null());
  EXPECT_EQ(found["closest"], "hazel");
  EXPECT_EQ(found["family"], json::array({"hazel"}));
  EXPECT_EQ(found["direction"], "undetermined");
  EXPECT_EQ(found["candidates"].size(), 3u);
  const json child = Run("classify " + Sample("alder--lora") + known);
  EXPECT_EQ(child["direct_parent"], "alder");
  const json stranger = Run("classify " + Sample("birch") + known);
  EXPECT_EQ(stranger["known"], false);
  EXPECT_EQ(stranger["family"], json::array());
  EXPECT_TRUE(stranger["direct_parent"].is_null());
}

TEST_F(FullProfile, LineageHoldsCardsAgainstWhatIsMeasured) {
  const std::filesystem::path copy = folder_.path() / "tuned";
  std::filesystem::copy(Sample("alder--lora"), copy, std::filesystem::copy_options::recursive);
  const std::string command =
      "lineage tuned " + Sample("alder") + " " + Sample("cedar") + " --baseline";
  const json silent = Run(command)["edges"][0];
  EXPECT_EQ(silent["child"], "tuned");
  EXPECT_EQ(silent["parent"], "alder");
  EXPECT_EQ(silent["declared"], "not_declared");
  EXPECT_EQ(silent["evidence"][0]["sign"], "low_rank");
  EXPECT_EQ(silent["evidence"][0]["later"], "tuned");

  std::ofstream(copy / "README.md") << "---\nbase_model: someone/Alder\n---\n";
  const json agreeing = Run(command);
  EXPECT_EQ(agreeing["edges"][0]["declared"], "agrees");
  EXPECT_EQ(agreeing["nodes"][0]["declared_parents"], json::array({"someone/Alder"}));
  EXPECT_EQ(agreeing["baselines"]["nearest"].size(), 2u);

  std::ofstream(copy / "README.md") << "---\nbase_model: cedar\n---\n";
  const json contradicted = Run(command + " --min-certainty 0.5");
  EXPECT_EQ(contradicted["edges"][0]["declared"], "contradicts");
  EXPECT_EQ(contradicted["edges"][0]["parent"], "alder");
  const json left_out = Run(command + " --min-certainty 1");
  EXPECT_TRUE(left_out["edges"].empty());
  EXPECT_EQ(left_out["uncertain"][0]["child"], "tuned");
}

TEST_F(FullProfile, ClusterFindsTheFamiliesAlone) {
  const std::string all = std::filesystem::path(Sample("alder")).parent_path().string();
  const json object = Run("cluster " + all);
  EXPECT_EQ(object["schema"], "tensorguard.cluster/1");
  ASSERT_EQ(object["clusters"].size(), 5u);
  EXPECT_THAT(object["clusters"][0]["members"], ElementsAre("alder", "alder--lora"));
  EXPECT_THAT(object["clusters"][1]["members"], ElementsAre("birch", "birch--sft1.Q4_0"));
  EXPECT_THAT(object["clusters"][2]["members"],
              ElementsAre("cedar", "cedar--prune-depth", "cedar--sft1"));
  EXPECT_FALSE(object.contains("left_out"));
  EXPECT_GT(object["silhouette"], 0.5);
}

TEST_F(FullProfile, AFolderOfFingerprintsLeavesNoneOfThemOut) {
  Run("fingerprint " + Sample("alder") + " " + Sample("birch") + " -o prints/");
  const json object = Run("cluster prints");
  EXPECT_EQ(object["clusters"].size(), 2u);
  EXPECT_FALSE(object.contains("left_out"));
}

TEST_F(FullProfile, ClusterAroundGivenModels) {
  const std::string all = std::filesystem::path(Sample("alder")).parent_path().string();
  const json object =
      Run("cluster " + all + " --centers alder,birch,cedar,elm,hazel --plot families.svg");
  EXPECT_EQ(object["assignments"]["alder--lora"], "alder");
  EXPECT_EQ(object["assignments"]["birch"], "birch");
  EXPECT_EQ(object["assignments"]["hazel--sft1"], "hazel");
  EXPECT_EQ(object["pca"]["elm"].size(), 2u);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "families.svg"));
}

// What must hold on the whole zoo.
class Zoo : public FullProfile {
 protected:
  // The verdicts of one kind of derivation, all the same.
  static void ExpectVerdict(const json& evaluation, const std::string& kind,
                            const std::string& verdict) {
    const json& summary = evaluation["kinds"][kind];
    EXPECT_EQ(summary["verdicts"], (json{{verdict, summary["pairs"]}})) << kind;
  }
};

TEST_F(Zoo, EveryDerivedModelIsFoundAndNoneIsAccused) {
  const auto truth = SharedData("zoo/truth.json");
  SKIP_WITHOUT(truth);
  const json object = Run("evaluate " + truth.string());
  EXPECT_EQ(object["total"]["auc"], 1.0);
  EXPECT_EQ(object["total"]["found_at_no_false_positive"], 1.0);
  EXPECT_GE(object["total"]["margin"], 0.2);
  EXPECT_EQ(object["unscored"], 0);
  EXPECT_EQ(object["nearest_base"]["right"], 43);
  EXPECT_EQ(object["nearest_base"]["asked"], 43);
  for (const char* kind : {"launder-perm", "launder-rot", "launder-scale", "launder-all"}) {
    ExpectVerdict(object, kind, "reparameterised");
  }
  ExpectVerdict(object, "distill", "independent");
  for (const auto& [verdict, count] : object["confusion"]["independent"].items()) {
    EXPECT_THAT(verdict, testing::AnyOf("independent", "shared-initialisation")) << count;
  }
  // Merged in float32 here and by the trainer there: a quarter of the numbers are more than the
  // rounding of bfloat16 apart, so that the two are not the same numbers.
  for (const json& copy : object["copies"]) EXPECT_EQ(copy["verdict"], "derived") << copy;
}

TEST_F(Zoo, MergesNameBothParents) {
  const auto truth = SharedData("zoo/truth.json");
  SKIP_WITHOUT(truth);
  size_t with_weights = 0;
  const json evaluation = Run("evaluate " + truth.string());
  for (const json& merge : evaluation["merges"]) {
    if (merge["true_weights"].empty()) continue;
    ++with_weights;
    ASSERT_TRUE(merge["found"].is_object()) << merge;
    ASSERT_EQ(merge["found"]["parents"].size(), merge["true_parents"].size());
    for (const json& parent : merge["found"]["parents"]) {
      const auto& names = merge["true_parents"];
      const auto place = std::find(names.begin(), names.end(), parent["name"]) - names.begin();
      ASSERT_LT(static_cast<size_t>(place), names.size()) << parent;
      EXPECT_NEAR(parent["weight"], merge["true_weights"][place], 0.1);
    }
  }
  EXPECT_EQ(with_weights, 1u);
}

TEST_F(Zoo, ASharedStartIsToldFromDerivation) {
  const auto zoo = SharedData("zoo");
  SKIP_WITHOUT(zoo);
  const json object =
      Run("compare " + (zoo / "ginkgo").string() + " " + (zoo / "birch").string() + " --deep");
  EXPECT_EQ(object["verdict"], "shared-initialisation");
  EXPECT_LT(object["evidence"]["test"]["p_value"], 1e-12);
}

TEST_F(Zoo, AFineTuneOfAFineTuneNamesItsParentAndTheRoot) {
  const auto zoo = SharedData("zoo");
  SKIP_WITHOUT(zoo);
  std::string known;
  for (const char* name : {"alder", "alder--sft1", "alder--sft2", "alder--cpt", "cedar"}) {
    known += " " + (zoo / name).string();
  }
  const json object = Run("classify " + (zoo / "alder--sft-of-sft").string() + " --known" + known);
  EXPECT_EQ(object["direct_parent"], "alder--sft1");
  EXPECT_EQ(object["root"], "alder");
}

TEST_F(FullProfile, AQuickAnswerSaysWhatItRestsOn) {
  const std::string pair = Sample("alder") + " " + Sample("alder--lora");
  const json object = Run("compare " + pair + " --quick --budget 300KiB");
  EXPECT_EQ(object["verdict"], "derived");
  EXPECT_TRUE(object["quick"]["decided"]);
  EXPECT_GT(object["quick"]["kernels"], 0);
  EXPECT_LT(object["quick"]["score_error"], 0.1);
  ASSERT_EQ(object["quick"]["models"].size(), 2u);
  EXPECT_LE(object["quick"]["models"][0]["read_bytes"], 300 * 1024);
  EXPECT_GT(object["quick"]["models"][0]["tensor_bytes"], 1'000'000);
  EXPECT_THAT(object["notes"].dump(), HasSubstr("Quick answer from"));
  EXPECT_TRUE(Run("compare " + pair)["quick"].is_null());
}

TEST_F(FullProfile, AQuickAnswerFromTooLittleIsInconclusive) {
  const json object =
      Run("compare " + Sample("alder") + " " + Sample("birch") + " --quick --budget 60KiB");
  EXPECT_EQ(object["verdict"], "inconclusive");
  EXPECT_FALSE(object["quick"]["decided"]);
}

TEST_F(FullProfile, AQuickClassificationFindsTheParent) {
  Print("hazel");
  Print("elm");
  const json object =
      Run("classify " + Sample("hazel--sft1") + " --known . --quick --budget 300000");
  EXPECT_TRUE(object["known"]);
  EXPECT_EQ(object["best"]["name"], "hazel");
  EXPECT_TRUE(object["quick"]["decided"]);
}

}  // namespace
}  // namespace tensorguard::internal
