#include "network/streams/extra_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

// Which of its prompts CPM-Ant puts before a text that it continues.
constexpr uint64_t kPromptUsed = 2;

void AddRow(std::span<const float> row, std::span<float> to) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += row[i];
}

Result<std::optional<ExtraRows>> FindPrompt(const StackContext& context, const LayerParts& outer,
                                            const Embedding& embedding) {
  static constexpr std::array<std::string_view, 1> kLength = {"prompt_length"};
  const Weight* segments = outer.Named("segment_embedding.weight");
  const auto length = context.config.Number(kLength);
  const auto words = context.config.VocabularySize();
  if (segments == nullptr || !length || !words || embedding.table == nullptr) {
    return std::optional<ExtraRows>();
  }
  const ExtraRows rows{.kind = ExtraRowsKind::kPrompt,
                       .table = embedding.table,
                       .first = *words + kPromptUsed * *length,
                       .count = *length,
                       .segments = segments};
  const bool fits = rows.first + rows.count <= rows.table->rows &&
                    segments->rows > SegmentOfToken(1) &&
                    segments->columns == embedding.hidden_size();
  if (!fits) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the embedding has no row for each token of the prompt",
                 .tensor = outer.NameOf(*rows.table),
                 .found = fmt::format("{} rows", rows.table->rows),
                 .expected = fmt::format("{} at least", rows.first + rows.count)};
  }
  return std::optional(rows);
}

// A table of rows as wide as the stream, all of which run.
std::optional<ExtraRows> FindTable(const StackContext& context, const LayerParts& outer,
                                   const Embedding& embedding) {
  for (const Weight* weight : outer.weights()) {
    if (weight->role.stack != context.name || weight->columns != embedding.hidden_size()) continue;
    const bool global = EndsInWords(outer.NameOf(*weight), "embed_global.weight");
    const bool streams = EndsInWords(outer.NameOf(*weight), "ngram_embeddings.weight");
    if (!global && !streams) continue;
    return ExtraRows{.kind = global ? ExtraRowsKind::kGlobal : ExtraRowsKind::kStreams,
                     .table = weight,
                     .count = weight->rows};
  }
  return {};
}

Result<FloatMatrix> WithPrompt(const ExtraRows& extra, const Embedding& embedding,
                               std::span<const uint32_t> ids, const FloatMatrix& tokens) {
  TG_ASSIGN(const auto own,
            ReadWeightRows(*embedding.source, *extra.table, extra.first, extra.count));
  FloatMatrix rows(extra.count + tokens.rows(), tokens.columns());
  if (extra.segments == nullptr) {
    std::ranges::copy(own.values(), rows.values().begin());
    std::ranges::copy(tokens.values(), rows.values().subspan(own.values().size()).begin());
    return rows;
  }
  TG_ASSIGN(const auto segments, ReadWeight(*embedding.source, *extra.segments));
  for (size_t i = 0; i < rows.rows(); ++i) {
    const bool of_prompt = i < extra.count;
    const size_t token = of_prompt ? 0 : i - extra.count;
    std::ranges::copy(of_prompt ? own.Row(i) : tokens.Row(token), rows.Row(i).begin());
    AddRow(segments.Row(of_prompt ? SegmentOfPrompt() : SegmentOfToken(ids[token])), rows.Row(i));
  }
  return rows;
}

// A stream's rows know the position behind their token's, and the last stream but one before the
// first: so its library counts them.
Result<FloatMatrix> WithStreams(const ExtraRows& extra, const Embedding& embedding,
                                const FloatMatrix& tokens) {
  TG_ASSIGN(const auto own, ReadWeight(*embedding.source, *extra.table));
  const size_t length = tokens.rows();
  const uint64_t first = embedding.position_offset + 1;
  if (embedding.positions == nullptr || first + length > embedding.positions->rows) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the sequence is longer than the table of positions",
                 .found = fmt::format("{} tokens", length)};
  }
  TG_ASSIGN(const auto positions,
            ReadWeightRows(*embedding.source, *embedding.positions, first, length));
  FloatMatrix added(extra.count * length, tokens.columns());
  for (size_t stream = 0; stream < extra.count; ++stream) {
    for (size_t i = 0; i < length; ++i) {
      const auto row = added.Row(stream * length + i);
      AddRow(own.Row((stream + extra.count - 1) % extra.count), row);
      AddRow(positions.Row(i), row);
    }
  }
  TG_ASSIGN(const auto normalised, ApplyIfAny(embedding.norm, std::move(added)));
  FloatMatrix rows(length + normalised.rows(), tokens.columns());
  std::ranges::copy(tokens.values(), rows.values().begin());
  std::ranges::copy(normalised.values(), rows.values().subspan(tokens.values().size()).begin());
  return rows;
}

}  // namespace

uint64_t SegmentOfPrompt() { return 0; }

uint64_t SegmentOfToken(uint32_t id) { return id == 0 ? 0 : 2; }

FloatMatrix RowsOf(const FloatMatrix& rows, size_t first, size_t count) {
  FloatMatrix some(count, rows.columns());
  const auto from = rows.values().subspan(first * rows.columns(), count * rows.columns());
  std::ranges::copy(from, some.values().begin());
  return some;
}

RowLayout LayoutOf(const std::optional<ExtraRows>& extra, size_t tokens) {
  if (!extra) return {.tokens = tokens};
  if (extra->before()) return {.before = extra->count, .tokens = tokens};
  return {.tokens = tokens, .streams = extra->count};
}

Result<std::optional<ExtraRows>> FindExtraRows(const StackContext& context, const LayerParts& outer,
                                               const Embedding& embedding) {
  if (auto found = FindTable(context, outer, embedding)) return found;
  return FindPrompt(context, outer, embedding);
}

Result<FloatMatrix> AddExtraRows(const ExtraRows& extra, const Embedding& embedding,
                                 std::span<const uint32_t> ids, const FloatMatrix& tokens) {
  if (extra.kind == ExtraRowsKind::kStreams) return WithStreams(extra, embedding, tokens);
  return WithPrompt(extra, embedding, ids, tokens);
}

}  // namespace tensorguard::internal
