// Models of a Hub that is played by a server here, whose large files lie on another one.
#include "places/hub.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "places/test_places.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/test_server.h"

namespace tensorguard {
namespace {

namespace fs = std::filesystem;

const std::string kCommit(40, 'a');
const std::string kSha256(64, 'b');
constexpr size_t kSizeBytes = 200'000;

class HubTest : public testing::Test {
 protected:
  ServerReply AnswerAsHub(const ServerRequest& request) {
    const std::string api = "/api/models/org/name/revision/";
    if (request.target.starts_with(api + "main?") || request.target.starts_with(api + "v%2F1?")) {
      ++listings_;
      return {Answer("200 OK", "Content-Type: application/json\r\n", listing_)};
    }
    if (request.target.starts_with(api)) {
      return {Answer("404 Not Found", "X-Error-Code: RevisionNotFound\r\n")};
    }
    if (request.target.starts_with("/api/models/org/gated/")) {
      return {Answer("403 Forbidden",
                     "X-Error-Code: GatedRepo\r\nX-Error-Message: ask \x1b[31mfor it\r\n")};
    }
    if (request.target == "/org/name/resolve/" + kCommit + "/config.json") {
      return {AnswerWithRange(request, "{}", "\"small\"")};
    }
    if (request.target == "/org/name/resolve/" + kCommit + "/a%20b/model.safetensors") {
      return {Answer("302 Found", fmt::format("X-Linked-ETag: \"{}\"\r\nLocation: {}\r\n", linked_,
                                              store_.Url("/blob?signature=1")))};
    }
    return {Answer("401 Unauthorized", "X-Error-Code: RepoNotFound\r\n")};
  }

  PlaceOptions Options() {
    PlaceOptions options = FastOptions();
    options.hub_endpoint = hub_.Url("");
    options.hub_token = "hf_secret";
    return options;
  }

  const std::string contents_ = Pattern(kSizeBytes);
  std::string linked_ = kSha256;
  std::string listing_ = fmt::format(
      R"({{"id": "org/name", "sha": "{}", "siblings": [{{"rfilename": "config.json", "size": 2}},
          {{"rfilename": "a b/model.safetensors", "size": {}, "lfs": {{"sha256": "{}"}}}}]}})",
      kCommit, kSizeBytes, kSha256);
  std::atomic<int> listings_ = 0;
  TestServer store_{[this](const ServerRequest& request) -> ServerReply {
    return {AnswerWithRange(request, contents_, "\"xet\"")};
  }};
  TestServer hub_{[this](const ServerRequest& request) { return AnswerAsHub(request); }};
};

TEST_F(HubTest, ReadsFilesOfOneCommit) {
  const auto places = PlacesWith(Options());
  const auto root = places->Locate("hf://org/name");
  ASSERT_TRUE(root) << DescribeError(root.error());
  EXPECT_TRUE(*places->IsFolder(*root));
  EXPECT_THAT(*places->FilesIn(*root), testing::ElementsAre("config.json"));
  EXPECT_THAT(*places->FoldersIn(*root), testing::ElementsAre("a b"));
  EXPECT_TRUE(*places->IsFolder(*root / "a b"));
  EXPECT_FALSE(*places->Exists(*root / "none"));
  EXPECT_EQ(*ReadSmallFile(*places, *root / "config.json", 100), "{}");
  const auto bytes = ReadAll(*places, "hf://org/name/a b/model.safetensors");
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_TRUE(*bytes == contents_);
  EXPECT_EQ(listings_, 1);
  EXPECT_TRUE(places->Locate("hf://org/name@v%2F1"));
}

TEST_F(HubTest, KeepsTheTokenToItself) {
  const auto bytes = ReadAll(*PlacesWith(Options()), "hf://org/name/a b/model.safetensors");
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  ASSERT_FALSE(hub_.requests().empty());
  for (const ServerRequest& request : hub_.requests()) {
    EXPECT_EQ(request.Header("authorization"), "Bearer hf_secret");
  }
  ASSERT_FALSE(store_.requests().empty());
  for (const ServerRequest& request : store_.requests()) {
    EXPECT_EQ(request.headers.count("authorization"), 0u);
  }
}

TEST_F(HubTest, SaysWhyItIsRefused) {
  const auto places = PlacesWith(Options());
  const auto gated = places->Locate("hf://org/gated");
  ASSERT_FALSE(gated);
  EXPECT_EQ(gated.error().problem, "the model is gated (403)");
  const std::string text = DescribeError(gated.error());
  EXPECT_THAT(text, testing::HasSubstr("HF_TOKEN"));
  EXPECT_THAT(text, testing::HasSubstr("for it"));
  EXPECT_EQ(text.find('\x1b'), text.npos);
  EXPECT_EQ(text.find("hf_secret"), text.npos);
  EXPECT_EQ(places->Locate("hf://org/name@none").error().problem, "the model has no such revision");
  EXPECT_EQ(places->Locate("hf://org/none").error().problem, "access is refused (401)");
  EXPECT_EQ(OpenAt(*places, "hf://org/name/none").error().problem, "the model has no such file");
}

TEST_F(HubTest, NoticesAnotherFile) {
  linked_ = std::string(64, 'c');
  const auto other = ReadAll(*PlacesWith(Options()), "hf://org/name/a b/model.safetensors");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().problem, "file changed while it was read");
  linked_ = kSha256;
  listing_ = fmt::format(R"({{"sha": "{}", "siblings": [{{"rfilename": "config.json",
                             "size": 3}}]}})",
                         kCommit);
  const auto longer = ReadAll(*PlacesWith(Options()), "hf://org/name/config.json");
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().problem, "file is not as long as was announced");
}

TEST_F(HubTest, UsesAWholeModelInTheCacheAndNoPart) {
  const ScratchFolder cache;
  const std::string folder = "models--org--name/";
  const std::string snapshot = folder + "snapshots/" + kCommit + "/";
  cache.Write(folder + "refs/main", kCommit + "\n");
  cache.Write(snapshot + "config.json", "{}");
  PlaceOptions options = Options();
  options.hub_cache = cache.path();
  EXPECT_EQ(PlacesWith(options)->Locate("hf://org/name")->string(), "hf://org/name");
  cache.Write(snapshot + "model.safetensors", std::string("\x02\0\0\0\0\0\0\0{}", 10));
  EXPECT_EQ(PlacesWith(options)->Locate("hf://org/name")->string(), "hf://org/name");
  const int asked = listings_;
  cache.Write(snapshot + "tokenizer.json", "{}");
  EXPECT_EQ(*PlacesWith(options)->Locate("hf://org/name"),
            cache.path() / (snapshot.substr(0, snapshot.size() - 1)));
  EXPECT_EQ(*PlacesWith(options)->Locate("hf://org/name@" + kCommit + "/model.safetensors"),
            cache.path() / (snapshot + "model.safetensors"));
  EXPECT_EQ(listings_, asked);  // not asked
  options.offline = true;
  EXPECT_TRUE(PlacesWith(options)->Locate("hf://org/name"));
  const auto other = PlacesWith(options)->Locate("hf://org/other");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kNotFound);
}

TEST(ParseHubListing, RefusesWhatIsNoListing) {
  const std::string sha = "\"sha\": \"" + kCommit + "\"";
  for (const std::string& text :
       {std::string(""), std::string("[]"), std::string("{}"), "{" + sha + "}",
        std::string(R"({"sha": "main", "siblings": []})"), "{" + sha + R"(, "siblings": [1]})",
        "{" + sha + R"(, "siblings": [{"rfilename": 1}]})",
        "{" + sha + R"(, "siblings": [{"rfilename": "../x"}]})",
        "{" + sha + R"(, "siblings": [{"rfilename": "/etc/passwd"}]})",
        "{" + sha + R"(, "siblings": [{"rfilename": ""}]})"}) {
    EXPECT_FALSE(ParseHubListing(text)) << text;
  }
  EXPECT_TRUE(ParseHubListing("{" + sha + R"(, "siblings": []})"));
}

TEST(Places, RefusesATokenThatIsMoreThanOneHeader) {
  PlaceOptions options = FastOptions();
  options.hub_token = "a\r\nX-Other: b";
  EXPECT_FALSE(Places::Create(options));
}

}  // namespace
}  // namespace tensorguard
