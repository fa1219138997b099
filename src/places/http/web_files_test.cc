// Files named by URL: their companions, their signatures, and objects in S3.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/patient_places.h"
#include "tests/support/test_server.h"

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;

TEST(WebFiles, AsksForTheUsualNamesBesideAFolder) {
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    if (request.target == "/a%20b/config.json") return {AnswerWithRange(request, "{}")};
    if (request.target == "/a%20b/broken.json") return {Answer("403 Forbidden")};
    return {Answer("404 Not Found")};
  });
  const auto places = PlacesWith(FastOptions());
  const auto folder = places->Locate(server.Url("/a%20b/"));
  ASSERT_TRUE(folder);
  EXPECT_EQ(folder->string(), server.Url("/a b"));
  EXPECT_TRUE(*places->IsFolder(*folder));
  const std::vector<std::string> likely = {"model.safetensors", "config.json"};
  const auto names = places->FilesIn(*folder, likely);
  ASSERT_TRUE(names) << DescribeError(names.error());
  EXPECT_THAT(*names, testing::ElementsAre("config.json"));
  EXPECT_FALSE(*places->Exists(*folder / "none.json"));
  EXPECT_FALSE(places->Exists(*folder / "broken.json"));  // not "there is none"
}

TEST(WebFiles, KeepASignatureToTheFileThatItBelongsTo) {
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    if (request.target == "/m.safetensors?X-Amz-Signature=abc") {
      return {AnswerWithRange(request, "text")};
    }
    return {Answer("403 Forbidden")};
  });
  const auto places = PlacesWith(FastOptions());
  const auto path = places->Locate(server.Url("/m.safetensors?X-Amz-Signature=abc"));
  ASSERT_TRUE(path);
  EXPECT_EQ(path->string(), server.Url("/m.safetensors"));
  EXPECT_TRUE(places->Open(*path));
  const auto expired = ReadAll(*places, server.Url("/m.safetensors?X-Amz-Signature=old"));
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().problem, "access is refused (403)");
  EXPECT_THAT(expired.error().advice, HasSubstr("a signature may have expired"));
  EXPECT_EQ(DescribeError(expired.error()).find("Signature=old"), std::string::npos);
  // A store that hides what is not there says "forbidden" of it.
  EXPECT_FALSE(*places->Exists(path->parent_path() / "config.json"));
  for (const ServerRequest& request : server.requests()) {
    EXPECT_TRUE(!request.target.starts_with("/config.json?")) << request.target;
  }
}

TEST(WebFiles, OfUrlsThatDifferInTheQueryAloneAreNotMixedUp) {
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    if (request.target == "/a/get?id=1") return {AnswerWithRange(request, "first")};
    if (request.target == "/a/get?id=2") return {AnswerWithRange(request, "second")};
    if (request.target == "/a/config.json") return {AnswerWithRange(request, "{}")};
    return {Answer("404 Not Found")};
  });
  const auto places = PlacesWith(FastOptions());
  const auto first = places->Locate(server.Url("/a/get?id=1"));
  const auto second = places->Locate(server.Url("/a/get?id=2"));
  EXPECT_EQ(first->string(), server.Url("/a/get"));
  EXPECT_EQ(second->string(), server.Url("/a/#2/get"));
  EXPECT_EQ(*places->Locate(server.Url("/a/get?id=1")), *first);
  EXPECT_EQ(*places->Locate(server.Url("/a/get?id=2")), *second);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(*ReadSmallFile(*places, *first, 100), "first");
    EXPECT_EQ(*ReadSmallFile(*places, *second, 100), "second");
  }
  EXPECT_TRUE(*places->Exists(second->parent_path() / "config.json"));
  EXPECT_FALSE(*places->Exists(second->parent_path() / "tokenizer.json"));
}

TEST(S3, ObjectsAreAskedForByBucketAndKey) {
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    if (request.target == "/bucket/a%20b/m.gguf") return {AnswerWithRange(request, "text")};
    return {Answer("403 Forbidden")};
  });
  PlaceOptions options = FastOptions();
  options.s3_endpoint = server.Url("");
  const auto places = PlacesWith(options);
  const auto bytes = ReadAll(*places, "s3://bucket/a b/m.gguf");
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_EQ(*bytes, "text");
  EXPECT_EQ(ReadAll(*places, "s3://bucket/secret").error().problem, "access is refused (403)");
}

}  // namespace
}  // namespace tensorguard::internal
