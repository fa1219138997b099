#include "families/clustering.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "families/silhouette.h"
#include "numerics/principal_components.h"
#include "paper/feature_matrix.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Three families, i % 3, with `spread` between their members, in the first `features` features.
std::vector<PaperFeatures> MakeFamilies(size_t count, size_t features, double spread) {
  std::vector<PaperFeatures> models(count);
  for (size_t i = 0; i < count; ++i) {
    models[i].model_name = fmt::format("m{}", i);
    for (size_t j = 0; j < features; ++j) {
      const double family = std::sin(static_cast<double>(i % 3 * (j + 1)));
      const double noise = std::sin(static_cast<double>(7 * i + 3 * j));
      models[i].values.emplace(PaperFeatureNames()[j], family + spread * noise);
    }
    models[i].values.emplace("num_layers", 10);
  }
  return models;
}

FeatureMatrix MatrixOf(const std::vector<PaperFeatures>& models) {
  return *BuildFeatureMatrix(models, MissingFeature::kRefuse);
}

// Numbers of scikit-learn 1.2.1, printed by:
//   X = np.array([[sin(i % 3 * (j + 1)) + 0.6 * sin(7 * i + 3 * j) for j in range(17)] + [10]
//                 for i in range(12)])
//   Z = StandardScaler().fit_transform(X); k = KMeans(3, init=Z[:3], n_init=1).fit(Z)
//   print(k.labels_, silhouette_score(Z, k.labels_), k.cluster_centers_[0][:3], Z[1, :3])
//   p = PCA(2).fit(Z); print(p.explained_variance_ratio_, p.transform(Z)[:2])
class AgainstScikitLearn : public ::testing::Test {
 protected:
  const FeatureMatrix matrix_ = MatrixOf(MakeFamilies(12, 17, 0.6));
};

TEST_F(AgainstScikitLearn, KMeansAndSilhouette) {
  EXPECT_NEAR(matrix_.points.Row(1)[0], 0.8929908076543561, 1e-12);
  EXPECT_NEAR(matrix_.points.Row(1)[2], 0.8744613243184298, 1e-12);
  const auto clustering = ClusterByKMeans(matrix_, {.center_names = {"m0", "m1", "m2"}});
  ASSERT_TRUE(clustering) << DescribeError(clustering.error());
  EXPECT_THAT(clustering->cluster_of_model, ElementsAre(0, 1, 2, 2, 1, 2, 0, 1, 0, 0, 1, 2));
  EXPECT_NEAR(clustering->means.Row(0)[0], -1.0247782939475503, 1e-12);
  EXPECT_NEAR(clustering->means.Row(0)[1], 0.09881018462521057, 1e-12);
  EXPECT_NEAR(*Silhouette(matrix_.points, clustering->cluster_of_model), 0.3196462637974214, 1e-12);
}

TEST_F(AgainstScikitLearn, PrincipalPlane) {
  const auto plane = FindPrincipalPlane(matrix_.points);
  ASSERT_TRUE(plane);
  EXPECT_NEAR(plane->explained[0], 0.3964858677123544, 1e-12);
  EXPECT_NEAR(plane->explained[1], 0.28983691131088574, 1e-12);
  // The largest entry of scikit-learn's first direction is -0.36: ours points the other way.
  EXPECT_NEAR(plane->coordinates[0][0], 1.198518335622274, 1e-12);
  EXPECT_NEAR(plane->coordinates[0][1], -2.9762949488787713, 1e-12);
  EXPECT_NEAR(plane->coordinates[1][0], 3.131847010148913, 1e-12);
  EXPECT_NEAR(plane->coordinates[1][1], 0.8868120585789687, 1e-12);
  EXPECT_EQ(ProjectOnto(*plane, matrix_.points.Row(1)), plane->coordinates[1]);
}

// Lloyd's algorithm as the textbook has it.
std::vector<size_t> PlainKMeans(const Matrix& points, std::vector<size_t> starts) {
  Matrix means(starts.size(), points.columns());
  for (size_t c = 0; c < starts.size(); ++c) {
    std::copy_n(points.Row(starts[c]).begin(), points.columns(), means.Row(c).begin());
  }
  std::vector<size_t> cluster_of;
  while (true) {
    std::vector<size_t> nearest;
    for (size_t i = 0; i < points.rows(); ++i) {
      nearest.push_back(NearestRow(means, points.Row(i)));
    }
    if (nearest == cluster_of) return cluster_of;
    cluster_of = nearest;
    for (size_t c = 0; c < means.rows(); ++c) {
      std::vector<double> sum(points.columns());
      double members = 0;
      for (size_t i = 0; i < points.rows(); ++i) {
        if (cluster_of[i] != c) continue;
        ++members;
        for (size_t j = 0; j < sum.size(); ++j) sum[j] += points.Row(i)[j];
      }
      for (size_t j = 0; j < sum.size() && members > 0; ++j) means.Row(c)[j] = sum[j] / members;
    }
  }
}

TEST(Clustering, KMeansEqualsThePlainAlgorithm) {
  for (const double spread : {0.3, 0.9, 1.5}) {
    const FeatureMatrix matrix = MatrixOf(MakeFamilies(40, 5, spread));
    const auto clustering = ClusterByKMeans(matrix, {.center_names = {"m0", "m1", "m2", "m7"}});
    ASSERT_TRUE(clustering);
    EXPECT_EQ(clustering->cluster_of_model, PlainKMeans(matrix.points, {0, 1, 2, 7})) << spread;
  }
}

// Expectation-maximisation as the textbook has it, from the same start. Returns each component's
// mean.
Matrix PlainMixture(const Matrix& points, const Clustering& start, size_t iterations) {
  const size_t clusters = start.means.rows();
  const size_t features = points.columns();
  Matrix share(points.rows(), clusters);
  for (size_t i = 0; i < points.rows(); ++i) share.Row(i)[start.cluster_of_model[i]] = 1;
  Matrix means(clusters, features);
  for (size_t step = 0; step < iterations; ++step) {
    Matrix variances(clusters, features);
    std::vector<double> weights(clusters);
    for (size_t c = 0; c < clusters; ++c) {
      for (size_t i = 0; i < points.rows(); ++i) weights[c] += share.Row(i)[c];
      for (size_t j = 0; j < features; ++j) {
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < points.rows(); ++i) sum += share.Row(i)[c] * points.Row(i)[j];
        means.Row(c)[j] = sum / weights[c];
        for (size_t i = 0; i < points.rows(); ++i) {
          squares += share.Row(i)[c] * std::pow(points.Row(i)[j] - means.Row(c)[j], 2);
        }
        variances.Row(c)[j] = std::max(squares / weights[c], kVarianceFloor);
      }
    }
    for (size_t i = 0; i < points.rows(); ++i) {
      double total = 0;
      for (size_t c = 0; c < clusters; ++c) {
        double density = weights[c];
        for (size_t j = 0; j < features; ++j) {
          const double variance = variances.Row(c)[j];
          const double off = points.Row(i)[j] - means.Row(c)[j];
          density *= std::exp(-off * off / (2 * variance)) / std::sqrt(variance);
        }
        share.Row(i)[c] = density;
        total += density;
      }
      for (double& value : share.Row(i)) value /= total;
    }
  }
  return means;
}

TEST(Clustering, MixtureEqualsThePlainAlgorithm) {
  const FeatureMatrix matrix = MatrixOf(MakeFamilies(40, 5, 0.9));
  const ClusterOptions options{.center_names = {"m0", "m1", "m2"}};
  const auto start = ClusterByKMeans(matrix, options);
  const auto mixture = ClusterByMixture(matrix, options);
  ASSERT_TRUE(start);
  ASSERT_TRUE(mixture) << DescribeError(mixture.error());
  const Matrix expected = PlainMixture(matrix.points, *start, 1000);
  double moved = 0;
  for (size_t c = 0; c < 3; ++c) {
    moved += Distance(start->means.Row(c), mixture->means.Row(c));
    EXPECT_NEAR(Distance(mixture->means.Row(c), expected.Row(c)), 0, 1e-3) << c;
  }
  EXPECT_GT(moved, 0.05) << "the mixture must differ from its start for this test to say anything";
}

TEST(Clustering, SameInputGivesTheSameResult) {
  const FeatureMatrix matrix = MatrixOf(MakeFamilies(40, 17, 1.5));
  const ClusterOptions options{.center_names = {"m0", "m1"}, .cluster_count = 12};
  const auto first = ClusterByMixture(matrix, options);
  const auto second = ClusterByMixture(matrix, options);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->cluster_of_model, second->cluster_of_model);
  EXPECT_EQ(first->center_names, second->center_names);
  EXPECT_EQ(first->center_names.size(), 12u);
}

TEST(Clustering, FurtherClustersStartAtTheFarthestModels) {
  auto models = MakeFamilies(9, 5, 0.1);
  models[5].values["global_mean"] = 50;
  const auto clustering =
      ClusterByKMeans(MatrixOf(models), {.center_names = {"m0"}, .cluster_count = 2});
  ASSERT_TRUE(clustering);
  EXPECT_THAT(clustering->center_names, ElementsAre("m0", "m5"));
  EXPECT_EQ(clustering->cluster_of_model[5], 1u);
}

TEST(Clustering, RefusesStartsThatMakeNoSense) {
  auto models = MakeFamilies(4, 5, 0.1);
  models.push_back(models[0]);
  models.back().model_name = "copy-of-m0";
  const FeatureMatrix matrix = MatrixOf(models);
  struct Case {
    ClusterOptions options;
    ErrorKind kind;
    std::string_view text;
  };
  const Case cases[] = {
      {{.center_names = {}}, ErrorKind::kUsage, "no centre given"},
      {{.center_names = {"m0", "m1"}, .cluster_count = 1},
       ErrorKind::kUsage,
       "1 clusters asked for, but 2 centres given"},
      {{.center_names = {"m0"}, .cluster_count = 6}, ErrorKind::kUsage, "but only 5 models given"},
      {{.center_names = {"m0", "m0"}}, ErrorKind::kUsage, "\"m0\" is given twice"},
      {{.center_names = {"copy-of-m9"}}, ErrorKind::kNotFound, "did you mean \"copy-of-m0\"?"},
      {{.center_names = {"m0", "copy-of-m0"}},
       ErrorKind::kMismatch,
       "\"m0\" and \"copy-of-m0\" have equal fingerprints"},
      {{.center_names = {"m0"}, .cluster_count = 5},
       ErrorKind::kMismatch,
       "5 clusters asked for, but the models have only 4 different fingerprints"},
  };
  for (const Case& bad : cases) {
    const auto clustering = ClusterByKMeans(matrix, bad.options);
    ASSERT_FALSE(clustering) << bad.text;
    EXPECT_EQ(clustering.error().kind, bad.kind) << bad.text;
    EXPECT_THAT(DescribeError(clustering.error()), HasSubstr(bad.text));
    EXPECT_FALSE(ClusterByMixture(matrix, bad.options));
  }
}

TEST(Silhouette, IsUndefinedForOneClusterAndForSingletons) {
  const Matrix points = MatrixOf(MakeFamilies(4, 5, 0.1)).points;
  EXPECT_FALSE(Silhouette(points, std::vector<size_t>{0, 0, 0, 0}));
  EXPECT_FALSE(Silhouette(points, std::vector<size_t>{5, 5, 5, 5}));
  EXPECT_FALSE(Silhouette(points, std::vector<size_t>{0, 1, 2, 3}));
  EXPECT_TRUE(Silhouette(points, std::vector<size_t>{0, 1, 4, 0}));
}

TEST(PrincipalPlane, EqualModelsLieAtTheOrigin) {
  auto models = MakeFamilies(2, 5, 0.1);
  models[1].values = models[0].values;
  const auto plane = FindPrincipalPlane(MatrixOf(models).points);
  ASSERT_TRUE(plane);
  EXPECT_EQ(plane->explained[0], 0);
  EXPECT_EQ(plane->coordinates[1], (PlanePoint{0, 0}));
}

}  // namespace
}  // namespace tensorguard::internal
