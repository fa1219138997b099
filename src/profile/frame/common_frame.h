// From the forms of single layers along candidate directions to those of a model in its frame.
#ifndef TENSORGUARD_PROFILE_FRAME_COMMON_FRAME_H_
#define TENSORGUARD_PROFILE_FRAME_COMMON_FRAME_H_

#include <optional>
#include <vector>

#include "frame/frame_forms.h"
#include "profile/frame/frame.h"
#include "profile/frame/frame_plan.h"
#include "profile/frame/part_forms.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Along the candidate directions; empty where the layer has no such part.
struct FormsOfOneLayer {
  std::optional<PartForms> attention = {};
  std::optional<PartForms> feed_forward = {};
};

// The forms of a part from the projections of its weights, in the order of FramePart::weights:
// forms along the leading kCandidateAxes of the directions, units along all.
PartForms FormsOfPart(const FramePart& part, const std::vector<Projection>& projections);

// `parts` as FrameLayer::parts. Experts are averaged.
FormsOfOneLayer FormsOfLayer(const FrameLayer& layer, std::vector<PartForms> parts);

// The axes are the directions that all layers together both write and read most; each form is given
// in them at Frobenius norm 1. Forms that are all zero, and layers without any, are left out.
// `forms` as FramePlan::layers, along `directions` [n, hidden]. Errors: kSystem if the system's
// linear algebra fails.
Result<FrameForms> FormsInCommonFrame(const FramePlan& plan,
                                      const std::vector<FormsOfOneLayer>& forms,
                                      const FloatMatrix& directions, const StreamRows& tokens);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_FRAME_COMMON_FRAME_H_
