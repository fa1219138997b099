#include "families/similarity_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <armadillo>
#include <cassert>
#include <cmath>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

using Members = std::vector<size_t>;

// Mean score between two families; empty if no pair has one.
std::optional<double> MeanScore(const SimilarityMatrix& similarities, const Members& a,
                                const Members& b) {
  double sum = 0;
  size_t count = 0;
  for (const size_t i : a) {
    for (const size_t j : b) {
      const auto score = similarities.Score(i, j);
      if (!score) continue;
      sum += *score;
      ++count;
    }
  }
  if (count == 0) return {};
  return sum / static_cast<double>(count);
}

struct ClosestPair {
  size_t first = 0;
  size_t second = 0;
  double score = 0;
};

std::optional<ClosestPair> FindClosest(const SimilarityMatrix& similarities,
                                       const std::vector<Members>& families) {
  std::optional<ClosestPair> closest;
  for (size_t i = 0; i < families.size(); ++i) {
    for (size_t j = i + 1; j < families.size(); ++j) {
      const auto score = MeanScore(similarities, families[i], families[j]);
      if (score && (!closest || *score > closest->score)) closest = ClosestPair{i, j, *score};
    }
  }
  return closest;
}

// By the mean distances to each family; as families/silhouette.h, on distances that are given.
std::optional<double> SilhouetteOf(const SimilarityMatrix& similarities,
                                   const std::vector<Members>& families) {
  const size_t models = similarities.model_names().size();
  if (families.size() < 2 || families.size() >= models) return {};
  double total = 0;
  for (const Members& own : families) {
    for (const size_t model : own) {
      std::optional<double> within;
      std::optional<double> nearest_other;
      for (const Members& family : families) {
        double sum = 0;
        for (const size_t other : family) {
          const auto score = similarities.Score(model, other);
          if (!score) return {};
          sum += 1 - *score;
        }
        const bool is_own = &family == &own;
        if (is_own && family.size() == 1) continue;
        const double mean = sum / static_cast<double>(family.size() - (is_own ? 1 : 0));
        if (is_own) {
          within = mean;
        } else {
          nearest_other = std::min(nearest_other.value_or(mean), mean);
        }
      }
      if (!within) continue;  // the only member
      const double larger = std::max(*within, *nearest_other);
      if (larger > 0) total += (*nearest_other - *within) / larger;
    }
  }
  return total / static_cast<double>(models);
}

Result<arma::mat> CentredScores(const SimilarityMatrix& similarities) {
  const auto& names = similarities.model_names();
  arma::mat scores(names.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    for (size_t j = 0; j < names.size(); ++j) {
      const auto score = similarities.Score(i, j);
      if (!score) {
        return Error{
            .kind = ErrorKind::kMismatch,
            .problem = fmt::format("\"{}\" and \"{}\" cannot be compared", names[i], names[j]),
            .advice = "leave one of them out"};
      }
      scores(i, j) = *score;
    }
  }
  // Squared distances 2 (1 - s), centred twice and halved with a minus, are the scores so centred.
  scores.each_col() -= arma::vec(arma::mean(scores, 1));
  scores.each_row() -= arma::rowvec(arma::mean(scores, 0));
  return scores;
}

}  // namespace

SimilarityMatrix::SimilarityMatrix(std::vector<std::string> model_names)
    : model_names_(std::move(model_names)), scores_(model_names_.size() * model_names_.size()) {
  for (size_t i = 0; i < model_names_.size(); ++i) SetScore(i, i, 1);
}

void SimilarityMatrix::SetScore(size_t a, size_t b, double score) {
  assert(a < model_names_.size() && b < model_names_.size());
  assert(score >= 0 && score <= 1);
  scores_[a * model_names_.size() + b] = score;
  scores_[b * model_names_.size() + a] = score;
}

std::optional<double> SimilarityMatrix::Score(size_t a, size_t b) const {
  return scores_[a * model_names_.size() + b];
}

Families FindFamilies(const SimilarityMatrix& similarities, double lowest_score) {
  std::vector<Members> families;
  for (size_t i = 0; i < similarities.model_names().size(); ++i) families.push_back({i});
  while (const auto closest = FindClosest(similarities, families)) {
    if (closest->score < lowest_score) break;
    Members& grown = families[closest->first];
    const Members& taken = families[closest->second];
    grown.insert(grown.end(), taken.begin(), taken.end());
    families.erase(families.begin() + static_cast<std::ptrdiff_t>(closest->second));
  }
  Families result = {.family_of_model = std::vector<size_t>(similarities.model_names().size()),
                     .count = families.size(),
                     .silhouette = SilhouetteOf(similarities, families)};
  for (size_t family = 0; family < families.size(); ++family) {
    for (const size_t model : families[family]) result.family_of_model[model] = family;
  }
  return result;
}

Result<ModelPoints> EmbedSimilarities(const SimilarityMatrix& similarities) {
  const auto& names = similarities.model_names();
  if (names.empty()) return Error{.kind = ErrorKind::kUsage, .problem = "no model given"};
  TG_ASSIGN(const auto centred, CentredScores(similarities));
  arma::vec variances;  // ascending
  arma::mat directions;
  if (!arma::eig_sym(variances, directions, arma::symmatu(centred))) {
    return Error{.kind = ErrorKind::kMismatch, .problem = "these scores have no embedding"};
  }
  // What rounding leaves of an eigenvalue that is zero is no dimension.
  const double smallest = 1e-9 * std::max(1.0, variances.max());
  std::vector<arma::uword> kept;
  for (arma::uword i = variances.n_elem; i-- > 0;) {
    if (variances(i) > smallest) kept.push_back(i);
  }
  ModelPoints embedding = {.model_names = names, .points = Matrix(names.size(), kept.size())};
  for (size_t dimension = 0; dimension < kept.size(); ++dimension) {
    const double length = std::sqrt(variances(kept[dimension]));
    for (size_t model = 0; model < names.size(); ++model) {
      embedding.points.Row(model)[dimension] = length * directions(model, kept[dimension]);
    }
  }
  return embedding;
}

}  // namespace tensorguard::internal
