// The architectures of the shared material, for the tests of this stage.
#ifndef TENSORGUARD_TESTS_SUPPORT_REAL_ARCHITECTURES_H_
#define TENSORGUARD_TESTS_SUPPORT_REAL_ARCHITECTURES_H_

#include <algorithm>
#include <string>
#include <vector>

namespace tensorguard::internal {

inline const std::vector<std::string> kRealArchitectures = {"albert",
                                                            "bart",
                                                            "bert",
                                                            "bloom",
                                                            "cohere",
                                                            "deberta-v2",
                                                            "deepseek-v2",
                                                            "deepseek-v3",
                                                            "distilbert",
                                                            "falcon",
                                                            "falcon-7b-style",
                                                            "gemma",
                                                            "gemma2",
                                                            "gemma3",
                                                            "glm",
                                                            "glm4",
                                                            "glm4-moe",
                                                            "gpt-bigcode",
                                                            "gpt-neo",
                                                            "gpt-neox",
                                                            "gpt-oss",
                                                            "gpt2",
                                                            "gptj",
                                                            "granite",
                                                            "granitemoe",
                                                            "jamba",
                                                            "llama",
                                                            "llama-tied",
                                                            "llama4-text",
                                                            "mamba",
                                                            "mamba2",
                                                            "minimax",
                                                            "mistral",
                                                            "mixtral",
                                                            "modernbert",
                                                            "mpt",
                                                            "olmo2",
                                                            "olmoe",
                                                            "opt",
                                                            "persimmon",
                                                            "phi",
                                                            "phi3",
                                                            "phimoe",
                                                            "qwen2",
                                                            "qwen2-moe",
                                                            "qwen3",
                                                            "qwen3-moe",
                                                            "qwen3-next",
                                                            "roberta",
                                                            "rwkv",
                                                            "smollm3",
                                                            "starcoder2",
                                                            "t5",
                                                            "t5-v1_1",
                                                            "xglm"};

inline std::string TestNameOf(std::string folder) {
  std::replace(folder.begin(), folder.end(), '-', '_');
  return folder;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_REAL_ARCHITECTURES_H_
