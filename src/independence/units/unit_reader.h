// The vectors of a block's hidden units, some units at a time, so that memory does not follow the
// size of the block.
#ifndef TENSORGUARD_INDEPENDENCE_UNITS_UNIT_READER_H_
#define TENSORGUARD_INDEPENDENCE_UNITS_UNIT_READER_H_

#include <armadillo>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "independence/stream/input_norm.h"
#include "independence/units/feed_forward_units.h"
#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

enum class UnitMatrix { kGate, kUp, kDown };
inline constexpr size_t kUnitMatrices = 3;

// Reads what ReadUnitVectors reads, but any range of units. What depends on all of them, the mean
// unit, is found once, on opening. Const methods may be called from any thread; the network must
// outlive the reader.
class UnitReader {
 public:
  // Errors: those of ReadUnitVectors.
  static Result<UnitReader> Open(const Network& network, const FeedForwardBlock& block,
                                 unsigned threads);

  bool has_gate() const { return block_.gate.has_value(); }
  uint64_t units() const { return block_.units(); }
  uint64_t hidden() const { return block_.up.columns; }

  // Columns of units [first, first + count): hidden x count. REQUIRES: they exist; has_gate() for
  // kGate. Errors: those of ReadWeight.
  Result<arma::fmat> Read(UnitMatrix matrix, uint64_t first, uint64_t count) const;

  // All matrices of these units.
  Result<UnitVectors> ReadAll(uint64_t first, uint64_t count) const;

  // The same as Read on several threads.
  Result<arma::fmat> ReadInParallel(UnitMatrix matrix, uint64_t first, uint64_t count,
                                    unsigned threads) const;

 private:
  UnitReader(const Network& network, const FeedForwardBlock& block, InputNorm norm);

  Result<arma::fmat> ReadWithMean(UnitMatrix matrix, uint64_t first, uint64_t count) const;
  Result<void> FindMean(UnitMatrix matrix, unsigned threads);

  const Network* network_;
  FeedForwardBlock block_;
  InputNorm norm_;
  std::optional<Weight> down_by_unit_;           // empty where `down` can only be read whole
  std::array<arma::fvec, kUnitMatrices> means_;  // empty where the mean stays
};

// Readers of a network's blocks, each opened when it is first asked for.
class UnitReaders {
 public:
  // `network` must outlive it. threads 0: one per processor.
  UnitReaders(const Network& network, unsigned threads) : network_(network), threads_(threads) {}

  // Stays valid. Not for several threads. Errors: those of UnitReader::Open.
  Result<const UnitReader*> Of(const FeedForwardBlock& block);

  const Network& network() const { return network_; }

 private:
  const Network& network_;
  unsigned threads_;
  std::map<std::pair<size_t, std::optional<uint32_t>>, UnitReader> readers_;
};

// The matrix [hidden, units] as [units, hidden]: the same numbers, read by unit. Empty where its
// stored rows are not in one piece. Rows of it are numbers of `down`'s columns.
std::optional<Weight> ReadTransposed(const Weight& down);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_UNITS_UNIT_READER_H_
