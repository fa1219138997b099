// `evaluate` on a list of pairs: the mechanics that real models of the Hub need.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/cli/served_hub.h"

namespace tensorguard::internal {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class RealPairs : public ServedHub {
 protected:
  RealPairs() {
    for (const char* name : {"alder", "alder--lora", "birch"}) {
      std::filesystem::create_directory_symlink(
          std::filesystem::absolute(std::string("examples/models/") + name), folder_.path() / name);
    }
    folder_.Write("pairs.json", R"({"schema": "tensorguard.pairs/1", "pairs": [
      {"a": "hf://org/alder", "b": "hf://org/alder--lora", "relation": "derived",
       "kind": "fine-tuning", "source": "examples/README.md"},
      {"a": "hf://org/birch", "b": "hf://org/alder", "relation": "independent",
       "kind": "same shapes", "source": "examples/README.md"}]})");
  }

  json Evaluate(const std::string& options, int status = 0) {
    const ProgramRun run = Run("tensorguard evaluate pairs.json --json " + options);
    EXPECT_EQ(run.status, status) << run.messages;
    return json::parse(run.output, nullptr, /*allow_exceptions=*/false);
  }

  size_t RequestsOf(const std::string& model) const {
    size_t count = 0;
    for (const ServerRequest& request : hub_.requests()) {
      count += request.target.find("/org/" + model + "/") != std::string::npos;
    }
    return count;
  }
};

TEST_F(RealPairs, AreHeldAgainstWhatIsKnown) {
  for (const char* options : {"", "--quick --budget 400KB"}) {
    const json report = Evaluate(options);
    EXPECT_EQ(report["total"]["derived"], 1);
    EXPECT_EQ(report["total"]["independent"], 1);
    EXPECT_EQ(report["total"]["auc"], 1.0);
    EXPECT_EQ(report["pairs"][0]["model"], "hf://org/alder");
    EXPECT_EQ(report["pairs"][0]["verdict"], "derived");
    EXPECT_EQ(report["pairs"][1]["verdict"], "independent");
    EXPECT_EQ(report["kinds"]["fine-tuning"]["found"], 1);
    EXPECT_EQ(report["nearest_base"]["asked"], 0);
  }
  const ProgramRun text = Run("tensorguard evaluate pairs.json");
  EXPECT_THAT(text.output, HasSubstr("found at no false positive"));
}

TEST_F(RealPairs, GoOnWhereTheyWereInterrupted) {
  std::atomic<bool> birch_is_down = true;
  instead_ = [&](const ServerRequest& request) -> std::optional<ServerReply> {
    if (birch_is_down && request.target.find("/birch") != std::string::npos) {
      return ServerReply{Answer("404 Not Found")};
    }
    return {};
  };
  for (const char* options : {"--keep kept", "--keep kept --quick --budget 400KB"}) {
    birch_is_down = true;
    json report = Evaluate(options, 2);
    EXPECT_EQ(report["pairs"][0]["verdict"], "derived");
    EXPECT_EQ(report["pairs"][1]["verdict"], "error");
    EXPECT_EQ(report["errors"].size(), 1U);

    birch_is_down = false;
    const size_t before = RequestsOf("alder--lora");
    report = Evaluate(options);
    EXPECT_EQ(report["pairs"][0]["verdict"], "derived");
    EXPECT_EQ(report["pairs"][1]["verdict"], "independent");
    EXPECT_EQ(RequestsOf("alder--lora"), before) << "an answer that was kept was asked for again";
    const json without_asking = Evaluate(options);
    EXPECT_EQ(without_asking, report);
  }
  const json answers = json::parse(Contents(folder_.path() / "kept/answers.json"));
  EXPECT_EQ(answers.size(), 4U);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() /
                                      "kept/hf_3a_2f_2forg_2fbirch.fingerprint.safetensors"));
}

TEST_F(RealPairs, AreReadByAFingerprintOnceEach) {
  Evaluate("");
  size_t listings = 0;
  for (const ServerRequest& request : hub_.requests()) {
    listings += request.target.starts_with("/api/models/org/alder/");
  }
  EXPECT_LE(listings, 1U);
}

TEST_F(RealPairs, WaitAsTheHubAsks) {
  std::atomic<int> refused = 0;
  instead_ = [&](const ServerRequest& request) -> std::optional<ServerReply> {
    const bool is_config = request.target.ends_with("/config.json");
    if (!is_config || refused >= 2) return {};
    ++refused;
    return ServerReply{Answer("429 Too Many Requests", "Retry-After: 1\r\n")};
  };
  const json report = Evaluate("");
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(report["pairs"][0]["verdict"], "derived");
}

TEST_F(RealPairs, RefuseAnswersThatWereTamperedWith) {
  folder_.Write("kept/answers.json", R"([{"a": "x", "b": "y", "verdict": 3}])");
  EXPECT_THAT(Evaluate("--keep kept", 2)["error"]["file"], "kept/answers.json");
}

TEST_F(RealPairs, AreForTheFullProfileAndOptionsForThem) {
  EXPECT_THAT(Evaluate("--profile paper", 2)["error"]["problem"], HasSubstr("full profile"));
  folder_.Write("truth.json", "[]");
  const ProgramRun run = Run("tensorguard evaluate truth.json --keep kept");
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.messages, HasSubstr("--quick and --keep are for lists of pairs"));
}

}  // namespace
}  // namespace tensorguard::internal
