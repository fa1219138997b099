#include "fingerprint/stored_fingerprint.h"

#include "fingerprint/file/fingerprint_tables.h"
#include "fingerprint/file/stored_numbers.h"

namespace tensorguard::internal {
namespace {

class Rounding : public TableVisitor {
 public:
  void ByteRows(const std::string&, const std::vector<FloatMatrix*>& items) override {
    for (FloatMatrix* item : items) {
      for (size_t row = 0; row < item->rows(); ++row) {
        const ByteRow stored = ToByteRow(item->Row(row));
        FromByteRow(stored.scale, stored.bytes, item->Row(row));
      }
    }
  }

  void Halves(const std::string&, const std::vector<FloatMatrix*>& items) override {
    for (FloatMatrix* item : items) {
      const HalfBlock stored = ToHalfBlock(item->values());
      FromHalfBlock(stored.scale, stored.halves, item->values());
    }
  }

  void Steps(const std::string&, float step, const std::vector<FloatMatrix*>& items) override {
    for (FloatMatrix* item : items) {
      for (float& value : item->values()) value = FromStep(step, ToStep(step, value));
    }
  }

  // Stored exactly.
  void Words(const std::string&, const std::vector<std::vector<uint32_t>*>&) override {}
  void Doubles(const std::string&, const std::vector<double*>&) override {}
  void Floats(const std::string&, const std::vector<std::span<float>>&) override {}
  void Bytes(const std::string&, const std::vector<std::span<uint8_t>>&) override {}
};

}  // namespace

Fingerprint AsStored(Fingerprint fingerprint) {
  Rounding rounding;
  VisitTables(fingerprint, rounding);
  return fingerprint;
}

}  // namespace tensorguard::internal
