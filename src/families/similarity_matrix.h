// Scores of every pair of a set of models, and the families that follow from them alone.
#ifndef TENSORGUARD_FAMILIES_SIMILARITY_MATRIX_H_
#define TENSORGUARD_FAMILIES_SIMILARITY_MATRIX_H_

#include <optional>
#include <string>
#include <vector>

#include "families/model_points.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

class SimilarityMatrix {
 public:
  // Every pair without a score, but each model 1 with itself.
  explicit SimilarityMatrix(std::vector<std::string> model_names);

  const std::vector<std::string>& model_names() const { return model_names_; }

  // REQUIRES: both below the number of models; score in [0, 1].
  void SetScore(size_t a, size_t b, double score);
  // Empty: the two cannot be compared.
  std::optional<double> Score(size_t a, size_t b) const;

 private:
  std::vector<std::string> model_names_;
  std::vector<std::optional<double>> scores_;
};

struct Families {
  std::vector<size_t> family_of_model;  // counted from 0 in the order of each family's first model
  size_t count = 0;
  // Mean silhouette coefficient on 1 - score; empty with one family, as many as models, or a pair
  // without a score.
  std::optional<double> silhouette = {};
};

// Average linkage (Sokal and Michener 1958): the two families with the highest mean score become
// one, until that mean is below `lowest_score`. Pairs without a score take no part in the mean;
// families without a scored pair between them stay apart. Of equal means the first pair wins.
Families FindFamilies(const SimilarityMatrix& similarities, double lowest_score);

// The models as points whose squared distances are 2 (1 - score), as nearly as real points can
// (classical scaling, Torgerson 1952: negative eigenvalues are left out), for K-Means. A column per
// dimension, widest first, as they are: not standardised. Errors: kMismatch, naming a pair that has
// no score; kUsage for no model.
Result<ModelPoints> EmbedSimilarities(const SimilarityMatrix& similarities);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_SIMILARITY_MATRIX_H_
