// A fingerprint does not depend on whose processor made it: made again without the instructions
// that matrix products are fast by, it is equal but for the order of float32 sums.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <string>

#include "fingerprint/file/fingerprint_file.h"
#include "tests/cli/program_runner.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

struct InstructionSet {
  std::string name;
  std::string environment;  // for the libraries that choose by it
};

class InstructionSets : public testing::TestWithParam<InstructionSet> {
 protected:
  // Of a sample model, with variables set for the program.
  Fingerprint Print(const std::string& model, const std::string& environment) {
    const std::string file = model + ".fingerprint.safetensors";
    const auto folder = std::filesystem::current_path() / "examples/models" / model;
    const ProgramRun run =
        RunInShell(environment + " tensorguard fingerprint " + folder.string() + " -o " + file,
                   folder_.path());
    EXPECT_EQ(run.status, 0) << run.messages;
    auto fingerprint = ReadFingerprint(folder_.path() / file);
    EXPECT_TRUE(fingerprint) << DescribeError(fingerprint.error());
    return fingerprint ? *std::move(fingerprint) : Fingerprint();
  }

  ScratchFolder folder_;
};

float Greatest(std::span<const float> values) {
  float greatest = 0;
  for (const float value : values) greatest = std::max(greatest, std::abs(value));
  return greatest;
}

// Kernels are stored in bytes, row by row: the last bits of a float32 sum may tip some by one step.
void ExpectFewStepsOfOne(const FloatMatrix& a, const FloatMatrix& b) {
  ASSERT_EQ(a.rows(), b.rows());
  ASSERT_EQ(a.columns(), b.columns());
  size_t apart = 0;
  for (size_t row = 0; row < a.rows(); ++row) {
    const float step = Greatest(a.Row(row)) / 127;
    for (size_t i = 0; i < a.columns(); ++i) {
      ASSERT_NEAR(a.Row(row)[i], b.Row(row)[i], 1.01f * step) << "row " << row << ", column " << i;
      apart += std::abs(a.Row(row)[i] - b.Row(row)[i]) > 0.5f * step ? 1 : 0;
    }
  }
  EXPECT_LT(static_cast<double>(apart), 0.02 * static_cast<double>(a.values().size()));
}

// Sketches are stored as float16.
void ExpectClose(const FloatMatrix& a, const FloatMatrix& b) {
  ASSERT_EQ(a.values().size(), b.values().size());
  const float step = Greatest(a.values()) / 1024;
  for (size_t i = 0; i < a.values().size(); ++i) ASSERT_NEAR(a.values()[i], b.values()[i], step);
}

TEST_P(InstructionSets, MakeTheSameFingerprint) {
  for (const std::string model : {"cedar", "elm", "hazel"}) {
    SCOPED_TRACE(model);
    const Fingerprint here = Print(model, "");
    const Fingerprint there = Print(model, GetParam().environment);
    EXPECT_EQ(here.anchors, there.anchors);
    ASSERT_FALSE(here.layers.empty());
    ASSERT_EQ(here.layers.size(), there.layers.size());
    for (size_t i = 0; i < here.layers.size(); ++i) {
      ExpectFewStepsOfOne(here.layers[i].query_key, there.layers[i].query_key);
      ExpectFewStepsOfOne(here.layers[i].output_value, there.layers[i].output_value);
      ExpectFewStepsOfOne(here.layers[i].feed_forward, there.layers[i].feed_forward);
    }
    ASSERT_EQ(here.weights.size(), there.weights.size());
    for (size_t i = 0; i < here.weights.size(); ++i) {
      EXPECT_EQ(here.weights[i].digest, there.weights[i].digest);
      EXPECT_EQ(here.weights[i].norm, there.weights[i].norm);
      EXPECT_EQ(here.weights[i].quantiles, there.weights[i].quantiles);
      ExpectClose(here.weights[i].sketch, there.weights[i].sketch);
    }
  }
}

// The test on the weights and the comparison of forms are linear algebra, for which OpenBLAS takes
// other code on every kind of processor.
TEST(LinearAlgebraCores, TheTestSaysTheSame) {
  const ScratchFolder folder;
  const std::string samples = (std::filesystem::current_path() / "examples/models/").string();
  for (const std::string pair : {"cedar", "elm"}) {
    const std::string command =
        " tensorguard compare --deep --json " + samples + pair + " " + samples + "cedar--sft1";
    const ProgramRun one = RunInShell("OPENBLAS_CORETYPE=Haswell" + command, folder.path());
    ASSERT_EQ(one.status, 0) << one.messages;
    for (const std::string core : {"Prescott", "Sandybridge"}) {
      const ProgramRun other = RunInShell("OPENBLAS_CORETYPE=" + core + command, folder.path());
      EXPECT_EQ(one.output, other.output) << core;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Processors, InstructionSets,
    testing::Values(InstructionSet{"NoBFloat16", "DNNL_MAX_CPU_ISA=AVX512_CORE"},
                    InstructionSet{"Avx2", "DNNL_MAX_CPU_ISA=AVX2 OPENBLAS_CORETYPE=Haswell"},
                    InstructionSet{"Sse",
                                   "DNNL_MAX_CPU_ISA=SSE41 OPENBLAS_CORETYPE=Prescott "
                                   "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tensorguard::internal
