// The method measured on the 58 published fingerprints, with our labels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "families/clustering.h"
#include "families/silhouette.h"
#include "numerics/principal_components.h"
#include "paper/classify.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class PublishedModels : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto folder = SharedData("reference/published");
    SKIP_WITHOUT(folder);
    const auto labels = ReadJsonFile("tests/published_families.json");
    ASSERT_TRUE(labels) << DescribeError(labels.error());
    for (const auto& [family, members] : (*labels)["families"].items()) {
      centers_.push_back(family);
      for (const Json& member : members) family_of_[member.get<std::string>()] = family;
    }
    for (const auto& [name, family] : family_of_) {
      auto features = ReadPaperFeatures(folder / (name + "_features.json"));
      ASSERT_TRUE(features) << DescribeError(features.error());
      models_.push_back(*std::move(features));
    }
    ASSERT_EQ(models_.size(), 58u);
    ASSERT_EQ(centers_.size(), 8u);
  }

  bool IsCenter(const std::string& name) const {
    return std::find(centers_.begin(), centers_.end(), name) != centers_.end();
  }

  std::vector<std::string> WrongOf(const Clustering& clustering) const {
    std::vector<std::string> wrong;
    for (size_t i = 0; i < models_.size(); ++i) {
      const std::string& name = models_[i].model_name;
      const std::string& family = clustering.center_names[clustering.cluster_of_model[i]];
      if (family != family_of_.at(name)) wrong.push_back(name);
    }
    return wrong;
  }

  FeatureMatrix matrix() const { return *BuildFeatureMatrix(models_, MissingFeature::kRefuse); }

  std::vector<std::string> centers_;
  std::map<std::string, std::string> family_of_;
  std::vector<PaperFeatures> models_;
};

// 47 of the 50 derivatives: the paper's 94%.
TEST_F(PublishedModels, KMeansGivesThePapersAccuracy) {
  const FeatureMatrix all = matrix();
  EXPECT_THAT(all.imputed, IsEmpty()) << "no published file lacks a feature that others have";
  const auto clustering = ClusterByKMeans(all, {.center_names = centers_});
  ASSERT_TRUE(clustering) << DescribeError(clustering.error());
  const auto wrong = WrongOf(*clustering);
  EXPECT_THAT(wrong, UnorderedElementsAre("Qwen2.5-3B", "SicariusSicariiStuff_Phi-lthy4",
                                          "dnotitia_Smoothie-Qwen2.5-3B-Instruct",
                                          "gghfez_gemma-3-4b-novision"));
  const auto wrong_derivatives =
      std::count_if(wrong.begin(), wrong.end(), [&](const auto& name) { return !IsCenter(name); });
  EXPECT_EQ(50 - wrong_derivatives, 47);
  // silhouette_score(StandardScaler().fit_transform(X), KMeans(8, init, n_init=1).labels_)
  EXPECT_NEAR(*Silhouette(all.points, clustering->cluster_of_model), 0.4571, 0.00005);
}

TEST_F(PublishedModels, MixtureFindsTwoMore) {
  const FeatureMatrix all = matrix();
  const auto clustering = ClusterByMixture(all, {.center_names = centers_});
  ASSERT_TRUE(clustering) << DescribeError(clustering.error());
  EXPECT_THAT(WrongOf(*clustering),
              UnorderedElementsAre("SicariusSicariiStuff_Phi-lthy4", "gghfez_gemma-3-4b-novision"));
  EXPECT_NEAR(*Silhouette(all.points, clustering->cluster_of_model), 0.4584, 0.00005);
}

// PCA(2).fit(Z).explained_variance_ratio_ of scikit-learn 1.2.1
TEST_F(PublishedModels, PrincipalPlaneExplainsWhatScikitLearnFinds) {
  const auto plane = FindPrincipalPlane(matrix().points);
  ASSERT_TRUE(plane);
  EXPECT_NEAR(plane->explained[0], 0.49031787, 1e-8);
  EXPECT_NEAR(plane->explained[1], 0.23572747, 1e-8);
}

// Each derivative classified by the other 57 models: 47 of 50 in the right family, one rejected.
TEST_F(PublishedModels, ClassifyLeavingOneOut) {
  std::vector<std::string> wrong;
  std::vector<std::string> rejected;
  for (size_t i = 0; i < models_.size(); ++i) {
    const std::string& name = models_[i].model_name;
    if (IsCenter(name)) continue;
    auto others = models_;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const auto result = Classify(models_[i], others, {.center_names = centers_});
    ASSERT_TRUE(result) << DescribeError(result.error());
    if (result->candidates[0].name != family_of_.at(name)) wrong.push_back(name);
    if (!result->known) rejected.push_back(name);
  }
  EXPECT_THAT(wrong, UnorderedElementsAre("SicariusSicariiStuff_Phi-lthy4",
                                          "dnotitia_Smoothie-Qwen2.5-3B-Instruct",
                                          "gghfez_gemma-3-4b-novision"));
  EXPECT_THAT(rejected, ElementsAre("Qwen2.5-3B-Instruct")) << "wrongly: its base model is known";
}

// What the rejection rule is for: each model as a stranger, its whole family taken away.
TEST_F(PublishedModels, RejectionSeesFewStrangers) {
  std::map<std::string, int> rejected;
  for (const std::string& family : centers_) {
    std::vector<PaperFeatures> others;
    for (const PaperFeatures& model : models_) {
      if (family_of_.at(model.model_name) != family) others.push_back(model);
    }
    auto centers = centers_;
    std::erase(centers, family);
    for (const PaperFeatures& model : models_) {
      if (family_of_.at(model.model_name) != family) continue;
      const auto result = Classify(model, others, {.center_names = centers});
      ASSERT_TRUE(result) << DescribeError(result.error());
      if (!result->known) ++rejected[family];
    }
  }
  EXPECT_EQ(rejected, (std::map<std::string, int>{{"Qwen2.5-3B", 3}, {"gemma-3-4b-it", 6}}));
}

}  // namespace
}  // namespace tensorguard::internal
