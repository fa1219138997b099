// How strongly each tensor responds to each perturbation, by layer.
#ifndef TENSORGUARD_PAPER_SENSITIVITY_PLOT_H_
#define TENSORGUARD_PAPER_SENSITIVITY_PLOT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drawing/canvas.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct SensitivityRow {
  std::string tensor;
  std::string role;                         // tensors of one role share a panel
  std::optional<uint64_t> layer = {};       // empty for embeddings and the like
  std::map<std::string, double> gain = {};  // ||Wx|| / ||x|| by perturbation
};

struct SensitivityPlot {
  std::string title;
  std::vector<SensitivityRow> rows;
};

// One panel per role, in the order of first appearance, gains along the layers on a logarithmic
// scale that all panels share; roles without layers share one panel. A gain of 0 has no place on
// the scale and is drawn on its lower edge. Errors: kUsage for no row and for a gain that is
// negative or not finite; kSystem as DrawImage.
Result<std::string> DrawSensitivityPlot(const SensitivityPlot& plot, ImageFormat format);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_SENSITIVITY_PLOT_H_
