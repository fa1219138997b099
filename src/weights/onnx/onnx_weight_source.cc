#include "weights/onnx/onnx_weight_source.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "formats/onnx/onnx.h"
#include "weights/onnx/onnx_data.h"

namespace tensorguard::internal {
namespace {

struct FileWeight {
  OnnxWeight weight;
  std::shared_ptr<const OnnxData> data;
};

// Numbers that are decoded from codes have the precision of their scales.
DType TypeOf(const FileWeight& weight) {
  const OnnxMatrix& numbers =
      weight.weight.quantised ? weight.weight.quantised->scales : weight.weight.numbers;
  return weight.data->tensors()[numbers.tensor].dtype;
}

uint64_t StoredBytes(const FileWeight& weight) {
  const OnnxTensor& tensor = weight.data->tensors()[weight.weight.numbers.tensor];
  if (tensor.element_count <= weight.weight.element_count) return tensor.data_bytes;
  return weight.weight.element_count * InfoOf(tensor.dtype).bits / 8;  // of a fused one
}

class OnnxWeights : public WeightSource {
 public:
  explicit OnnxWeights(std::vector<FileWeight> weights) : weights_(std::move(weights)) {
    for (const FileWeight& weight : weights_) {
      tensors_.push_back({.name = weight.weight.name,
                          .dtype = TypeOf(weight),
                          .shape = weight.weight.shape,
                          .element_count = weight.weight.element_count,
                          .stored_bytes = StoredBytes(weight),
                          .file = weight.data->FileOf(weight.weight.numbers.tensor)});
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override {
    const FileWeight& weight = weights_[tensor_index];
    auto read = ReadOnnxWeight(*weight.data, weight.weight, first_element, out);
    if (!read) return std::move(read).error().InTensor(tensors_[tensor_index].name);
    return {};
  }

  bool IsBFloat16(size_t tensor_index) const override {
    const OnnxWeight& weight = weights_[tensor_index].weight;
    return tensors_[tensor_index].dtype == DType::kBF16 && !weight.quantised && weight.added == 0;
  }

  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override {
    assert(IsBFloat16(tensor_index));
    std::vector<float> numbers(out.size());
    auto read = ReadFloat32(tensor_index, first_element, numbers);
    if (read) std::transform(numbers.begin(), numbers.end(), out.begin(), RoundToBFloat16);
    return read;  // rounding changes none: they are bfloat16
  }

 private:
  std::vector<FileWeight> weights_;
  std::vector<TensorInfo> tensors_;  // of weights_, in the same order
};

Result<std::vector<FileWeight>> ReadFile(const std::filesystem::path& path,
                                         const OnnxSource& source, const FileStorePtr& store) {
  TG_ASSIGN(auto file, store->Open(path));
  TG_ASSIGN(auto model, ReadOnnx(*file));
  auto found = FindOnnxWeights(model, source);
  if (!found) return std::move(found).error().InFile(path.string());
  TG_ASSIGN(auto data, OnnxData::Open(path, std::move(model.tensors), store));
  std::vector<FileWeight> weights;
  for (OnnxWeight& weight : *found) weights.push_back({std::move(weight), data});
  return weights;
}

// "model." if the decoder's weights are called "model.decoder...."; empty for "decoder....".
std::string Wrapper(const std::vector<FileWeight>& decoder) {
  for (const FileWeight& weight : decoder) {
    const std::string& name = weight.weight.name;
    const size_t at = name.find("decoder.");
    if (at != name.npos && (at == 0 || name[at - 1] == '.')) return name.substr(0, at);
  }
  return {};
}

// An encoder exported alone has lost the words before its names.
std::vector<FileWeight> Joined(std::vector<FileWeight> encoder, std::vector<FileWeight> decoder) {
  const std::string prefix = Wrapper(decoder) + "encoder.";
  std::set<std::string> names;
  for (const FileWeight& weight : decoder) names.insert(weight.weight.name);
  for (FileWeight& weight : encoder) {
    std::string& name = weight.weight.name;
    // What both halves hold by one name is one tensor: the shared embedding.
    if (names.contains(name)) continue;
    if (name.find("encoder.") == name.npos) name.insert(0, prefix);
    if (names.insert(name).second) decoder.push_back(std::move(weight));
  }
  return decoder;
}

}  // namespace

bool IsOnnxName(const std::filesystem::path& path) { return path.extension() == kOnnxSuffix; }

Result<std::shared_ptr<const WeightSource>> OpenOnnxWeights(const OnnxFiles& files,
                                                            const OnnxSource& source,
                                                            const FileStorePtr& store) {
  auto weights = ReadFile(files.back(), source, store);
  if (!weights) return std::move(weights).error();
  if (files.size() == 2) {
    TG_ASSIGN(auto encoder, ReadFile(files[0], source, store));
    auto joined = Joined(std::move(encoder), *std::move(weights));
    weights = std::move(joined);
  }
  if (weights->empty()) {
    return Error{.problem = "ONNX model holds no weights", .file = files.back().string()};
  }
  std::sort(weights->begin(), weights->end(),
            [](const FileWeight& a, const FileWeight& b) { return a.weight.name < b.weight.name; });
  return std::shared_ptr<const WeightSource>(std::make_shared<OnnxWeights>(*std::move(weights)));
}

}  // namespace tensorguard::internal
