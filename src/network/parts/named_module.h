// The weights of one module of a layer (a mixer), found by name and checked for size.
#ifndef TENSORGUARD_NETWORK_PARTS_NAMED_MODULE_H_
#define TENSORGUARD_NETWORK_PARTS_NAMED_MODULE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Points to the layer: valid as long as that lives.
class NamedModule {
 public:
  NamedModule(const LayerParts& layer, std::string_view name) : layer_(&layer), name_(name) {}

  // The module of the layer that has a tensor of this name: "mixer" for "A_log" of
  // "layers.3.mixer.A_log". Empty where there is none.
  static std::optional<NamedModule> Holding(const LayerParts& layer, std::string_view member);

  const LayerParts& layer() const { return *layer_; }
  uint32_t layer_index() const;

  bool Has(std::string_view member) const { return Find(member) != nullptr; }
  const Weight* Find(std::string_view member) const;
  // Errors: kBadFile, saying what is missing and where.
  Result<const Weight*> Require(std::string_view member) const;
  Result<LinearMap> RequireMap(std::string_view member) const;

  // All numbers of a tensor. Errors: those of Require and ReadVector.
  Result<std::vector<float>> ReadVector(std::string_view member, uint64_t size) const;
  // Empty where there is no such tensor. Errors: those of ReadVector.
  Result<std::optional<std::vector<float>>> FindVector(std::string_view member,
                                                       uint64_t size) const;

  // "MEMBER.weight" with "MEMBER.bias" on rows [n, inputs]. Errors: those of RequireMap and
  // LinearMap::Apply; kBadFile, naming the tensor, if it has not `outputs` outputs.
  Result<FloatMatrix> Apply(std::string_view member, const FloatMatrix& rows,
                            std::optional<uint64_t> outputs = {}) const;

 private:
  std::string Ending(std::string_view member) const;
  Error Missing(const std::string& ending) const;

  const LayerParts* layer_;
  std::string name_;
};

// The error for a tensor that contradicts the others of its module: what it has, what it should.
Error ContradictoryPart(const LayerParts& layer, const Weight& weight, std::string problem,
                        std::string found, std::string expected);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_NAMED_MODULE_H_
