// Meta's files for several processors, each with a share of every tensor, as one model.
#ifndef TENSORGUARD_WEIGHTS_NATIVE_PARALLEL_SHARDS_H_
#define TENSORGUARD_WEIGHTS_NATIVE_PARALLEL_SHARDS_H_

#include <memory>
#include <vector>

#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// `shards` are in the order of their processors ("consolidated.00.pth" first). Matrices that write
// what is split (wq, wk, wv, w1, w3, output) follow each other by rows, those that read it (wo, w2)
// by columns; the embedding by columns (Llama 1 and 2) or rows (Llama 3), as the width of the norms
// tells; norms are whole in every shard. Errors: kBadFile, naming the tensor, where a shard lacks
// it or has another shape or type; kUnsupported for a tensor of another name, of which it is not
// known how it was split.
// Source: the model code that Meta published with its weights (ColumnParallelLinear,
// RowParallelLinear, ParallelEmbedding).
Result<std::shared_ptr<const WeightSource>> JoinParallelShards(
    std::vector<std::shared_ptr<const WeightSource>> shards);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_NATIVE_PARALLEL_SHARDS_H_
