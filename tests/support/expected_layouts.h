// What the published models of the shared material must be read as.
#ifndef TENSORGUARD_TESTS_SUPPORT_EXPECTED_LAYOUTS_H_
#define TENSORGUARD_TESTS_SUPPORT_EXPECTED_LAYOUTS_H_

#include <ostream>
#include <string>
#include <vector>

namespace tensorguard::internal {

struct ExpectedLayout {
  std::string folder;
  std::string name;
  bool tied_head;
  std::string main;  // how DescribeStack of the main stack begins
};

inline void PrintTo(const ExpectedLayout& expected, std::ostream* out) { *out << expected.folder; }

inline const std::string kGatedLayer = "down gate key norm*2 output_projection query up value";
inline const std::string kFusedPlainLayer = "down norm*2 output_projection query_key_value up";
inline const std::string kGatedQkNormLayer =
    "down gate key norm*4 output_projection query up value";
inline const std::string kFusedGatedLayer = "down gate norm*2 output_projection query_key_value up";
inline const std::string kFusedBothLayer = "down gate_up norm*2 output_projection query_key_value";

inline const std::vector<ExpectedLayout> kExpectedLayouts = {
    {"bloom-176b", "bloom", true, "embedding norm*2 | 0-69: " + kFusedPlainLayer},
    {"chatglm-6b-int4-bin", "chatglm", false,
     "embedding norm output_head | 0-27: buffer down norm*2 output_projection query_key_value up"},
    {"chatglm2-6b-zhuzhi-bin", "chatglm2", false,
     "buffer embedding norm output_head*2 | 0-27: " + kFusedBothLayer},
    {"cosmos-reason2-8b-qwen3-vl", "qwen3_vl", false,
     "embedding norm output_head | 0-35: " + kGatedQkNormLayer},
    {"deepseek-ocr-2", "deepseek_vl_v2", false,
     "embedding norm output_head | 0: down gate key norm*2 output_projection query up value | "
     "1-11: down[expert]*64 down[shared] gate[expert]*64 gate[shared] key norm*2 output_projection "
     "query router up[expert]*64 up[shared] value"},
    {"devstral-small-2507", "mistral", false, "embedding norm output_head | 0-39: " + kGatedLayer},
    {"falcon-180b-chat", "falcon", true, "embedding norm output_head | 0-79: " + kFusedPlainLayer},
    {"falcon-40b-bin", "falcon", true, "embedding norm output_head | 0-59: " + kFusedPlainLayer},
    {"falcon-7b-instruct-bin", "falcon", true,
     "embedding norm output_head | 0-31: down norm output_projection query_key_value up"},
    {"fish-s2-pro", "fish_qwen3", true,
     "embedding norm | 0-35: down gate norm*4 output_projection query_key_value up"},
    {"fuyu-8b", "persimmon", false,
     "embedding norm output_head | 0-35: down norm*4 output_projection query_key_value up"},
    {"gemma-2-2b-bin", "gemma2", true, "embedding norm | 0-25: " + kGatedQkNormLayer},
    {"gemma-2b", "gemma", true, "embedding norm | 0-17: " + kGatedLayer},
    {"gemma-3-4b-text", "gemma3", true,
     "embedding norm | 0-33: down gate key norm*6 output_projection query up value"},
    {"gemma-4-26b-a4b-w4a16-compressed-tensors", "gemma4", true,
     "embedding norm | 0-4: down down[expert]*128 gain*3 gate gate[expert]*128 key norm*9 "
     "output_projection query router up up[expert]*128 value | 5: down down[expert]*128 gain*3 "
     "gate gate[expert]*128 key norm*9 output_projection query router up up[expert]*128"},
    {"gemma-4-31b", "gemma4", true,
     "embedding norm | 0-4: down gain gate key norm*6 output_projection query up value | 5: down "
     "gain gate key norm*6 output_projection query up"},
    {"glm-4-9b-chatglm", "chatglm2", false,
     "buffer embedding norm output_head | 0-39: " + kFusedBothLayer},
    {"gpt-j-6b-bin", "gptj", false,
     "embedding norm output_head | 0-27: buffer*2 down key norm output_projection query up value"},
    {"gpt-oss-20b-mxfp4", "gpt_oss", false,
     "embedding norm output_head | 0-23: down[stacked] gain gate_up[stacked] key norm*2 "
     "output_projection query router value"},
    {"granite-3.1-1b-a400m-moe", "granitemoe", true,
     "embedding norm | 0-23: down[stacked] gate_up[stacked] key norm*2 output_projection query "
     "router value"},
    {"granite-llama-7b", "llama", false, "embedding norm output_head | 0-31: " + kGatedLayer},
    {"internlm-20b-bin", "llama", false, "embedding norm output_head | 0-59: " + kGatedLayer},
    {"internlm-7b-flames-scorer-bin", "internlm", false,
     "embedding norm task_head*5 | 0-31: buffer down gate key norm*2 output_projection query up "
     "value"},
    {"internlm2-7b", "internlm2", false, "embedding norm output_head | 0-31: " + kFusedGatedLayer},
    {"llama-3-triangulum-10b", "llama", false, "embedding norm output_head | 0-39: " + kGatedLayer},
    {"llama3v-8b", "llama3v", false, "embedding norm output_head | 0-31: " + kGatedLayer},
    {"llava-1.5-7b-bin", "llava", false,
     "embedding norm output_head | 0-31: buffer down gate key norm*2 output_projection query up "
     "value"},
    {"llava-next-video-7b-nf4-lora-unmerged", "mistral", false,
     "embedding norm output_head | 0-31: adapter*14 down gate key norm*2 output_projection query "
     "up value"},
    {"locateanything-3b", "qwen2", true, "embedding norm output_head | 0-35: " + kGatedLayer},
    {"logics-thinking-8b-qwen3-convnext", "logics", false,
     "embedding norm output_head | 0-35: " + kGatedQkNormLayer},
    {"m2m100-nllb-1.3b", "m2m_100", true,
     "norm | 0-23: down key key[cross] norm*2 norm[cross] output_projection "
     "output_projection[cross] query query[cross] up value value[cross]"},
    {"medgemma-27b-it-gemma3", "gemma3", true,
     "embedding norm | 0-61: down gate key norm*6 output_projection query up value"},
    {"mimo-7b-mtp", "mimo", false, "embedding norm output_head | 0-35: " + kGatedLayer},
    {"minicpm-v-1", "minicpmv", false, "embedding norm output_head | 0-39: " + kGatedLayer},
    {"minicpm-v-2.6", "qwen2", false, "embedding norm output_head | 0-27: " + kGatedLayer},
    {"minimax-m1-456b", "minimax_m1", false,
     "embedding norm output_head | 0-6: down[expert]*32 gate[expert]*32 mixer*3 norm*3 router "
     "up[expert]*32 | 7: down[expert]*32 gate[expert]*32 key norm*2 output_projection query router "
     "up[expert]*32 value"},
    {"mistral-small-4-119b-mlx-4bit", "mistral4", false,
     "embedding norm output_head | 0-35: down[shared] down[stacked] gate[shared] gate[stacked] "
     "key_value_down key_value_up*2 norm*4 output_projection query_down query_up router up[shared] "
     "up[stacked]"},
    {"mixtral-8x22b-wizardlm-2", "mixtral", false,
     "embedding norm output_head | 0-55: down[expert]*8 gate[expert]*8 key norm*2 "
     "output_projection query router up[expert]*8 value"},
    {"mixtral-8x7b-dolphin", "mixtral", false,
     "embedding norm output_head | 0-31: down[expert]*8 gate[expert]*8 key norm*2 "
     "output_projection query router up[expert]*8 value"},
    {"molmo-7b-d-nf4", "molmo", false, "embedding*2 norm output_head | 0-27: " + kFusedBothLayer},
    {"mpt-7b-instruct-bin", "mpt", true, "embedding norm | 0-31: " + kFusedPlainLayer},
    {"nv-embed-v2", "bidir_mistral", false, "embedding norm | 0-31: " + kGatedLayer},
    {"olmocr-qwen2-vl-7b", "qwen2_vl", false, "embedding norm output_head | 0-27: " + kGatedLayer},
    {"openpangu-embedded-7b", "PanguEmbedded", false,
     "embedding norm output_head | 0-33: buffer down gate key norm*2 output_projection query up "
     "value"},
    {"paligemma-3b", "paligemma", true, "embedding norm | 0-17: " + kGatedLayer},
    {"phi-2-old-bin", "mixformer-sequential", false,
     "embedding norm output_head | 0-31: down norm output_projection query_key_value up"},
    {"phi-3-mini-slerp", "phi3", false, "embedding norm output_head | 0-31: " + kFusedBothLayer},
    {"phi-4", "phi3", false, "embedding norm output_head | 0-39: " + kFusedBothLayer},
    {"phi-tiny-moe", "phimoe", false,
     "embedding norm output_head | 0-31: down[expert]*16 gate[expert]*16 key norm*2 "
     "output_projection query router up[expert]*16 value"},
    {"pythia-1.4b-reward-model", "gpt_neox", false,
     "embedding norm task_head | 0-23: " + kFusedPlainLayer},
    {"qwen-vl-chat-gptq-int4", "qwen", false,
     "embedding norm output_head | 0-31: " + kFusedGatedLayer},
    {"qwen1-72b", "qwen", false, "embedding norm output_head | 0-79: " + kFusedGatedLayer},
    {"qwen1-7b-cantonese", "qwen", false, "embedding norm output_head | 0-31: " + kFusedGatedLayer},
    {"qwen1-7b-chat-gptq-int4", "qwen", false,
     "embedding norm output_head | 0-31: " + kFusedGatedLayer},
    {"qwen2.5-14b-mlx-4bit", "qwen2", false, "embedding norm output_head | 0-47: " + kGatedLayer},
    {"qwen2.5-14b-sakura", "qwen2", false, "embedding norm output_head | 0-47: " + kGatedLayer},
    {"qwen2.5-vl-7b", "qwen2_5_vl", false, "embedding norm output_head | 0-27: " + kGatedLayer},
    {"qwen3-1.7b-mlx-bf16", "qwen3", true, "embedding norm | 0-27: " + kGatedQkNormLayer},
    {"qwen3-14b-mlx-4bit", "qwen3", false,
     "embedding norm output_head | 0-39: " + kGatedQkNormLayer},
    {"qwen3.5-18b-reap-a3b-moe", "qwen3_5_moe", false,
     "embedding norm output_head | 0-2: down[expert]*128 down[shared] gate[expert]*128 "
     "gate[shared] mixer*7 norm*3 router router[shared] up[expert]*128 up[shared] | 3: "
     "down[expert]*128 down[shared] gate[expert]*128 gate[shared] key norm*4 output_projection "
     "query router router[shared] up[expert]*128 up[shared] value"},
    {"qwen3.5-27b-mlx-4bit-mtp", "qwen3_5", false,
     "embedding norm output_head | 0-2: down gate mixer*7 norm*3 up | 3: " + kGatedQkNormLayer},
    {"redpajama-incite-7b-gpt-neox-bin", "gpt_neox", false,
     "embedding norm output_head | 0-31: buffer*3 down norm*2 output_projection query_key_value "
     "up"},
    {"seamless-m4t-v2-large", "seamless_m4t_v2", true,
     "norm | 0-23: down key key[cross] norm*2 norm[cross] output_projection "
     "output_projection[cross] query query[cross] up value value[cross]"},
    {"stable-code-3b", "stablelm", false, "embedding norm output_head | 0-31: " + kGatedLayer},
    {"t5gemma-2b-2b", "t5gemma", true,
     "embedding norm | 0-25: down gate key key[cross] norm*4 norm[cross]*2 output_projection "
     "output_projection[cross] query query[cross] up value value[cross]"},
    {"xgen-mm-phi3", "phi3", false, "embedding*2 norm output_head*2 | 0-31: " + kFusedBothLayer},
    {"yi-1.5-6b-slerp", "llama", false, "embedding norm output_head | 0-31: " + kGatedLayer},
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_EXPECTED_LAYOUTS_H_
