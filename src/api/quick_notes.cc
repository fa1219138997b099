#include "api/quick_notes.h"

#include <fmt/format.h>

#include "base/readable_bytes.h"

namespace tensorguard::internal {
namespace {

std::string CertaintyText(const QuickCertainty& quick) {
  const std::string basis =
      fmt::format("Quick answer from {} kernels and {} matrices", quick.kernels, quick.matrices);
  if (!quick.decided) {
    return basis + ": too little to decide. Raise --budget, or leave --quick out.";
  }
  return fmt::format("{}: in 19 of 20 such cases the full score differs by at most {:.2f}.", basis,
                     quick.score_error);
}

}  // namespace

std::vector<std::string> QuickNotes(const Comparison& comparison,
                                    const std::vector<const Fingerprint*>& models) {
  if (!comparison.quick) return {};
  std::vector<std::string> notes = {CertaintyText(*comparison.quick)};
  for (const Fingerprint* model : models) {
    if (!model->quick) continue;
    notes.push_back(
        fmt::format("{}: {} of {} of the tensors were read, for {} kernels in {} of {} "
                    "layers.",
                    model->model_name, ReadableBytes(model->quick->read_bytes),
                    ReadableBytes(model->quick->tensor_bytes), model->quick->kernels,
                    model->layers.size(), model->quick->model_layers));
  }
  return notes;
}

}  // namespace tensorguard::internal
