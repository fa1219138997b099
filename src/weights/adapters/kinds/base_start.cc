#include "weights/adapters/kinds/base_start.h"

#include <algorithm>
#include <armadillo>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

class StartEdit : public TensorEdit {
 public:
  explicit StartEdit(LowRankMatrix delta) : delta_(std::move(delta)) {}

  Result<void> Apply(uint64_t first_element, std::span<float> values,
                     const ReadElements& unedited) const override {
    TG_TRY(FindOnce(unedited));
    start_->AddTo(first_element, values);
    delta_.AddTo(first_element, values);
    return {};
  }

 private:
  // Fills `start_`; another thread that needs it waits. After an error the next read tries again.
  Result<void> FindOnce(const ReadElements& unedited) const {
    const std::lock_guard lock(mutex_);
    if (start_) return {};
    arma::mat first(delta_.rows, delta_.rank);
    TG_TRY(ForEachRow(unedited, [&](uint64_t row, std::span<const float> values) {
      for (uint64_t k = 0; k < delta_.rank; ++k) first(row, k) = values[k];
    }));
    arma::mat directions;
    arma::mat rest;
    if (!arma::qr_econ(directions, rest, first)) {
      return Error{.problem = "the base's matrix has no QR decomposition"};
    }
    arma::mat along(delta_.rank, delta_.columns, arma::fill::zeros);
    TG_TRY(ForEachRow(unedited, [&](uint64_t row, std::span<const float> values) {
      for (uint64_t i = 0; i < delta_.columns; ++i) {
        for (uint64_t k = 0; k < delta_.rank; ++k) along(k, i) += directions(row, k) * values[i];
      }
    }));
    start_ = AsLowRank(directions, along);
    return {};
  }

  template <typename Visit>
  Result<void> ForEachRow(const ReadElements& unedited, const Visit& visit) const {
    std::vector<float> values(delta_.columns);
    for (uint64_t row = 0; row < delta_.rows; ++row) {
      TG_TRY(unedited(row * delta_.columns, values));
      visit(row, values);
    }
    return {};
  }

  LowRankMatrix AsLowRank(const arma::mat& left, const arma::mat& right) const {
    LowRankMatrix start;
    start.rows = delta_.rows;
    start.columns = delta_.columns;
    start.rank = delta_.rank;
    start.scaling = -delta_.scaling;
    for (uint64_t row = 0; row < start.rows; ++row) {
      for (uint64_t k = 0; k < start.rank; ++k) {
        start.left.push_back(static_cast<float>(left(row, k)));
      }
    }
    for (uint64_t k = 0; k < start.rank; ++k) {
      for (uint64_t i = 0; i < start.columns; ++i) {
        start.right.push_back(static_cast<float>(right(k, i)));
      }
    }
    return start;
  }

  LowRankMatrix delta_;
  mutable std::mutex mutex_;
  // Guarded by mutex_ until set, then never changed.
  mutable std::optional<LowRankMatrix> start_;
};

}  // namespace

std::unique_ptr<const TensorEdit> AddAndTakeStart(LowRankMatrix delta) {
  return std::make_unique<StartEdit>(std::move(delta));
}

}  // namespace tensorguard::internal
