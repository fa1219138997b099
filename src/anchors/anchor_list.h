// The anchor strings: a fixed part of the method, written by scripts/make_anchor_list.py.
#ifndef TENSORGUARD_ANCHORS_ANCHOR_LIST_H_
#define TENSORGUARD_ANCHORS_ANCHOR_LIST_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace tensorguard::internal {

// Changes with every change of the list: anchors of two versions must not be compared by index.
inline constexpr int kAnchorListVersion = 1;

// The first anchors are words with a space in front (" the"), which vocabularies of the usual sizes
// hold; the others are single characters and short pieces, for small vocabularies.
inline constexpr size_t kWordAnchors = 512;
inline constexpr size_t kPieceAnchors = 512;

// No string occurs twice.
std::span<const std::string_view> AnchorList();

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ANCHORS_ANCHOR_LIST_H_
