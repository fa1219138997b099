// Models as points, whatever gave them their coordinates.
#ifndef TENSORGUARD_FAMILIES_MODEL_POINTS_H_
#define TENSORGUARD_FAMILIES_MODEL_POINTS_H_

#include <string>
#include <vector>

#include "families/matrix.h"

namespace tensorguard {

struct ModelPoints {
  std::vector<std::string> model_names = {};  // each once
  Matrix points = {};                         // a row per model
};

}  // namespace tensorguard

#endif  // TENSORGUARD_FAMILIES_MODEL_POINTS_H_
