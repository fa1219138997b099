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
  StartEdit(LowRankMatrix delta, LoraStart start) : delta_(std::move(delta)), start_kind_(start) {}

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
    TG_ASSIGN(const auto directions, start_kind_ == LoraStart::kFirstColumns
                                         ? FirstColumns(unedited)
                                         : LeadingVectors(unedited));
    arma::mat along(delta_.rank, delta_.columns, arma::fill::zeros);
    TG_TRY(ForEachRow(unedited, [&](uint64_t row, std::span<const float> values) {
      for (uint64_t i = 0; i < delta_.columns; ++i) {
        for (uint64_t k = 0; k < delta_.rank; ++k) along(k, i) += directions(row, k) * values[i];
      }
    }));
    start_ = AsLowRank(directions, along);
    return {};
  }

  // [rows, rank], orthonormal.
  Result<arma::mat> FirstColumns(const ReadElements& unedited) const {
    arma::mat first(delta_.rows, delta_.rank);
    TG_TRY(ForEachRow(unedited, [&](uint64_t row, std::span<const float> values) {
      for (uint64_t k = 0; k < delta_.rank; ++k) first(row, k) = values[k];
    }));
    arma::mat directions;
    arma::mat rest;
    if (!arma::qr_econ(directions, rest, first)) return NoDecomposition();
    return directions;
  }

  // The same, of the Gram matrix of the smaller side.
  Result<arma::mat> LeadingVectors(const ReadElements& unedited) const {
    arma::mat matrix(delta_.rows, delta_.columns);
    TG_TRY(ForEachRow(unedited, [&](uint64_t row, std::span<const float> values) {
      for (uint64_t i = 0; i < delta_.columns; ++i) matrix(row, i) = values[i];
    }));
    const bool by_rows = delta_.rows <= delta_.columns;
    arma::vec squares;
    arma::mat vectors;
    const arma::mat gram =
        by_rows ? arma::mat(matrix * matrix.t()) : arma::mat(matrix.t() * matrix);
    if (!arma::eig_sym(squares, vectors, gram)) return NoDecomposition();
    const arma::mat leading = vectors.tail_cols(delta_.rank);
    if (by_rows) return leading;
    arma::mat written = matrix * leading;
    for (uint64_t k = 0; k < delta_.rank; ++k) {
      const double length = arma::norm(written.col(k));
      if (length > 0) written.col(k) /= length;
    }
    return written;
  }

  static Error NoDecomposition() {
    return {.kind = ErrorKind::kSystem,
            .problem = "the system's linear algebra cannot decompose the base's matrix"};
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
    start.scaling = start_kind_ == LoraStart::kFirstColumns ? -delta_.scaling : -1;
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
  LoraStart start_kind_;
  mutable std::mutex mutex_;
  // Guarded by mutex_ until set, then never changed.
  mutable std::optional<LowRankMatrix> start_;
};

}  // namespace

std::unique_ptr<const TensorEdit> AddAndTakeStart(LowRankMatrix delta, LoraStart start) {
  return std::make_unique<StartEdit>(std::move(delta), start);
}

}  // namespace tensorguard::internal
