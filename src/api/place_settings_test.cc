// The variables that huggingface_hub and Amazon's tools read, in their order.
#include "api/place_settings.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using Variables = std::map<std::string, std::string>;

PlaceOptions OptionsWith(const Variables& variables) {
  return PlaceOptionsFrom([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(PlaceOptionsFrom, NothingSet) {
  const PlaceOptions options = OptionsWith({});
  EXPECT_EQ(options.hub_endpoint, "https://huggingface.co");
  EXPECT_EQ(options.hub_token, "");
  EXPECT_EQ(options.hub_cache, "");
  EXPECT_FALSE(options.offline);
  EXPECT_EQ(options.s3_region, "us-east-1");
  EXPECT_EQ(options.s3_endpoint, "");
  EXPECT_EQ(options.remote.fetch.temporary_folder, "/tmp");
}

TEST(PlaceOptionsFrom, Endpoints) {
  EXPECT_EQ(OptionsWith({{"HF_ENDPOINT", "https://mirror"}}).hub_endpoint, "https://mirror");
  EXPECT_EQ(OptionsWith({{"HF_ENDPOINT", ""}}).hub_endpoint, "https://huggingface.co");
  const Variables regions = {{"AWS_REGION", "a"}, {"AWS_DEFAULT_REGION", "b"}};
  EXPECT_EQ(OptionsWith(regions).s3_region, "a");
  EXPECT_EQ(OptionsWith({{"AWS_DEFAULT_REGION", "b"}}).s3_region, "b");
  const Variables stores = {{"AWS_ENDPOINT_URL_S3", "a"}, {"AWS_ENDPOINT_URL", "b"}};
  EXPECT_EQ(OptionsWith(stores).s3_endpoint, "a");
  EXPECT_EQ(OptionsWith({{"AWS_ENDPOINT_URL", "b"}}).s3_endpoint, "b");
  EXPECT_EQ(OptionsWith({{"TMPDIR", "/large"}}).remote.fetch.temporary_folder, "/large");
}

TEST(PlaceOptionsFrom, TheToken) {
  const ScratchFolder folder;
  const std::string home = folder.path().string();
  const std::string other = folder.Write("other", "  hf_other\n").string();
  folder.Write("token", "hf_home\r\n");
  const auto token = [&](Variables more) {
    more.emplace("HF_HOME", home);
    return OptionsWith(more).hub_token;
  };
  EXPECT_EQ(token({}), "hf_home");
  EXPECT_EQ(token({{"HF_TOKEN_PATH", other}}), "hf_other");
  EXPECT_EQ(token({{"HUGGING_FACE_HUB_TOKEN", "hf_old"}, {"HF_TOKEN_PATH", other}}), "hf_old");
  EXPECT_EQ(token({{"HF_TOKEN", " hf_new\n"}, {"HUGGING_FACE_HUB_TOKEN", "hf_old"}}), "hf_new");
  EXPECT_EQ(token({{"HF_TOKEN", ""}, {"HUGGING_FACE_HUB_TOKEN", "hf_old"}}), "hf_old");
  EXPECT_EQ(token({{"HF_HUB_DISABLE_IMPLICIT_TOKEN", "true"}}), "");
  EXPECT_EQ(token({{"HF_TOKEN_PATH", home + "/none"}}), "");
  folder.Write("token", std::string(5000, 'a'));  // no token is that long
  EXPECT_EQ(token({}), "");
}

TEST(PlaceOptionsFrom, TheCache) {
  EXPECT_EQ(OptionsWith({{"HOME", "/u"}}).hub_cache, "/u/.cache/huggingface/hub");
  Variables variables = {{"HOME", "/u"}, {"XDG_CACHE_HOME", "/x"}};
  EXPECT_EQ(OptionsWith(variables).hub_cache, "/x/huggingface/hub");
  variables["HF_HOME"] = "/h";
  EXPECT_EQ(OptionsWith(variables).hub_cache, "/h/hub");
  variables["HUGGINGFACE_HUB_CACHE"] = "/old";
  EXPECT_EQ(OptionsWith(variables).hub_cache, "/old");
  variables["HF_HUB_CACHE"] = "/new";
  EXPECT_EQ(OptionsWith(variables).hub_cache, "/new");
}

TEST(PlaceOptionsFrom, Certificates) {
  const auto file = [](const Variables& variables) {
    return OptionsWith(variables).remote.http.certificates_file;
  };
  EXPECT_EQ(file({}), "");
  EXPECT_EQ(file({{"SSL_CERT_FILE", "/c"}}), "/c");
  EXPECT_EQ(file({{"SSL_CERT_FILE", "/c"}, {"CURL_CA_BUNDLE", "/b"}}), "/b");
  EXPECT_EQ(file({{"CURL_CA_BUNDLE", "/b"}, {"REQUESTS_CA_BUNDLE", "/a"}}), "/a");
}

TEST(PlaceOptionsFrom, Offline) {
  for (const char* on : {"1", "on", "Yes", "TRUE"}) {
    EXPECT_TRUE(OptionsWith({{"HF_HUB_OFFLINE", on}}).offline) << on;
  }
  for (const char* off : {"", "0", "no", "false", "2"}) {
    EXPECT_FALSE(OptionsWith({{"HF_HUB_OFFLINE", off}}).offline) << off;
  }
}

}  // namespace
}  // namespace tensorguard::internal
