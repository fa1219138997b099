// The forms of one attention or feed-forward from what its weights are along some directions.
#ifndef TENSORGUARD_PROFILE_FRAME_PART_FORMS_H_
#define TENSORGUARD_PROFILE_FRAME_PART_FORMS_H_

#include <armadillo>
#include <vector>

#include "network/attention/attention.h"
#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// A weight along n directions of the residual stream, [n, outer]: a column for each row of one that
// reads the stream, for each column of one that writes it.
using Projection = FloatMatrix;

// Units at unit norm along the n directions, a row each, with what they write.
struct LoudUnits {
  std::vector<double> written;  // descending
  arma::mat gates;              // [units, n]; empty without a gate
  arma::mat ups;
  arma::mat downs;
};

// [n, n] each; empty where the part does nothing.
struct PartForms {
  arma::mat first;   // of an attention W_q' W_k; of a feed-forward W_down W_up
  arma::mat second;  // of an attention W_o W_v; of a feed-forward the gates' second moment
  arma::mat reads;   // second moments of what reads and writes the stream
  arma::mat writes;
  double written = 0;  // what it writes in all: counts a part among those of its layer
  LoudUnits units;     // of a feed-forward, along more directions (LoudestUnits)
};

// Units (heads, parts) count by what they write, but the loud ones no more than twice as much as
// the middle one: w / (w + median), of sum 1. What writes nothing weighs nothing. All zero where
// all weights are.
std::vector<double> SaturatedShares(const std::vector<double>& written);

// Heads at unit norm by |W_o W_v| along the directions; heads with the same scores count as one
// that writes what they write together. REQUIRES: projections of these shapes.
PartForms AttentionForms(const AttentionShape& shape, const Projection& query,
                         const Projection& key, const Projection& value, const Projection& output);

// Units at unit norm by |gate| |up| |down| along the directions, those that read the same merged.
// Without a gate `gate` is `up`, the same object, and counts once.
PartForms FeedForwardForms(const Projection& gate, const Projection& up, const Projection& down);

// The units that write most, by the same measure, those that read the same merged: kMostFrameUnits
// at most.
LoudUnits LoudestUnits(const Projection& gate, const Projection& up, const Projection& down);

// The mean by SaturatedShares of what each writes.
PartForms MeanForms(const std::vector<PartForms>& parts);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_FRAME_PART_FORMS_H_
