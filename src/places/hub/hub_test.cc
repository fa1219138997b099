// Models of a Hub that is played by a server here, whose large files lie on another one.
#include "places/hub/hub.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/patient_places.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/test_server.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

const std::string kCommit(40, 'a');
const std::string kSha256(64, 'b');
constexpr size_t kSizeBytes = 200'000;

class HubTest : public testing::Test {
 protected:
  ServerReply AnswerAsHub(const ServerRequest& request) {
    const std::string api = "/api/models/org/name/revision/";
    if (request.target.starts_with(api + "main?") || request.target.starts_with(api + "v%2F1?") ||
        request.target.starts_with(api + kCommit) ||
        request.target.starts_with(api + std::string(40, 'd'))) {
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
        "{" + sha + R"(, "siblings": [{"rfilename": "a/../../x"}]})",
        "{" + sha + R"(, "siblings": [{"rfilename": "a\u001b[31m"}]})",
        "{" + sha + R"(, "siblings": [{"rfilename": "a\u0000b"}]})",
        "{" + sha + R"(, "siblings": [{"rfilename": "a\nb"}]})",
        "{" + sha + R"(, "siblings": [{"rfilename": ""}]})"}) {
    EXPECT_FALSE(ParseHubListing(text)) << text;
  }
  EXPECT_TRUE(ParseHubListing("{" + sha + R"(, "siblings": []})"));
}

TEST_F(HubTest, RefusesAnotherCommitThanWasNamed) {
  const auto places = PlacesWith(Options());
  EXPECT_TRUE(places->Locate("hf://org/name@" + kCommit));
  const auto other = places->Locate("hf://org/name@" + std::string(40, 'd'));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().problem, "the Hub answers with another commit than was named");
}

TEST_F(HubTest, RefusesAListingWithoutEnd) {
  listing_ = "{\"sha\": \"" + kCommit + "\", \"siblings\": [";
  listing_ += std::string(kHubListingLimitBytes, ' ') + "]}";
  const auto places = PlacesWith(Options());
  const auto root = places->Locate("hf://org/name");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().kind, ErrorKind::kUnsupported);
  EXPECT_LE(places->received_bytes(), kHubListingLimitBytes + (1 << 20));
}

TEST(ParseHubListing, LimitsTheNumberOfFiles) {
  std::string text = "{\"sha\": \"" + kCommit + "\", \"siblings\": [";
  for (size_t i = 0; i <= kMostHubFiles; ++i) {
    text += fmt::format("{}{{\"rfilename\":\"{}\"}}", i == 0 ? "" : ",", i);
  }
  const auto listing = ParseHubListing(text + "]}");
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().kind, ErrorKind::kUnsupported);
}

// huggingface_hub's layout: a snapshot's files are links to blobs, which are called by their hash.
TEST_F(HubTest, FollowsTheCachesLinks) {
  const ScratchFolder cache;
  const std::string folder = "models--org--name/";
  const fs::path snapshot = cache.path() / folder / "snapshots" / kCommit;
  fs::create_directories(snapshot);
  cache.Write(folder + "refs/main", kCommit);
  cache.Write(folder + "blobs/1", "{}");
  for (const char* name : {"config.json", "tokenizer.json"}) {
    fs::create_symlink("../../blobs/1", snapshot / name);
  }
  fs::create_symlink("../../blobs/2", snapshot / "model.safetensors");  // not fetched
  PlaceOptions options = Options();
  options.hub_cache = cache.path();
  EXPECT_EQ(PlacesWith(options)->Locate("hf://org/name")->string(), "hf://org/name");
  const std::string weights("\x02\0\0\0\0\0\0\0{}", 10);
  cache.Write(folder + "blobs/2", weights);
  const auto places = PlacesWith(options);
  EXPECT_EQ(*places->Locate("hf://org/name"), snapshot);
  EXPECT_EQ(*ReadSmallFile(*places, snapshot / "model.safetensors", 100), weights);
  // As huggingface_hub does: where blobs lie is the user's choice.
  const ScratchFolder elsewhere;
  fs::remove(snapshot / "model.safetensors");
  fs::create_symlink(elsewhere.Write("blob", weights), snapshot / "model.safetensors");
  EXPECT_EQ(*PlacesWith(options)->Locate("hf://org/name"), snapshot);
}

TEST_F(HubTest, SaysTheDigestsOfLargeFiles) {
  const auto places = PlacesWith(Options());
  const auto weights = places->StatedContentOf("hf://org/name/a b/model.safetensors");
  ASSERT_TRUE(weights) << DescribeError(weights.error());
  ASSERT_TRUE(*weights);
  EXPECT_EQ((*weights)->sha256, kSha256);
  EXPECT_EQ((*weights)->bytes, kSizeBytes);
  EXPECT_FALSE(*places->StatedContentOf("hf://org/name/config.json"));
  const auto none = places->StatedContentOf("hf://org/name/none");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(store_.requests().empty());  // nothing was read
}

// A name says something in the cache alone: anybody may give a file any name elsewhere.
TEST_F(HubTest, SaysTheDigestsOfFilesInItsCache) {
  const ScratchFolder cache;
  const std::string folder = "models--org--name/";
  const fs::path snapshot = cache.path() / folder / "snapshots" / kCommit;
  fs::create_directories(snapshot);
  cache.Write(folder + "blobs/" + kSha256, "12345");
  cache.Write(folder + "blobs/" + kCommit, "{}");  // git's name
  fs::create_symlink("../../blobs/" + kSha256, snapshot / "model.safetensors");
  fs::create_symlink("../../blobs/" + kCommit, snapshot / "config.json");
  PlaceOptions options = Options();
  options.hub_cache = cache.path();
  const auto places = PlacesWith(options);
  const auto weights = places->StatedContentOf(snapshot / "model.safetensors");
  ASSERT_TRUE(weights && *weights);
  EXPECT_EQ((*weights)->sha256, kSha256);
  EXPECT_EQ((*weights)->bytes, 5u);
  EXPECT_FALSE(*places->StatedContentOf(snapshot / "config.json"));
  EXPECT_FALSE(*places->StatedContentOf(snapshot / "none"));
  const ScratchFolder elsewhere;
  const auto forged = elsewhere.Write(folder + "blobs/" + kSha256, "forged");
  EXPECT_FALSE(*places->StatedContentOf(forged));
  EXPECT_FALSE(*PlacesWith(Options())->StatedContentOf(forged));  // without a cache
}

TEST_F(HubTest, ReferencesOfTheCacheStayInside) {
  const ScratchFolder cache;
  PlaceOptions options = Options();
  options.hub_cache = cache.path();
  for (const std::string reference : {"../../../etc", "/etc", "", "main", "AAAA"}) {
    cache.Write("models--org--name/refs/main", reference);
    const auto root = PlacesWith(options)->Locate("hf://org/name");
    ASSERT_FALSE(root) << reference;
    EXPECT_EQ(root.error().problem, "reference does not name a commit");
  }
}

TEST(Places, RefusesATokenThatIsMoreThanOneHeader) {
  PlaceOptions options = FastOptions();
  options.hub_token = "a\r\nX-Other: b";
  EXPECT_FALSE(Places::Create(options));
}

}  // namespace
}  // namespace tensorguard::internal
