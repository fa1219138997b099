#include "fingerprint/file/fingerprint_tables.h"

#include <optional>
#include <utility>

#include "fingerprint/sketches/row_samples.h"

namespace tensorguard::internal {
namespace {

void AddIfThere(FloatMatrix& matrix, std::vector<FloatMatrix*>& matrices) {
  if (!matrix.values().empty()) matrices.push_back(&matrix);
}

void VisitKernels(Fingerprint& fingerprint, TableVisitor& visitor) {
  for (const KernelTable& kind : kKernelTables) {
    std::vector<FloatMatrix*> kernels;
    for (LayerResponse& layer : fingerprint.layers) AddIfThere(layer.*kind.kernel, kernels);
    visitor.ByteRows(std::string(kind.name), kernels);
  }
  std::vector<FloatMatrix*> experts;
  for (LayerResponse& layer : fingerprint.layers) {
    for (FloatMatrix& expert : layer.experts) AddIfThere(expert, experts);
  }
  visitor.ByteRows("experts", experts);
}

void VisitGains(Fingerprint& fingerprint, TableVisitor& visitor) {
  std::vector<double*> mixers;
  std::vector<double*> feed_forwards;
  for (LayerResponse& layer : fingerprint.layers) {
    if (layer.mixer_gain) mixers.push_back(&*layer.mixer_gain);
    if (layer.feed_forward_gain) feed_forwards.push_back(&*layer.feed_forward_gain);
  }
  visitor.Doubles("layers.mixer_gain", mixers);
  visitor.Doubles("layers.feed_forward_gain", feed_forwards);
}

void VisitRowSamples(Fingerprint& fingerprint, TableVisitor& visitor) {
  std::vector<std::vector<uint32_t>*> digests;
  std::vector<FloatMatrix*> projections;
  for (WeightSummary& weight : fingerprint.weights) {
    if (weight.row_sample.digests.empty()) continue;
    digests.push_back(&weight.row_sample.digests);
    projections.push_back(&weight.row_sample.projections);
  }
  visitor.Words("weights.row_digest", digests);
  visitor.Steps("weights.row_projection", kProjectionStep, projections);
}

void VisitDigests(Fingerprint& fingerprint, TableVisitor& visitor) {
  std::vector<std::span<uint8_t>> exact;
  std::vector<std::span<uint8_t>> as_bfloat16;
  std::vector<std::span<uint8_t>> as_float16;
  for (WeightSummary& weight : fingerprint.weights) {
    exact.emplace_back(weight.digest);
    if (weight.digest_as_bfloat16) as_bfloat16.emplace_back(*weight.digest_as_bfloat16);
    if (weight.digest_as_float16) as_float16.emplace_back(*weight.digest_as_float16);
  }
  visitor.Bytes("weights.digest", exact);
  visitor.Bytes("weights.digest_as_bfloat16", as_bfloat16);
  visitor.Bytes("weights.digest_as_float16", as_float16);
}

void VisitSketches(Fingerprint& fingerprint, TableVisitor& visitor) {
  std::vector<FloatMatrix*> matrices;
  std::vector<FloatMatrix*> vectors;
  for (WeightSummary& weight : fingerprint.weights) {
    AddIfThere(weight.sketch, weight.is_vector ? vectors : matrices);
  }
  visitor.Halves("weights.sketch", matrices);
  visitor.Halves("weights.vector_sketch", vectors);
}

void VisitFrame(Fingerprint& fingerprint, TableVisitor& visitor) {
  std::vector<FloatMatrix*> forms;
  for (LayerForms& layer : fingerprint.frame.layers) {
    for (FloatMatrix& form : layer.forms) AddIfThere(form, forms);
  }
  visitor.ByteRows("frame.forms", forms);
  for (const auto& [name, rows] :
       {std::pair{"frame.token_inputs", &fingerprint.frame.token_inputs},
        std::pair{"frame.token_outputs", &fingerprint.frame.token_outputs}}) {
    std::vector<FloatMatrix*> tokens;
    AddIfThere(*rows, tokens);
    visitor.ByteRows(name, tokens);
  }
  struct UnitTable {
    const char* name;
    FloatMatrix FrameUnits::*side;
  };
  for (const UnitTable& table : {UnitTable{"frame.unit_gates", &FrameUnits::gates},
                                 UnitTable{"frame.unit_ups", &FrameUnits::ups},
                                 UnitTable{"frame.unit_downs", &FrameUnits::downs}}) {
    std::vector<FloatMatrix*> units;
    for (LayerForms& layer : fingerprint.frame.layers) AddIfThere(layer.units.*table.side, units);
    visitor.Steps(table.name, kUnitStep, units);
  }
}

void VisitMeasures(Fingerprint& fingerprint, TableVisitor& visitor) {
  struct Measure {
    const char* name;
    double WeightSummary::*value;
  };
  for (const Measure& measure :
       {Measure{"weights.norm", &WeightSummary::norm},
        Measure{"weights.mean", &WeightSummary::mean},
        Measure{"weights.zero_fraction", &WeightSummary::zero_fraction},
        Measure{"weights.zero_row_fraction", &WeightSummary::zero_row_fraction},
        Measure{"weights.zero_column_fraction", &WeightSummary::zero_column_fraction}}) {
    std::vector<double*> values;
    for (WeightSummary& weight : fingerprint.weights) values.push_back(&(weight.*measure.value));
    visitor.Doubles(measure.name, values);
  }
  struct GroupMeasure {
    const char* name;
    std::optional<double> WeightSummary::*value;
  };
  for (const GroupMeasure& measure :
       {GroupMeasure{"weights.two_of_four_fraction", &WeightSummary::two_of_four_fraction},
        GroupMeasure{"weights.distinct_per_32", &WeightSummary::distinct_per_32},
        GroupMeasure{"weights.distinct_per_256", &WeightSummary::distinct_per_256}}) {
    std::vector<double*> values;
    for (WeightSummary& weight : fingerprint.weights) {
      if (weight.*measure.value) values.push_back(&*(weight.*measure.value));
    }
    visitor.Doubles(measure.name, values);
  }
}

}  // namespace

void VisitTables(Fingerprint& fingerprint, TableVisitor& visitor) {
  visitor.Words("anchors", {&fingerprint.anchors});
  visitor.Words("anchor_tokens", {&fingerprint.anchor_tokens});
  visitor.Halves("grams",
                 {&fingerprint.input_gram, &fingerprint.output_gram, &fingerprint.cross_gram});
  for (const auto& [name, sketch] : {std::pair{"embedding_sketch", &fingerprint.embedding_sketch},
                                     std::pair{"head_sketch", &fingerprint.head_sketch}}) {
    std::vector<FloatMatrix*> sketches;
    AddIfThere(*sketch, sketches);
    visitor.Halves(name, sketches);
  }
  VisitKernels(fingerprint, visitor);
  VisitGains(fingerprint, visitor);
  VisitSketches(fingerprint, visitor);
  VisitFrame(fingerprint, visitor);
  VisitMeasures(fingerprint, visitor);
  std::vector<std::span<float>> quantiles;
  for (WeightSummary& weight : fingerprint.weights) quantiles.emplace_back(weight.quantiles);
  visitor.Floats("weights.quantiles", quantiles);
  VisitDigests(fingerprint, visitor);
  VisitRowSamples(fingerprint, visitor);
}

}  // namespace tensorguard::internal
