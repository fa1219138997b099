// Names of parameters from the names of an ONNX file's initialisers and nodes.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_NAME_FORMS_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_NAME_FORMS_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace tensorguard::internal {

// The initialiser's name without what quantisers and mergers of graphs append ("_quantized",
// "_Q4", "_merged_0").
std::string_view PlainOnnxName(std::string_view name);

// Whether an exporter made the name up: "onnx::MatMul_1234", "/model/.../Transpose_output_0",
// "1234", and any other name without a module.
bool IsMadeUpName(std::string_view name);

// "model.layers.0.self_attn.q_proj" of "/model/layers.0/self_attn/q_proj/MatMul": torch.onnx.export
// (1.13 and later) and the model builder of onnxruntime-genai name nodes by their module. Empty if
// the name is no such path.
std::optional<std::string> ModuleOfNode(std::string_view node_name);

// Whether the model builder of onnxruntime-genai named this initialiser: by its node, as
// "model.layers.0.attn.q_proj.MatMul.weight".
bool IsBuilderName(std::string_view name);

// The Hub's name for what the builder calls `name`, its node's operator left out: "attn" is
// "self_attn", the last norm is "model.norm".
std::string HubNameOfBuilder(std::string name);

// Modules of transformers whose weights are stored as [inputs, outputs].
bool IsConv1dName(std::string_view parameter);

// Parts of a fused attention, beside its output projection `output` ("attention.output.dense" ->
// "attention.self.query", ...). Empty if that is not known.
std::optional<std::array<std::string, 3>> QueryKeyValueBeside(std::string_view output);

// Whether a model of this type (config.json's) stores the gains of its norms as a difference from
// 1, which exporters add.
bool GainsAreDifferences(std::string_view model_type);

// Whether the parameter is a gain of such a norm.
bool IsNormGain(std::string_view parameter);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_NAME_FORMS_H_
