// What a registry does, on SQLite and on PostgreSQL alike.
#include "registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "registry/exchange.h"
#include "registry/known_files.h"
#include "registry/models.h"
#include "registry/state.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/stored_fingerprints.h"
#include "tests/support/test_postgres.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const Stamp kNow = {.at = 1'800'000'000, .who = "tester"};

// Makes as many empty registries as are asked for.
using Maker = std::function<std::unique_ptr<Registry>()>;

std::unique_ptr<Registry> Made(const std::string& place, const RegistryOptions& options = {}) {
  auto registry = Registry::Create(place, options, kNow);
  EXPECT_TRUE(registry) << (registry ? "" : DescribeError(registry.error()));
  return registry ? *std::move(registry) : nullptr;
}

AddedModel Add(Registry& registry, uint32_t toy, const NewModel& model = {}) {
  auto added = AddModel(registry, PreparedToy(toy), model, kNow);
  EXPECT_TRUE(added) << (added ? "" : DescribeError(added.error()));
  return added ? *std::move(added) : AddedModel();
}

std::vector<std::string> NamesIn(Registry& registry, bool all = false) {
  const auto models = ListModels(registry, {.all_states = all});
  EXPECT_TRUE(models);
  std::vector<std::string> names;
  for (const ModelRecord& each : *models) names.push_back(each.name);
  return names;
}

void IsClean(Registry& registry) {
  const auto found = VerifyRegistry(registry, false, kNow);
  ASSERT_TRUE(found) << DescribeError(found.error());
  for (const Fault& each : found->faults) ADD_FAILURE() << each.problem << " " << each.subject;
  EXPECT_TRUE(found->leftovers.empty());
}

void KeepsModels(const Maker& make) {
  const auto registry = make();
  const auto first = Add(*registry, 1, {.name = "first", .source = "hf://a/b"});
  EXPECT_EQ(first.addition, Addition::kAdded);
  Add(*registry, 2, {.licenses = {{.place = "person", .license = "mit"}}});
  EXPECT_THAT(NamesIn(*registry), ElementsAre("first", "toy2"));
  const auto found = FindModel(*registry, "toy2");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->layers, 2u);
  EXPECT_EQ(found->parameters, 123'456u);
  EXPECT_EQ(found->added.at, kNow.at);
  const auto details = DetailsOf(*registry, *found);
  ASSERT_TRUE(details);
  ASSERT_EQ(details->licenses.size(), 1u);
  EXPECT_EQ(details->licenses[0].license, "mit");
  const auto print = FingerprintOfModel(*registry, *found);
  ASSERT_TRUE(print) << DescribeError(print.error());
  EXPECT_EQ(print->model_name, "toy2");
  EXPECT_EQ(print->layers.size(), 2u);
  IsClean(*registry);
}

// More than are read at once; what one of them lacks does not keep the others from being read.
void ReadsManyFingerprints(const Maker& make) {
  const auto registry = make();
  std::vector<ModelRecord> models;
  for (uint32_t toy = 1; toy <= 20; ++toy) models.push_back(Add(*registry, toy).model);
  models[7].digest[0] ^= 1;
  for (const unsigned threads : {1u, 3u}) {
    const auto prints = FingerprintsOfModels(*registry, models, threads);
    ASSERT_EQ(prints.size(), models.size());
    for (size_t i = 0; i < prints.size(); ++i) {
      EXPECT_EQ(static_cast<bool>(prints[i]), i != 7) << i;
      if (prints[i]) {
        EXPECT_EQ(prints[i]->model_name, models[i].name);
      }
    }
  }
}

void SameModelTwiceChangesNothing(const Maker& make) {
  const auto registry = make();
  Add(*registry, 1);
  EXPECT_EQ(Add(*registry, 1).addition, Addition::kAlreadyThere);
  // One content under two sources: two models, one fingerprint.
  Add(*registry, 1, {.name = "copy", .source = "hf://c/d"});
  const auto status = StatusOf(*registry);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->models, 2);
  EXPECT_EQ(status->fingerprints, 1);
  EXPECT_EQ(status->last_added_at, kNow.at);
}

void RevisionsDoNotMove(const Maker& make) {
  const auto registry = make();
  const NewModel told = {.name = "m", .source = "hf://a/b", .revision = "c0ffee"};
  Add(*registry, 1, told);
  const auto moved = AddModel(*registry, PreparedToy(2), told, kNow);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().kind, ErrorKind::kMismatch);
  EXPECT_THAT(NamesIn(*registry), ElementsAre("m"));
  const auto next = Add(*registry, 2, {.name = "m", .source = "hf://a/b", .revision = "decade"});
  EXPECT_EQ(next.superseded, 1u);
  EXPECT_THAT(NamesIn(*registry), ElementsAre("m"));
  EXPECT_THAT(NamesIn(*registry, true), ElementsAre("m", "m"));
  const auto found = FindModel(*registry, "m");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->revision, "decade");
  IsClean(*registry);
}

void NamesAreDataNotCode(const Maker& make) {
  const auto registry = make();
  const std::string name = "x'); DROP TABLE model; --\x1b[31m%s$1\n";
  Add(*registry, 1, {.name = name});
  EXPECT_THAT(NamesIn(*registry), ElementsAre(name));
  EXPECT_TRUE(FindModel(*registry, name));
  for (const std::string& bad :
       {std::string("a\0b", 3), std::string("\xff"), std::string(2000, 'a')}) {
    const auto added = AddModel(*registry, PreparedToy(2), {.name = bad}, kNow);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, ErrorKind::kUsage);
    EXPECT_FALSE(FindModel(*registry, bad));
  }
  EXPECT_THAT(NamesIn(*registry), ElementsAre(name));
}

void SaysWhichOfSeveral(const Maker& make) {
  const auto registry = make();
  Add(*registry, 1, {.name = "otter", .source = "hf://a/otter"});
  Add(*registry, 2, {.name = "otter", .source = "hf://b/otter"});
  const auto several = FindModel(*registry, "otter");
  ASSERT_FALSE(several);
  EXPECT_THAT(several.error().found, HasSubstr("#2 of hf://b/otter"));
  const auto second = FindModel(*registry, "#2");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->source, "hf://b/otter");
  const auto near = FindModel(*registry, "ottre");
  ASSERT_FALSE(near);
  EXPECT_EQ(near.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(near.error().advice, "otter");
}

void RemovesWhatNobodyNeeds(const Maker& make) {
  const auto registry = make();
  Add(*registry, 1, {.name = "a", .source = "s"});
  Add(*registry, 1, {.name = "b", .source = "t"});
  const auto a = FindModel(*registry, "a");
  const auto b = FindModel(*registry, "b");
  ASSERT_TRUE(a && b);
  ASSERT_TRUE(RelateModels(*registry, *a, *b, {}, kNow));
  ASSERT_TRUE(RemoveModel(*registry, *a, kNow));
  EXPECT_TRUE(FingerprintOfModel(*registry, *b));
  ASSERT_TRUE(RemoveModel(*registry, *b, kNow));
  const auto status = StatusOf(*registry);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->fingerprints, 0);
  EXPECT_EQ(status->matrices, 0);
  EXPECT_EQ(status->relations, 0);
  const auto events = LastEvents(*registry, 2);
  ASSERT_TRUE(events);
  EXPECT_EQ(events->at(0).what, "removed");
  EXPECT_EQ(events->at(1).subject, "b");
  IsClean(*registry);
}

void RelationsAreSaidAndMeasured(const Maker& make) {
  const auto registry = make();
  const auto a = Add(*registry, 1).model;
  const auto b = Add(*registry, 2).model;
  ASSERT_TRUE(RelateModels(*registry, b, a, {.kind = "merge"}, kNow));
  ASSERT_TRUE(
      RelateModels(*registry, b, a, {.measured = true, .score = 0.25, .p_value = 0.5}, kNow));
  ASSERT_TRUE(RelateModels(*registry, b, a, {.kind = "adapter"}, kNow));
  const auto relations = ListRelations(*registry);
  ASSERT_TRUE(relations);
  ASSERT_EQ(relations->size(), 2u);
  EXPECT_EQ(relations->at(0).kind, "adapter");
  EXPECT_FALSE(relations->at(0).score);
  EXPECT_EQ(relations->at(1).origin, "measured");
  EXPECT_EQ(relations->at(1).score, 0.25);
  EXPECT_FALSE(RelateModels(*registry, a, a, {}, kNow));
  EXPECT_FALSE(RelateModels(*registry, a, b, {.kind = "cousin"}, kNow));
}

Sha256Digest Sha256Of(std::string_view text) {
  Sha256Hasher hasher;
  hasher.Add(std::as_bytes(std::span(text)));
  return hasher.Finish();
}

void FilesAreKnownByTheirDigest(const Maker& make) {
  const auto registry = make();
  const Sha256Digest content = Sha256Of("weights");
  Add(*registry, 1, {.name = "old", .source = "hf://a/b", .files = {{"model.bin", 7, content}}});
  Add(*registry, 2, {.name = "new", .source = "hf://a/b", .revision = "c0ffee"});
  // Told later, of a model that is there.
  Add(*registry, 2,
      {.name = "new",
       .source = "hf://a/b",
       .revision = "c0ffee",
       .files = {{"a/1.safetensors", 7, content}, {"a/2.safetensors", 9, Sha256Of("others")}}});
  const auto files = FindKnownFiles(*registry, content);
  ASSERT_TRUE(files) << DescribeError(files.error());
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ(files->at(0).model.name, "new");  // the other one is superseded
  EXPECT_EQ(files->at(0).file.path, "a/1.safetensors");
  EXPECT_EQ(files->at(0).file.bytes, 7u);
  EXPECT_EQ(files->at(1).model.name, "old");
  EXPECT_TRUE(FindKnownFiles(*registry, Sha256Of("nobody's"))->empty());
  EXPECT_TRUE(*KnowsFileOfLength(*registry, 9));
  EXPECT_FALSE(*KnowsFileOfLength(*registry, 8));
  ASSERT_TRUE(RemoveModel(*registry, files->at(0).model, kNow));
  EXPECT_FALSE(*KnowsFileOfLength(*registry, 9));
  EXPECT_EQ(FindKnownFiles(*registry, content)->size(), 1u);
}

// Path below the folder to content.
std::map<std::string, std::string> ContentsOf(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    contents[fs::relative(entry.path(), folder).string()] = text.str();
  }
  return contents;
}

void ExportOfAnImportIsTheExport(const Maker& make) {
  const ScratchFolder folder;
  const auto registry = make();
  Add(*registry, 3, {.name = "z", .source = "hf://z/z", .revision = "b"});
  Add(*registry, 4, {.name = "z2", .source = "hf://z/z", .revision = "a"});
  const auto a = Add(*registry, 1,
                     {.name = "na\xc3\xafve\n", .licenses = {{.place = "card", .license = "mit"}}});
  const auto b = Add(*registry, 2, {.collection = "c"});
  ASSERT_TRUE(RelateModels(*registry, b.model, a.model, {.score = 0.1}, kNow));
  const auto exported = ExportRegistry(*registry, folder.path() / "one");
  ASSERT_TRUE(exported) << DescribeError(exported.error());
  EXPECT_EQ(exported->models, 4u);

  const auto other = make();
  const auto imported = ImportRegistry(*other, folder.path() / "one", kNow);
  ASSERT_TRUE(imported) << DescribeError(imported.error());
  EXPECT_EQ(imported->added, 4u);
  EXPECT_EQ(imported->relations, 1u);
  EXPECT_EQ(FindModel(*other, "#1")->trust, "unverified");
  IsClean(*other);
  ASSERT_TRUE(ExportRegistry(*other, folder.path() / "two"));
  EXPECT_EQ(ContentsOf(folder.path() / "one"), ContentsOf(folder.path() / "two"));

  const auto again = ImportRegistry(*other, folder.path() / "one", kNow);
  ASSERT_TRUE(again) << DescribeError(again.error());
  EXPECT_EQ(again->added, 0u);
  EXPECT_EQ(again->known, 4u);
  EXPECT_FALSE(ExportRegistry(*other, folder.path() / "two"));  // holds something

  // A file that was changed on the way: nothing is written.
  const auto third = make();
  std::ofstream(folder.path() / "one/models.jsonl", std::ios::app) << "{}\n";
  const auto changed = ImportRegistry(*third, folder.path() / "one", kNow);
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().problem, HasSubstr("not the one that the manifest names"));
  EXPECT_TRUE(NamesIn(*third).empty());
}

void FindsAndRepairsFaults(const Maker& make) {
  const auto registry = make();
  Database& database = registry->database();
  const auto model = Add(*registry, 1).model;
  Add(*registry, 2);
  const std::vector<std::byte> wrong(256);
  ASSERT_TRUE(database.Run("UPDATE search_vector SET content = $1 WHERE fingerprint = $2",
                           {std::span<const std::byte>(wrong), model.fingerprint}));
  ASSERT_TRUE(
      database.Run("DELETE FROM weight_digest WHERE fingerprint = $1", {model.fingerprint + 1}));
  ASSERT_TRUE(
      database.Run("INSERT INTO weight_digest (digest, fingerprint, weight) "
                   "VALUES (1, 999, 0)"));
  const auto found = VerifyRegistry(*registry, false, kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->faults.size(), 3u);
  const auto repaired = VerifyRegistry(*registry, true, kNow);
  ASSERT_TRUE(repaired);
  EXPECT_EQ(repaired->faults.size(), 3u);
  for (const Fault& each : repaired->faults) EXPECT_TRUE(each.repaired) << each.problem;
  IsClean(*registry);
}

const std::vector<std::function<void(const Maker&)>> kBehaviours = {KeepsModels,
                                                                    ReadsManyFingerprints,
                                                                    SameModelTwiceChangesNothing,
                                                                    RevisionsDoNotMove,
                                                                    NamesAreDataNotCode,
                                                                    SaysWhichOfSeveral,
                                                                    RemovesWhatNobodyNeeds,
                                                                    RelationsAreSaidAndMeasured,
                                                                    FilesAreKnownByTheirDigest,
                                                                    ExportOfAnImportIsTheExport,
                                                                    FindsAndRepairsFaults};

TEST(Registry, BehavesOnSqlite) {
  const ScratchFolder folder;
  int count = 0;
  for (const auto& behaviour : kBehaviours) {
    behaviour([&] { return Made((folder.path() / std::to_string(++count)).string()); });
  }
}

TEST(Registry, BehavesOnSqliteWithAFolder) {
  const ScratchFolder folder;
  int count = 0;
  for (const auto& behaviour : kBehaviours) {
    behaviour([&] {
      const std::string name = std::to_string(++count);
      return Made((folder.path() / name).string(), {.blob_folder = name + ".blobs"});
    });
  }
}

TEST(Registry, BehavesOnPostgres) {
  if (const auto obstacle = TestPostgres::Obstacle()) GTEST_SKIP() << *obstacle;
  TestPostgres server;
  for (const auto& behaviour : kBehaviours) {
    behaviour([&] { return Made(server.NewDatabase()); });
  }
}

}  // namespace
}  // namespace tensorguard::internal
