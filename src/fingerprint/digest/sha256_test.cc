#include "fingerprint/digest/sha256.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "fingerprint/digest/hex_text.h"

namespace tensorguard::internal {
namespace {

std::string DigestOf(std::string_view text, size_t piece) {
  Sha256Hasher hasher;
  for (size_t at = 0; at < text.size(); at += piece) {
    hasher.Add(std::as_bytes(std::span(text.substr(at, piece))));
  }
  return HexOf(hasher.Finish());
}

TEST(Sha256, OfKnownTexts) {
  // NIST's examples for FIPS 180-4, and of nothing.
  EXPECT_EQ(DigestOf("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(DigestOf("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(DigestOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(DigestOf(std::string(1'000'000, 'a'), 4096),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, IsThatOfAllPiecesInARow) {
  std::string text(300, ' ');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7);
  // Every length around the ends of blocks and of the place for the length.
  for (size_t length = 0; length <= text.size(); ++length) {
    const std::string_view part = std::string_view(text).substr(0, length);
    const std::string whole = DigestOf(part, text.size());
    for (const size_t piece : {1u, 3u, 55u, 63u, 64u, 65u}) {
      EXPECT_EQ(DigestOf(part, piece), whole) << length << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace tensorguard::internal
