#include "fingerprint/digest/blake3.h"

#include <algorithm>
#include <cstring>

namespace tensorguard::internal {
namespace {

Blake3Node NodeAt(const Blake3Nodes& nodes, size_t index) {
  Blake3Node node;
  for (size_t i = 0; i < node.size(); ++i) node[i] = nodes.words[i][index];
  return node;
}

void SetNode(Blake3Nodes& nodes, size_t index, const Blake3Node& node) {
  for (size_t i = 0; i < node.size(); ++i) nodes.words[i][index] = node[i];
}

// Merges neighbours, level by level, until at most two nodes are left; returns how many. A node
// without a neighbour goes up as it is: so every left subtree is the largest full one.
size_t MergeToTwo(Blake3Nodes& nodes, size_t count) {
  while (count > 2) {
    const size_t pairs = count / 2;
    const bool has_single = count % 2 == 1;
    const Blake3Node single = NodeAt(nodes, count - 1);
    HashParents(pairs, nodes);
    if (has_single) SetNode(nodes, pairs, single);
    count = pairs + (has_single ? 1 : 0);
  }
  return count;
}

Blake3Digest DigestOf(const Blake3Node& root) {
  Blake3Digest digest;
  static_assert(sizeof(root) == sizeof(digest));
  std::memcpy(digest.data(), root.data(), digest.size());
  return digest;
}

}  // namespace

void Blake3Hasher::Push(const Blake3Nodes& nodes, size_t count) {
  for (size_t i = 0; i < count; ++i) subtrees_[subtree_count_++] = NodeAt(nodes, i);
}

// Subtrees are merged only when more follows, since the last merge of all is another.
void Blake3Hasher::MergeFinished() {
  if (batches_ == 0) return;
  // The two halves of the last batch, and as many levels as it completed.
  for (uint64_t completed = batches_ * 2; completed % 2 == 0; completed /= 2) {
    --subtree_count_;
    Blake3Node& left = subtrees_[subtree_count_ - 1];
    left = Blake3Parent(left, subtrees_[subtree_count_], 0);
  }
}

void Blake3Hasher::HashBatch(const std::byte* bytes) {
  MergeFinished();
  Blake3Nodes nodes;
  HashChunks(bytes, kBlake3Batch, batches_ * kBlake3Batch, nodes);
  Push(nodes, MergeToTwo(nodes, kBlake3Batch));
  ++batches_;
}

void Blake3Hasher::Add(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (buffered_ == 0 && bytes.size() >= kBlake3BatchBytes) {
      HashBatch(bytes.data());
      bytes = bytes.subspan(kBlake3BatchBytes);
      continue;
    }
    const size_t taken = std::min(bytes.size(), kBlake3BatchBytes - buffered_);
    std::memcpy(buffer_.data() + buffered_, bytes.data(), taken);
    buffered_ += taken;
    bytes = bytes.subspan(taken);
    if (buffered_ < kBlake3BatchBytes) continue;
    HashBatch(buffer_.data());
    buffered_ = 0;
  }
}

Blake3Digest Blake3Hasher::Finish() {
  const std::span<const std::byte> rest = std::span(buffer_).first(buffered_);
  if (batches_ == 0 && rest.size() <= kBlake3ChunkBytes) {
    return DigestOf(Blake3Chunk(rest, 0, kBlake3Root));
  }
  if (!rest.empty()) {
    MergeFinished();
    Blake3Nodes nodes = {};
    const size_t full = rest.size() / kBlake3ChunkBytes;
    const uint64_t first_chunk = batches_ * kBlake3Batch;
    if (full > 0) HashChunks(rest.data(), full, first_chunk, nodes);
    const auto last = rest.subspan(full * kBlake3ChunkBytes);
    if (!last.empty()) SetNode(nodes, full, Blake3Chunk(last, first_chunk + full, 0));
    Push(nodes, MergeToTwo(nodes, full + (last.empty() ? 0 : 1)));
  }
  while (subtree_count_ > 1) {
    --subtree_count_;
    Blake3Node& left = subtrees_[subtree_count_ - 1];
    left = Blake3Parent(left, subtrees_[subtree_count_], subtree_count_ == 1 ? kBlake3Root : 0);
  }
  return DigestOf(subtrees_[0]);
}

Blake3Digest Blake3(std::span<const std::byte> bytes) {
  Blake3Hasher hasher;
  hasher.Add(bytes);
  return hasher.Finish();
}

}  // namespace tensorguard::internal
