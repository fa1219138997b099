// The weights that nodes and initialisers of an ONNX model ask for, before names are held against
// each other.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_CLAIMS_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_CLAIMS_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx/onnx.h"
#include "weights/onnx/onnx_single_weight.h"

namespace tensorguard::internal {

// Whether weights, and not codes or indexes, are stored in this type.
bool IsOnnxFloat(DType dtype);

class OnnxClaims {
 public:
  // `model` must outlive the claims.
  explicit OnnxClaims(const OnnxModel& model);

  // A tensor as it is stored, to be changed and added.
  OnnxWeight Stored(size_t tensor, std::string name) const;

  // Rows [first, first + rows) of the transpose of a stored matrix. REQUIRES: two dimensions.
  OnnxWeight Transposed(size_t tensor, std::string name, uint64_t first, uint64_t rows) const;

  // `named_by_file`: by the initialiser, not by the node. The weight's tensor is taken.
  void Add(OnnxWeight weight, bool named_by_file);
  // Another name of a tensor, which is not taken by it.
  void AddAlias(size_t tensor, std::string name);

  // A part of a weight, or no parameter at all.
  void SetAside(size_t tensor) { taken_[tensor] = true; }
  bool IsTaken(size_t tensor) const { return taken_[tensor]; }

  // Whether a weight of this name was added before the first question.
  bool Has(std::string_view name);

  // Folding leaves the transpose of a tied embedding as a matrix of its own.
  void DropTiedHead();

  // One weight to a name. Branches of an If hold the same weights: the outermost graph's count.
  // Two weights of one graph that would take one name keep those of their initialisers.
  std::vector<OnnxWeight> Settle() const;

 private:
  struct Claim {
    OnnxWeight weight;
    size_t graph = 0;  // that its tensor belongs to
    bool named_by_file = false;
  };

  const OnnxTensor& Tensor(size_t index) const { return model_->tensors[index]; }

  const OnnxModel* model_;
  std::vector<bool> taken_;  // by tensor
  std::vector<Claim> claims_;
  std::set<std::string, std::less<>> claimed_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_CLAIMS_H_
