// Models named by URL: the same results as from this machine's files, with few bytes read.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/cli/served_hub.h"
#include "tests/support/safetensors_builder.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

using PlacesTest = ServedHub;

TEST_F(PlacesTest, AModelOnTheHubHasTheFingerprintOfItsFiles) {
  const auto local = Run("tensorguard fingerprint tiny -o local.fingerprint.safetensors");
  ASSERT_EQ(local.status, 0) << local.messages;
  const std::string expected = Contents(folder_.path() / "local.fingerprint.safetensors");
  ASSERT_FALSE(expected.empty());
  for (const std::string& model :
       {std::string("hf://org/tiny"), std::string("hf://org/tiny@main"), store_.Url("/tiny/")}) {
    const auto remote =
        Run(fmt::format("tensorguard fingerprint '{}' -o remote.fingerprint.safetensors", model));
    ASSERT_EQ(remote.status, 0) << remote.messages;
    EXPECT_TRUE(Contents(folder_.path() / "remote.fingerprint.safetensors") == expected) << model;
  }
  const auto paper =
      Run("tensorguard fingerprint tiny --profile paper -o local.json && "
          "tensorguard fingerprint hf://org/tiny --profile paper -o remote.json && "
          "cmp local.json remote.json");
  EXPECT_EQ(paper.status, 0) << paper.output << paper.messages;
}

TEST_F(PlacesTest, AnAdapterOnTheHubIsMergedIntoABaseThere) {
  const auto run = Run(
      "tensorguard fingerprint lora --base tiny -o a.fingerprint.safetensors && "
      "tensorguard fingerprint hf://org/lora --base hf://org/tiny -o b.fingerprint.safetensors && "
      "cmp a.fingerprint.safetensors b.fingerprint.safetensors");
  EXPECT_EQ(run.status, 0) << run.output << run.messages;
}

TEST_F(PlacesTest, OutputsAreNamedByTheModel) {
  const auto run = Run("tensorguard fingerprint hf://org/tiny@main && ls");
  ASSERT_EQ(run.status, 0) << run.messages;
  EXPECT_THAT(run.output, testing::HasSubstr("tiny.fingerprint.safetensors"));
}

TEST_F(PlacesTest, InspectReadsHeadersOnly) {
  const uint64_t rows = 4096;
  folder_.Write("large/model.safetensors",
                BuildSafetensors({{.name = "model.embed_tokens.weight",
                                   .dtype = "F32",
                                   .shape = {rows, 256},
                                   .data = std::string(rows * 256 * 4, '\0')}}));
  const auto run = Run("tensorguard inspect hf://org/large --json");
  ASSERT_EQ(run.status, 0) << run.messages;
  EXPECT_EQ(Json::parse(run.output)["parameters"], rows * 256);
  uint64_t asked = 0;
  for (const ServerRequest& request : store_.requests()) {
    const auto range = request.Range();
    ASSERT_TRUE(range);
    asked += range->second - range->first;
  }
  EXPECT_GT(asked, 0u);
  EXPECT_LE(asked, 128u << 10);  // of 4 MiB
}

TEST_F(PlacesTest, AQuickAnswerReadsNoMoreThanItsBudget) {
  const uint64_t rows = 8192;
  for (const char* name : {"first", "second"}) {
    folder_.Write(fmt::format("{}/model.safetensors", name),
                  BuildSafetensors({{.name = "model.embed_tokens.weight",
                                     .dtype = "F32",
                                     .shape = {rows, 128},
                                     .data = std::string(rows * 128 * 4, *name)}}));
    folder_.Write(fmt::format("{}/tokenizer.json", name),
                  Contents(folder_.path() / "tiny/tokenizer.json"));
    folder_.Write(fmt::format("{}/config.json", name),
                  Contents(folder_.path() / "tiny/config.json"));
  }
  const auto run =
      Run("tensorguard compare hf://org/first hf://org/second --quick --budget 400KiB --json");
  EXPECT_NE(run.output, "") << run.messages;
  uint64_t asked = 0;
  for (const ServerRequest& request : store_.requests()) {
    const auto range = request.Range();
    ASSERT_TRUE(range);
    asked += range->second - range->first;
  }
  EXPECT_GT(asked, 0u);
  // The budget is of tensors' bytes; a request has at least 32 KiB. Of 4 MiB in each of two models.
  EXPECT_LE(asked, 1u << 20) << run.output;
}

TEST_F(PlacesTest, FilesAreNamedByUrl) {
  fs::copy(folder_.path() / "tiny", folder_.path() / "a b%");
  const auto file =
      Run(fmt::format("tensorguard inspect 'file://{}/a%20b%25' --json", folder_.path().string()));
  ASSERT_EQ(file.status, 0) << file.messages;
  const uint64_t parameters = Json::parse(file.output)["parameters"];
  EXPECT_GT(parameters, 0u);
  for (const std::string& place :
       {store_.Url("/tiny/model.safetensors"), store_.Url("/tiny/model.safetensors?X-Amz-Sign=1"),
        std::string("s3://tiny/model.safetensors"), std::string("hf://org/tiny@main"),
        std::string("hf://org/tiny/model.safetensors")}) {
    const auto run = Run(fmt::format("AWS_ENDPOINT_URL_S3={} tensorguard inspect '{}' --json",
                                     store_.Url(""), place));
    ASSERT_EQ(run.status, 0) << place << run.messages;
    EXPECT_EQ(Json::parse(run.output)["parameters"], parameters) << place;
  }
}

TEST_F(PlacesTest, AnIndexNamesItsShardsBesideIt) {
  const auto shard = [&](const std::string& name) {
    return BuildSafetensors(
        {{.name = name, .dtype = "F32", .shape = {64, 8}, .data = std::string(64 * 8 * 4, 'a')}});
  };
  folder_.Write("shards/a.safetensors", shard("model.embed_tokens.weight"));
  folder_.Write("shards/b.safetensors", shard("lm_head.weight"));
  folder_.Write("shards/model.safetensors.index.json",
                R"({"weight_map": {"model.embed_tokens.weight": "a.safetensors",
                                   "lm_head.weight": "b.safetensors"}})");
  for (const std::string& place : {store_.Url("/shards/model.safetensors.index.json"),
                                   store_.Url("/shards/"), std::string("hf://org/shards")}) {
    const auto run = Run(fmt::format("tensorguard inspect '{}' --json", place));
    ASSERT_EQ(run.status, 0) << place << run.messages;
    EXPECT_EQ(Json::parse(run.output)["parameters"], 2 * 64 * 8) << place;
  }
  fs::remove(folder_.path() / "shards/b.safetensors");
  const auto cut = Run(fmt::format("tensorguard inspect '{}'", store_.Url("/shards/")));
  EXPECT_EQ(cut.status, 2);
  EXPECT_THAT(cut.messages, testing::HasSubstr("shards that the index names are missing"));
}

TEST_F(PlacesTest, ArchivesAndFoldersOfModelsAreToldByUrlToo) {
  const std::string gzip("\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\xAB\xAE\xE5\x02\x00", 15);
  folder_.Write("packed/m.tar.gz", gzip);
  for (const std::string& place :
       {std::string("packed/m.tar.gz"), std::string("packed"), store_.Url("/packed/m.tar.gz"),
        store_.Url("/packed/m.tar.gz?signature=1"), std::string("hf://org/packed"),
        std::string("hf://org/packed/m.tar.gz")}) {
    const auto run = Run(fmt::format("tensorguard inspect '{}'", place));
    EXPECT_EQ(run.status, 2) << place;
    EXPECT_THAT(run.messages, testing::HasSubstr("unpack it (tar -xzf FILE)")) << place;
  }
  folder_.Write("several/a\x1b.gguf", "");
  folder_.Write("several/b.gguf", "");
  const auto several = Run("tensorguard inspect several");
  EXPECT_EQ(several.status, 2);
  EXPECT_THAT(several.messages, testing::HasSubstr("found:    a\\x1b.gguf, b.gguf\n"));
  EXPECT_EQ(several.messages.find('\x1b'), std::string::npos);
  fs::remove(folder_.path() / "several/a\x1b.gguf");
  folder_.Write("several/c.gguf", "");
  const auto hub = Run("tensorguard inspect hf://org/several");
  EXPECT_EQ(hub.status, 2);
  EXPECT_THAT(hub.messages, testing::HasSubstr("found:    b.gguf, c.gguf\n"));
  EXPECT_THAT(hub.messages, testing::HasSubstr("hf://org/several/b.gguf"));
}

TEST_F(PlacesTest, TheTokenOfTheEnvironmentIsSent) {
  folder_.Write("home/token", "hf_file\n");
  ASSERT_EQ(Run("tensorguard inspect hf://org/tiny").status, 0);
  EXPECT_EQ(hub_.requests().back().Header("authorization"), "Bearer hf_file");
  ASSERT_EQ(Run("HF_TOKEN=hf_given tensorguard inspect hf://org/tiny").status, 0);
  EXPECT_EQ(hub_.requests().back().Header("authorization"), "Bearer hf_given");
  ASSERT_FALSE(store_.requests().empty());
  for (const ServerRequest& request : store_.requests()) {
    EXPECT_EQ(request.headers.count("authorization"), 0u);
  }
}

TEST_F(PlacesTest, ErrorsNameThePlace) {
  const auto missing = Run("tensorguard inspect hf://org/none");
  EXPECT_EQ(missing.status, 2) << missing.messages;
  EXPECT_THAT(missing.messages, testing::HasSubstr("hf://org/none: access is refused (401)"));
  EXPECT_THAT(missing.messages, testing::HasSubstr("HF_TOKEN"));
  const auto offline = Run("HF_HUB_OFFLINE=1 tensorguard inspect hf://org/tiny");
  EXPECT_EQ(offline.status, 2) << offline.messages;
  EXPECT_THAT(offline.messages, testing::HasSubstr("the Hub is not to be asked"));
  const auto unknown = Run("tensorguard inspect ftp://host/model");
  EXPECT_EQ(unknown.status, 2) << unknown.messages;
  EXPECT_THAT(unknown.messages, testing::HasSubstr("models are not read from such a place"));
}

}  // namespace
}  // namespace tensorguard::internal
