#include "transform/changes/dead_content.h"

#include <utility>
#include <vector>

#include "transform/decoder_parts.h"

namespace tensorguard::internal {
namespace {

void AddRows(Projection& map, const arma::fmat& rows) {
  map.weight = arma::join_cols(map.weight, rows);
  if (!map.bias.is_empty()) {
    map.bias = arma::join_cols(map.bias, arma::fvec(rows.n_rows, arma::fill::zeros));
  }
}

arma::fmat LoudNormals(const arma::fmat& like, uint64_t rows, uint64_t columns,
                       SeededDraws& draws) {
  return draws.Normals(rows, columns, kDeadLoudness * RootMeanSquare(like));
}

// Values whose halves are equal, and an output projection whose halves are opposite: what they
// write cancels in any precision.
struct DeadHead {
  arma::fmat values;               // [head size, hidden]
  std::vector<arma::fmat> output;  // [hidden, head size], one per query head
};

DeadHead MakeDeadHead(const Decoder& model, const DecoderLayer& like, SeededDraws& draws) {
  const uint64_t half = model.head_size / 2;
  DeadHead head = {.values = arma::fmat(model.head_size, model.hidden(), arma::fill::zeros),
                   .output = {}};
  const arma::fmat values = LoudNormals(like.value.weight, half, model.hidden(), draws);
  head.values.head_rows(2 * half) = arma::join_cols(values, values);
  for (uint64_t h = 0; h < model.heads_per_key(); ++h) {
    const arma::fmat read = LoudNormals(like.output.weight, model.hidden(), half, draws);
    arma::fmat output(model.hidden(), model.head_size, arma::fill::zeros);
    output.head_cols(2 * half) = arma::join_rows(read, -read);
    head.output.push_back(std::move(output));
  }
  return head;
}

}  // namespace

void AddDeadHeads(const Decoder& model, uint64_t groups, SeededDraws& draws, DecoderLayer& layer) {
  const DecoderLayer before = layer;
  const uint64_t size = model.head_size;
  for (uint64_t g = 0; g < groups; ++g) {
    const DeadHead head = MakeDeadHead(model, before, draws);
    AddRows(layer.key, LoudNormals(before.key.weight, size, model.hidden(), draws));
    AddRows(layer.value, head.values);
    for (const arma::fmat& output : head.output) {
      AddRows(layer.query, LoudNormals(before.query.weight, size, model.hidden(), draws));
      layer.output.weight = arma::join_rows(layer.output.weight, output);
    }
  }
}

void AddDeadUnits(uint64_t pairs, SeededDraws& draws, FeedForwardMatrices& block) {
  const uint64_t hidden = block.up.weight.n_cols;
  const auto twice = [](const arma::fmat& rows) { return arma::join_cols(rows, rows); };
  const arma::fmat up = LoudNormals(block.up.weight, pairs, hidden, draws);
  const arma::fmat down = LoudNormals(block.down.weight, hidden, pairs, draws);
  if (!block.gate.weight.is_empty()) {
    AddRows(block.gate, twice(LoudNormals(block.gate.weight, pairs, hidden, draws)));
  }
  AddRows(block.up, twice(up));
  block.down.weight = arma::join_rows(block.down.weight, arma::join_rows(down, -down));
}

void KillAttention(const Decoder& model, bool loud, SeededDraws& draws, DecoderLayer& layer) {
  layer.output.bias.zeros();
  layer.value.bias.zeros();
  layer.attention_output_gain.zeros();
  if (!loud) {
    for (Projection* map : {&layer.query, &layer.key, &layer.value, &layer.output}) {
      map->weight.zeros();
    }
    return;
  }
  const DecoderLayer like = layer;
  const uint64_t size = model.head_size;
  for (Projection* map : {&layer.query, &layer.key}) {
    map->weight = LoudNormals(map->weight, map->weight.n_rows, map->weight.n_cols, draws);
  }
  for (uint64_t g = 0; g < model.key_heads; ++g) {
    const DeadHead head = MakeDeadHead(model, like, draws);
    layer.value.weight.rows(g * size, (g + 1) * size - 1) = head.values;
    for (uint64_t h = 0; h < model.heads_per_key(); ++h) {
      const uint64_t first = (g * model.heads_per_key() + h) * size;
      layer.output.weight.cols(first, first + size - 1) = head.output[h];
    }
  }
}

void KillFeedForward(bool loud, SeededDraws& draws, DecoderLayer& layer) {
  layer.feed_forward_output_gain.zeros();
  ForEachBlock(layer, [&](FeedForwardMatrices& block) {
    const uint64_t units = block.up.weight.n_rows;
    FeedForwardMatrices dead = block;
    if (loud) AddDeadUnits(units / 2, draws, dead);
    for (Projection* map : {&block.gate, &block.up, &block.down}) {
      map->weight.zeros();
      map->bias.zeros();
    }
    const uint64_t added = loud ? units / 2 * 2 : 0;
    if (added == 0) return;
    const auto take = [&](Projection& to, const Projection& from) {
      if (!to.weight.is_empty()) to.weight.head_rows(added) = from.weight.tail_rows(added);
    };
    take(block.gate, dead.gate);
    take(block.up, dead.up);
    block.down.weight.head_cols(added) = dead.down.weight.tail_cols(added);
  });
}

}  // namespace tensorguard::internal
