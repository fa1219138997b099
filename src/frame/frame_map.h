// The orthogonal map between the frames of two models.
#ifndef TENSORGUARD_FRAME_FRAME_MAP_H_
#define TENSORGUARD_FRAME_FRAME_MAP_H_

#include <armadillo>
#include <cstddef>
#include <vector>

#include "frame/layer_features.h"

namespace tensorguard::internal {

// Forms of one kind of two layers that are taken for each other. Not null, equally long.
struct FormPair {
  const FormFeature* a = nullptr;
  const FormFeature* b = nullptr;
};

// Q with A near Q B Q' for all pairs [axes, axes] together: signs by the leading eigenvector of the
// sum of products number by number, then rounds of the orthogonal Procrustes problem (Schoenemann,
// Psychometrika 31, 1966). Empty where the system's linear algebra fails. REQUIRES: any pair.
arma::mat FitFrameMap(const std::vector<FormPair>& pairs, size_t axes);

// The orthogonal map nearest to `products` (Schoenemann 1966). Empty where the system's linear
// algebra fails.
arma::mat NearestOrthogonal(const arma::mat& products);

// Q B Q' as the forms are stored.
FormFeature Mapped(const arma::mat& map, const FormFeature& form);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FRAME_FRAME_MAP_H_
