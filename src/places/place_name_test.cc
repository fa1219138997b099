#include "places/place_name.h"

#include <gtest/gtest.h>

#include "places/http/http_answers.h"

namespace tensorguard::internal {
namespace {

TEST(ParsePlaceName, ReadsModelsOnTheHub) {
  struct Row {
    std::string text, repository, revision, file, root;
  };
  const Row rows[] = {
      {"hf://org/name", "org/name", "main", "", "hf://org/name"},
      {"hf://org/name/", "org/name", "main", "", "hf://org/name"},
      {"HF://gpt2", "gpt2", "main", "", "hf://gpt2"},
      {"hf://org/name@v1.0", "org/name", "v1.0", "", "hf://org/name@v1.0"},
      {"hf://org/name@main/a/b.gguf", "org/name", "main", "a/b.gguf", "hf://org/name"},
      {"hf://org/name/a@2x.gguf", "org/name", "main", "a@2x.gguf", "hf://org/name"},
      {"hf://org/name@feature%2Fx/f", "org/name", "feature/x", "f", "hf://org/name@feature%2Fx"},
      {"hf://org/name@refs/pr/7/f", "org/name", "refs/pr/7", "f", "hf://org/name@refs/pr/7"},
      {"hf://org/name@refs/pr/a%2Fb/f", "org/name", "refs/pr/a/b", "f",
       "hf://org/name@refs/pr/a%2Fb"},
  };
  for (const Row& row : rows) {
    const auto place = ParsePlaceName(row.text);
    ASSERT_TRUE(place) << row.text << DescribeError(place.error());
    const auto& name = std::get<HubPlace>(*place);
    EXPECT_EQ(name.repository, row.repository) << row.text;
    EXPECT_EQ(name.revision, row.revision) << row.text;
    EXPECT_EQ(name.file, row.file) << row.text;
    EXPECT_EQ(name.Root(), row.root) << row.text;
    const auto again = ParsePlaceName(name.Root());
    EXPECT_EQ(std::get<HubPlace>(*again).revision, row.revision) << row.text;
  }
}

TEST(ParsePlaceName, RefusesWhatIsNoPlace) {
  for (const std::string text : {"hf://",
                                 "hf://../name",
                                 "hf://org/na me",
                                 "hf://org/name@",
                                 "hf://org/name@..",
                                 "hf://org/name@%zz",
                                 "hf://org/name@a%2F..%2Fb",
                                 "hf://org/name/../x",
                                 "hf://org/name/a//b",
                                 "hf://datasets/org/name",
                                 "hf://spaces/org/name",
                                 "http://",
                                 "https://user:word@host/f",
                                 "https://host/\x01",
                                 "s3://bucket",
                                 "s3:///key",
                                 "s3://b@d/key",
                                 "file://host/path",
                                 "file:///a%00b",
                                 "file:///%",
                                 "ftp://host/file",
                                 "gs://bucket/key"}) {
    const auto place = ParsePlaceName(text);
    ASSERT_FALSE(place) << text;
    EXPECT_EQ(place.error().kind, ErrorKind::kUsage) << text;
    EXPECT_EQ(DescribeError(place.error()).find("word"), std::string::npos);
  }
}

TEST(ParsePlaceName, ReadsUrlsOfTheWeb) {
  const auto place = ParsePlaceName("https://Host:8443/a%20b/m.safetensors?sign=1#part");
  ASSERT_TRUE(place);
  const auto& name = std::get<WebPlace>(*place);
  EXPECT_FALSE(name.is_folder);
  EXPECT_TRUE(name.path.ends_with("/a b/m.safetensors")) << name.path;
  EXPECT_TRUE(name.url.text().ends_with("/a%20b/m.safetensors?sign=1")) << name.url.text();
  EXPECT_EQ(name.url.origin(), "https://host:8443");
  EXPECT_TRUE(std::get<WebPlace>(*ParsePlaceName("http://host")).is_folder);
  EXPECT_TRUE(std::get<WebPlace>(*ParsePlaceName("http://host/a/")).is_folder);
}

TEST(ParsePlaceName, ReadsLocalPaths) {
  EXPECT_EQ(std::get<LocalPlace>(*ParsePlaceName("a/b")).path, "a/b");
  EXPECT_EQ(std::get<LocalPlace>(*ParsePlaceName("./a://b")).path, "./a://b");
  EXPECT_EQ(std::get<LocalPlace>(*ParsePlaceName("file:///a%20b")).path, "/a b");
  EXPECT_EQ(std::get<LocalPlace>(*ParsePlaceName("file://localhost/a")).path, "/a");
  EXPECT_EQ(std::get<S3Place>(*ParsePlaceName("s3://bucket/a/b.gguf")).key, "a/b.gguf");
}

TEST(LastPartOf, IsTheModelsName) {
  EXPECT_EQ(LastPartOf("hf://org/name@v1"), "name");
  EXPECT_EQ(LastPartOf("hf://org/name@v1/sub/m.gguf"), "m.gguf");
  EXPECT_EQ(LastPartOf("https://host/a/m%2D1.safetensors?x=/y"), "m-1.safetensors");
  EXPECT_EQ(LastPartOf("https://host/a/"), "a");
  EXPECT_EQ(LastPartOf("s3://bucket/a/m.gguf"), "m.gguf");
  EXPECT_EQ(LastPartOf("file:///a/m.gguf"), "m.gguf");
  EXPECT_EQ(LastPartOf("a/m.gguf"), "");
}

TEST(Url, ResolvesRedirects) {
  const auto base = Url::Parse("https://host/a/b?x=1");
  ASSERT_TRUE(base);
  EXPECT_EQ(base->Resolve("/c")->text(), "https://host/c");
  EXPECT_EQ(base->Resolve("c?d")->text(), "https://host/a/c?d");
  EXPECT_EQ(base->Resolve("//other/c")->origin(), "https://other:443");
  EXPECT_EQ(base->Resolve("http://host/c")->is_https(), false);
  for (const std::string bad : {"file:///etc/passwd", "ftp://host/f", "javascript:x", "",
                                "https://user@host/", "gopher://host/"}) {
    EXPECT_FALSE(base->Resolve(bad)) << bad;
  }
}

TEST(ParseContentRange, TakesOnlyWhatIsWhole) {
  const auto range = ParseContentRange("bytes 10-19/100");
  ASSERT_TRUE(range && range->range);
  EXPECT_EQ(range->range->begin, 10u);
  EXPECT_EQ(range->range->end, 20u);
  EXPECT_EQ(range->size_bytes, 100u);
  EXPECT_EQ(ParseContentRange("bytes */0")->size_bytes, 0u);
  for (const std::string bad :
       {"", "bytes", "bytes 1-2", "bytes 2-1/9", "bytes 0-9/9", "bytes 0-1/*", "items 0-1/9",
        "bytes -1-2/9", "bytes 0-18446744073709551616/9", "bytes 0-1/9 ", "bytes 0-/9"}) {
    EXPECT_FALSE(ParseContentRange(bad)) << bad;
  }
}

}  // namespace
}  // namespace tensorguard::internal
