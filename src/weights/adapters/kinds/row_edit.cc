#include "weights/adapters/kinds/row_edit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

class RowEdit : public TensorEdit {
 public:
  RowEdit(uint64_t columns, RowChange change) : columns_(columns), change_(std::move(change)) {}

  Result<void> Apply(uint64_t first_element, std::span<float> values,
                     const ReadElements& unedited) const override {
    std::vector<float> whole;
    while (!values.empty()) {
      const uint64_t row = first_element / columns_;
      const uint64_t column = first_element % columns_;
      const auto count = static_cast<size_t>(std::min<uint64_t>(columns_ - column, values.size()));
      if (count == columns_) {
        change_(row, values.first(count));
      } else {
        whole.resize(columns_);
        TG_TRY(unedited(row * columns_, whole));
        change_(row, whole);
        std::copy_n(whole.begin() + static_cast<ptrdiff_t>(column), count, values.begin());
      }
      first_element += count;
      values = values.subspan(count);
    }
    return {};
  }

 private:
  uint64_t columns_;
  RowChange change_;
};

}  // namespace

std::unique_ptr<const TensorEdit> EditRows(uint64_t columns, RowChange change) {
  return std::make_unique<RowEdit>(columns, std::move(change));
}

}  // namespace tensorguard::internal
