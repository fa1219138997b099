// What the layers of a model compute, in a frame of axes that the weights themselves define: no
// token is asked, so that nobody can spoil it by spelling tokens another way, and a permuted or
// rotated copy has the same forms.
#ifndef TENSORGUARD_FRAME_FRAME_FORMS_H_
#define TENSORGUARD_FRAME_FRAME_FORMS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// The forms of a layer, each [axes, axes] in the frame V of the model, [hidden, axes].
enum class FormKind {
  kQueryKey,     // V' W_q' W_k V, heads weighted by what they write
  kOutputValue,  // V' W_o W_v V
  kFeedForward,  // V' W_down W_up V
  kGates,        // second moment of the units' gates, V' (sum w_i g_i g_i') V
};
inline constexpr std::array<FormKind, 4> kFormKinds = {FormKind::kQueryKey, FormKind::kOutputValue,
                                                       FormKind::kFeedForward, FormKind::kGates};

// The units of a feed-forward that write most, those that read the same taken as one, the loudest
// first: [units, FrameForms::unit_axes] each, rows at unit norm along those axes.
struct FrameUnits {
  FloatMatrix gates = {};  // empty where the feed-forward has no gate
  FloatMatrix ups = {};
  FloatMatrix downs = {};

  size_t count() const { return ups.rows(); }
};
inline constexpr size_t kMostFrameUnits = 128;

struct LayerForms {
  std::string stack = {};  // as LayerDescription
  uint32_t index = 0;
  // By kFormKinds; 0 x 0 where the layer has no such part.
  std::array<FloatMatrix, kFormKinds.size()> forms = {};
  FrameUnits units = {};  // of all experts of a mixture together
};

struct FrameForms {
  size_t axes = 0;  // 0: the model has no frame
  std::vector<LayerForms> layers = {};
  // Units are told along more axes than forms, of which the first are those of the forms.
  size_t unit_axes = 0;
  // The rows where tokens enter the stream and where it is read out, along those axes, [tokens,
  // unit_axes]; empty where no tokens were given.
  FloatMatrix token_inputs = {};
  FloatMatrix token_outputs = {};
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FRAME_FRAME_FORMS_H_
