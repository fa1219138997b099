// BLAKE3 in vector lanes: known digests, the plain definition, and another program.
#include "fingerprint/digest/blake3.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "fingerprint/sketches/probe_numbers.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

std::vector<std::byte> RandomBytes(size_t size) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(RandomBits(1, i));
  return bytes;
}

std::string Hex(const Blake3Digest& digest) { return fmt::format("{:02x}", fmt::join(digest, "")); }

TEST(Blake3, AgreesWithThePlainDefinitionForAllLengths) {
  const auto bytes = RandomBytes(5000);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const auto part = std::span(bytes).first(size);
    ASSERT_EQ(Blake3(part), Blake3Plainly(part)) << size;
  }
}

TEST(Blake3, AgreesWithThePlainDefinitionOnEveryInstructionSet) {
  std::vector<size_t> sizes = {1, 64, 1023, 1024, 1025, 2047, 2048, 2049, 4096, 5000, 150'003};
  // Every number of chunks up to the widest lanes, then around whole batches.
  for (size_t chunks = 3; chunks <= 18; ++chunks) sizes.push_back(chunks * kBlake3ChunkBytes + 5);
  for (size_t batches = 1; batches <= 3; ++batches) {
    for (const size_t more : {-1, 0, 1}) {
      sizes.push_back(batches * kBlake3BatchBytes + more);
    }
  }
  const auto bytes = RandomBytes(200'000);
  for (const size_t size : sizes) {
    const auto part = std::span(bytes).first(size);
    const Blake3Digest expected = Blake3Plainly(part);
    for (int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
      hwy::SetSupportedTargetsForTest(targets & -targets);
      EXPECT_EQ(Blake3(part), expected) << hwy::TargetName(targets & -targets) << " " << size;
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

TEST(Blake3, DoesNotDependOnHowTheBytesAreCut) {
  const auto bytes = RandomBytes(300'000);
  const Blake3Digest expected = Blake3Plainly(bytes);
  for (const size_t piece : {7'777, 65'535, 65'536, 65'537, 140'000}) {
    Blake3Hasher hasher;
    for (size_t begin = 0; begin < bytes.size(); begin += piece) {
      hasher.Add(std::span(bytes).subspan(begin, std::min(piece, bytes.size() - begin)));
    }
    EXPECT_EQ(hasher.Finish(), expected) << piece;
  }
}

// Counters that fill more than 32 bits, which no test can hash its way to.
TEST(Blake3, CountsChunksWithAllBits) {
  const auto bytes = RandomBytes(kBlake3BatchBytes);
  const uint64_t first = (uint64_t{5} << 32) - kBlake3Batch;
  for (int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    for (const uint64_t first_chunk : {first, first + kBlake3Batch}) {
      Blake3Nodes nodes;
      HashChunks(bytes.data(), kBlake3Batch, first_chunk, nodes);
      for (size_t i = 0; i < kBlake3Batch; ++i) {
        const auto chunk = std::span(bytes).subspan(i * kBlake3ChunkBytes, kBlake3ChunkBytes);
        const Blake3Node node = Blake3Chunk(chunk, first_chunk + i, 0);
        for (size_t word = 0; word < node.size(); ++word) {
          EXPECT_EQ(nodes.words[word][i], node[word]);
        }
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
}

// Of the bytes 0, 1, ... 250, 0, 1, ...: the pattern of the published test vectors.
TEST(Blake3, GivesKnownDigests) {
  struct Known {
    size_t size;
    std::string_view digest;
  };
  for (const auto& [size, digest] : {
           Known{0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
           Known{1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
           Known{1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
           Known{1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
           Known{3073, "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3"},
           Known{31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"},
           Known{102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
       }) {
    std::vector<std::byte> bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i % 251);
    EXPECT_EQ(Hex(Blake3(bytes)), digest) << size;
    EXPECT_EQ(Hex(Blake3Plainly(bytes)), digest) << size;
  }
}

TEST(Blake3, AgreesWithTheProgramB3sum) {
  if (std::system("command -v b3sum >/dev/null") != 0) {
    GTEST_SKIP() << "needs the program b3sum (apt-get install b3sum)";
  }
  const ScratchFolder folder;
  for (const size_t size : {5'000, 65'536, 1'000'001}) {
    const auto bytes = RandomBytes(size);
    const auto file = folder.Write(
        "bytes", std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    const auto output = folder.path() / "digest";
    const std::string command =
        fmt::format("b3sum --no-names '{}' >'{}'", file.string(), output.string());
    ASSERT_EQ(std::system(command.c_str()), 0);
    std::string digest;
    std::ifstream(output) >> digest;
    EXPECT_EQ(Hex(Blake3(bytes)), digest) << size;
  }
}

}  // namespace
}  // namespace tensorguard::internal
