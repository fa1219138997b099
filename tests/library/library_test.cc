// The public functions, by the headers that programs outside of the project see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "tensorguard/tensorguard.h"

namespace tensorguard {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kModels = "examples/models/";

Fingerprint FingerprintOfSample(const std::string& name) {
  auto fingerprint = FingerprintModel(kModels + name);
  EXPECT_TRUE(fingerprint) << DescribeError(fingerprint.error());
  return *std::move(fingerprint);
}

std::string TextOf(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Views, ShowEveryLayerAndWeight) {
  const Fingerprint alder = FingerprintOfSample("alder");
  ASSERT_GT(alder.layers(), 0U);
  for (size_t i = 0; i < alder.layers(); ++i) {
    const LayerView layer = alder.layer(i);
    EXPECT_EQ(layer.index, i);
    for (const MatrixView& kernel : {layer.query_key, layer.output_value, layer.feed_forward}) {
      EXPECT_EQ(kernel.rows, alder.anchors());
      EXPECT_EQ(kernel.columns, alder.anchors());
      EXPECT_EQ(kernel.values.size(), kernel.rows * kernel.columns);
    }
  }
  bool query_found = false;
  for (size_t i = 0; i < alder.weights(); ++i) {
    const WeightView weight = alder.weight(i);
    if (weight.role != "query") continue;
    query_found = true;
    EXPECT_EQ(weight.sketch.values.size(), weight.sketch.rows * weight.sketch.columns);
    EXPECT_EQ(weight.sketch.columns, 32U);
    EXPECT_GT(weight.norm, 0);
  }
  EXPECT_TRUE(query_found);
  // Copies show the same numbers in the same place.
  const Fingerprint copy = alder;
  EXPECT_EQ(copy.layer(0).query_key.values.data(), alder.layer(0).query_key.values.data());
}

TEST(HeldTensors, GiveTheFingerprintThatTheirFileGives) {
  const std::filesystem::path folder = kModels + "birch";
  const auto summary = InspectModel(folder);
  ASSERT_TRUE(summary);
  // The tensors' bytes by way of one plain file of the stored type.
  const auto plain = std::filesystem::temp_directory_path() / "library_test.safetensors";
  ConvertOptions as_stored;
  as_stored.type = NumberType::kBFloat16;
  ASSERT_TRUE(ConvertModel(folder, plain, as_stored));
  const std::string file = TextOf(plain);
  std::filesystem::remove(plain);
  uint64_t header_bytes = 0;
  for (int i = 7; i >= 0; --i) header_bytes = header_bytes << 8 | static_cast<uint8_t>(file[i]);

  HeldModel held = {.name = "birch", .config = TextOf(folder / "config.json"), .tokenizer = folder};
  auto begin = file.data() + 8 + header_bytes;
  for (const TensorSummary& tensor : summary->tensors) {  // sorted by name, as in the file
    ASSERT_EQ(tensor.dtype, "BF16");
    held.tensors.push_back(
        {.name = tensor.name,
         .dtype = tensor.dtype,
         .shape = tensor.shape,
         .data = std::as_bytes(std::span(begin, static_cast<size_t>(tensor.stored_bytes)))});
    begin += tensor.stored_bytes;
  }
  ASSERT_EQ(begin, file.data() + file.size());
  const auto of_memory = FingerprintTensors(held);
  ASSERT_TRUE(of_memory) << DescribeError(of_memory.error());
  const Fingerprint of_file = FingerprintOfSample("birch");
  EXPECT_EQ(FingerprintAsJson(*of_memory), FingerprintAsJson(of_file));
  const auto comparison = Compare(*of_memory, of_file);
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->verdict, Verdict::kIdentical);

  FingerprintOptions cancelled;
  cancelled.callbacks.is_cancelled = [] { return true; };
  EXPECT_EQ(FingerprintTensors(held, cancelled).error().kind, ErrorKind::kCancelled);
}

TEST(HeldTensors, AreRefusedWithTheirName) {
  EXPECT_EQ(FingerprintTensors({.name = "empty"}).error().kind, ErrorKind::kUsage);
  const std::vector<std::byte> data(8);
  const HeldTensor good = {.name = "w", .dtype = "F32", .shape = {2}, .data = data};
  EXPECT_EQ(FingerprintTensors({.name = "", .tensors = {good}}).error().problem,
            "the model has no name");
  HeldTensor odd = good;
  odd.dtype = "Q4_K";
  const auto unknown = FingerprintTensors({.name = "x", .tensors = {odd}});
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(unknown.error().tensor, "w");
  odd = good;
  odd.shape = {uint64_t{1} << 62, 16};
  EXPECT_EQ(FingerprintTensors({.name = "x", .tensors = {odd}}).error().tensor, "w");
  const auto no_object = FingerprintTensors({.name = "x", .tensors = {good}, .config = "[1]"});
  EXPECT_EQ(no_object.error().expected, "an object");
}

TEST(ManyModels, AreReadInTheirOrder) {
  const std::vector<std::string> names = {kModels + "birch", kModels + "alder"};
  const auto models = FingerprintModels(names);
  ASSERT_TRUE(models);
  EXPECT_EQ(models->at(0).model_name(), "birch");
  EXPECT_EQ(models->at(1).model_name(), "alder");
  const std::vector<std::string> with_bad = {kModels + "birch", kModels + "no-such"};
  EXPECT_EQ(FingerprintModels(with_bad).error().kind, ErrorKind::kNotFound);
}

TEST(Classification, SaysWhatIsKnown) {
  const std::vector<Fingerprint> known = {FingerprintOfSample("alder"), FingerprintOfSample("elm")};
  const auto answer = Classify(FingerprintOfSample("alder--lora"), known);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->known);
  EXPECT_EQ(answer->model, "alder--lora");
  EXPECT_EQ(answer->candidates.front().model_name, "alder");
  EXPECT_THAT(ClassificationAsJson(*answer), HasSubstr("tensorguard.classify/1"));
  const std::vector<std::string> names = {kModels + "alder", kModels + "elm"};
  const auto by_name = ClassifyModel(kModels + "alder--lora", names);
  ASSERT_TRUE(by_name);
  EXPECT_EQ(ClassificationAsJson(*by_name), ClassificationAsJson(*answer));
  EXPECT_EQ(Classify(known[0], {}).error().kind, ErrorKind::kUsage);
}

TEST(Families, HaveCentersAndAMap) {
  const std::vector<Fingerprint> models = {FingerprintOfSample("alder"),
                                           FingerprintOfSample("birch"),
                                           FingerprintOfSample("alder--lora")};
  const auto families = FindFamilies(models);
  ASSERT_TRUE(families);
  EXPECT_EQ(families->count, 2U);
  EXPECT_THAT(families->family_of_model, ElementsAre(0, 1, 0));
  EXPECT_THAT(families->centers, Contains("birch"));
  EXPECT_THAT(FamiliesAsJson(*families), HasSubstr("tensorguard.cluster/1"));
  const auto map = FamiliesAsSvg(*families);
  ASSERT_TRUE(map);
  EXPECT_THAT(*map, HasSubstr("<svg"));
}

TEST(Lineage, HasNodesEdgesAndPictures) {
  const std::vector<Fingerprint> models = {FingerprintOfSample("cedar"),
                                           FingerprintOfSample("cedar--prune-depth"),
                                           FingerprintOfSample("birch")};
  const auto lineage = TraceLineage(models);
  ASSERT_TRUE(lineage);
  ASSERT_EQ(lineage->nodes.size(), 3U);
  ASSERT_EQ(lineage->edges.size(), 1U);
  EXPECT_EQ(lineage->edges[0].child, "cedar--prune-depth");
  EXPECT_EQ(lineage->edges[0].parent, "cedar");
  EXPECT_THAT(LineageAsJson(*lineage), HasSubstr("tensorguard.lineage/1"));
  EXPECT_THAT(LineageAsSvg(*lineage), HasSubstr("<svg"));
  EXPECT_THAT(LineageAsHtml(*lineage), HasSubstr("<!DOCTYPE html>"));
  EXPECT_THAT(LineageAsDot(*lineage), HasSubstr("digraph"));

  LineageOptions of_birch;
  of_birch.root = "birch";
  const auto only = TraceLineage(models, of_birch);
  ASSERT_TRUE(only);
  EXPECT_EQ(only->nodes.size(), 1U);
  of_birch.root = "oak";
  EXPECT_EQ(TraceLineage(models, of_birch).error().kind, ErrorKind::kUsage);
  EXPECT_EQ(TraceLineage({}).error().kind, ErrorKind::kUsage);
  const std::vector<Fingerprint> twice = {models[0], models[0]};
  EXPECT_EQ(TraceLineage(twice).error().kind, ErrorKind::kMismatch);
  const std::vector<Fingerprint> renamed = {models[0], models[0].Renamed("copy")};
  EXPECT_TRUE(TraceLineage(renamed));
}

class RegistryOfLibrary : public testing::Test {
 protected:
  RegistryOfLibrary()
      : folder_(std::filesystem::temp_directory_path() /
                ("library_registry_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    registry_ = Made("known.tgr");
  }
  ~RegistryOfLibrary() override {
    registry_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::optional<Registry> Made(const std::string& name) {
    auto made = Registry::Create((folder_ / name).string(), 1'800'000'000, "tester");
    EXPECT_TRUE(made) << (made ? "" : DescribeError(made.error()));
    return made ? std::optional(*std::move(made)) : std::nullopt;
  }

  void Add(const std::string& name, const RegistryEntry& entry = {}) {
    const auto added = registry_->Add(FingerprintOfSample(name), entry);
    ASSERT_TRUE(added) << DescribeError(added.error());
    EXPECT_FALSE(added->already_there);
  }

  std::filesystem::path folder_;
  std::optional<Registry> registry_;
};

TEST_F(RegistryOfLibrary, KeepsWhatIsTold) {
  const std::string sha256(64, 'c');
  Add("alder", {.source = "hf://acme/alder",
                .license = "mit",
                .added_at = 1'800'000'001,
                .files = {{.path = "model.safetensors", .bytes = 7, .sha256 = sha256}}});
  Add("alder--lora", {.added_at = 1'800'000'001});
  const auto related = registry_->Relate("alder--lora", "alder", "adapter", 1'800'000'002, "me");
  ASSERT_TRUE(related) << DescribeError(related.error());
  EXPECT_EQ(related->asserted.kind, "adapter");
  EXPECT_EQ(related->measured.kind, "derived");
  EXPECT_FALSE(related->contradicted);
  const auto found = registry_->Find("alder");
  ASSERT_TRUE(found) << DescribeError(found.error());
  EXPECT_THAT(found->licenses, ElementsAre("mit"));
  ASSERT_EQ(found->files.size(), 1U);
  EXPECT_EQ(found->files[0].sha256, sha256);
  ASSERT_EQ(found->relations.size(), 2U);
  EXPECT_EQ(found->relations[0].added_by, "me");
  const auto files = registry_->FindFile(sha256);
  ASSERT_TRUE(files) << DescribeError(files.error());
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ(files->front().model.name, "alder");
  EXPECT_EQ(files->front().file.bytes, 7U);
  const auto status = registry_->Status();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->models, 2);
  EXPECT_EQ(status->relations, 2);
  EXPECT_EQ(status->created_at, 1'800'000'000);
  const auto verified = registry_->Verify();
  ASSERT_TRUE(verified);
  EXPECT_TRUE(verified->faults.empty() && verified->leftovers.empty());
}

TEST_F(RegistryOfLibrary, FindsRelatives) {
  for (const char* name : {"alder", "birch", "elm"}) Add(name);
  const Fingerprint model = FingerprintOfSample("elm--sft1");
  const auto search = registry_->Search(model, 1);
  ASSERT_TRUE(search) << DescribeError(search.error());
  EXPECT_EQ(search->searched, 3U);
  ASSERT_EQ(search->hits.size(), 1U);
  EXPECT_EQ(search->hits[0].model.name, "elm");
  const auto answer = registry_->Classify(model);
  ASSERT_TRUE(answer) << DescribeError(answer.error());
  EXPECT_TRUE(answer->classification.known);
  EXPECT_EQ(answer->models[answer->classification.candidates.front().known].name, "elm");
}

TEST_F(RegistryOfLibrary, SaysWhatCannotBe) {
  const auto digest = registry_->FindFile("abc");
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(digest.error().expected, "64 hexadecimal digits");
  const auto added = registry_->Add(FingerprintOfSample("elm"), {.files = {{.path = "a"}}});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(registry_->Status()->models, 0);
  EXPECT_FALSE(registry_->Relate("nobody", "nobody else"));
  const auto nowhere = Registry::Open((folder_ / "none.tgr").string());
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::kNotFound);
}

TEST_F(RegistryOfLibrary, TravelsAsAFolder) {
  Add("alder");
  const std::string out = (folder_ / "out").string();
  const auto exported = registry_->Export(out);
  ASSERT_TRUE(exported) << DescribeError(exported.error());
  EXPECT_EQ(exported->fingerprints, 1U);
  EXPECT_EQ(registry_->Export(out).error().kind, ErrorKind::kUsage);
  auto mirror = Made("mirror.tgr");
  EXPECT_EQ(mirror->Import(out)->added, 1U);
  EXPECT_EQ(mirror->Import(out)->already_there, 1U);
  EXPECT_EQ(mirror->Find("alder")->trust, "unverified");
  std::ofstream(folder_ / "out/models.jsonl", std::ios::app) << "\n";
  EXPECT_EQ(mirror->Import(out).error().kind, ErrorKind::kBadFile);
}

}  // namespace
}  // namespace tensorguard
