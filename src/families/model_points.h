// Models as points, whatever gave them their coordinates.
#ifndef TENSORGUARD_FAMILIES_MODEL_POINTS_H_
#define TENSORGUARD_FAMILIES_MODEL_POINTS_H_

#include <string>
#include <vector>

#include "numerics/matrix.h"

namespace tensorguard::internal {

struct ModelPoints {
  std::vector<std::string> model_names = {};  // each once
  Matrix points = {};                         // a row per model
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_MODEL_POINTS_H_
