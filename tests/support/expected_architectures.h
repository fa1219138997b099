// What the architectures of the shared material must be read as.
#ifndef TENSORGUARD_TESTS_SUPPORT_EXPECTED_ARCHITECTURES_H_
#define TENSORGUARD_TESTS_SUPPORT_EXPECTED_ARCHITECTURES_H_

#include <ostream>
#include <string>
#include <vector>

#include "roles/role.h"

namespace tensorguard::internal {

struct Expected {
  std::string folder;
  std::string name;
  bool tied_head;
  std::string main;          // DescribeStack of the main stack
  std::string encoder = "";  // of the encoder, where there is one
  Packing attention = Packing::kNone;
  Packing gate = Packing::kNone;
};

inline void PrintTo(const Expected& expected, std::ostream* out) { *out << expected.folder; }

// The layers that most models are made of.
inline const std::string kGated = "down gate key norm*2 output_projection query up value";
inline const std::string kPlain = "down key norm*2 output_projection query up value";
inline const std::string kFusedPlain = "down norm*2 output_projection query_key_value up";
inline const std::string kExperts =
    "down[expert]*4 gate[expert]*4 key norm*2 output_projection query router up[expert]*4 value";

// One row per folder: what its modelling code builds, layer by layer.
inline const std::vector<Expected> kExpected = {
    {.folder = "albert",
     .name = "albert",
     .tied_head = true,
     .main = "embedding embedding_projection norm*2 position_embedding*2 task_head | 0: " + kPlain},
    {.folder = "bart",
     .name = "bart",
     .tied_head = true,
     .main = "norm position_embedding | 0-1: down key key[cross] norm*2 norm[cross] "
             "output_projection output_projection[cross] query query[cross] up value value[cross]",
     .encoder = "norm position_embedding | 0-1: " + kPlain},
    {.folder = "bert",
     .name = "bert",
     .tied_head = true,
     .main = "embedding norm*2 position_embedding*2 task_head | 0-2: " + kPlain},
    {.folder = "bloom",
     .name = "bloom",
     .tied_head = true,
     .main = "embedding norm*2 | 0-2: " + kFusedPlain,
     .attention = Packing::kInterleavedHeads},
    {.folder = "cohere",
     .name = "cohere",
     .tied_head = true,
     .main = "embedding norm | 0-2: down gate key norm output_projection query up value"},
    {.folder = "deberta-v2",
     .name = "deberta-v2",
     .tied_head = true,
     .main = "embedding norm*2 position_embedding task_head | 0-2: " + kPlain},
    {.folder = "deepseek-v2",
     .name = "deepseek_v2",
     .tied_head = false,
     .main = "embedding norm output_head | 0: down gate key_value_down key_value_up norm*4 "
             "output_projection query_down query_up up | 1-2: down[expert]*4 down[shared] "
             "gate[expert]*4 gate[shared] key_value_down key_value_up norm*4 output_projection "
             "query_down query_up router up[expert]*4 up[shared]"},
    {.folder = "deepseek-v3",
     .name = "deepseek_v3",
     .tied_head = false,
     .main = "embedding norm output_head | 0: down gate key_value_down key_value_up norm*4 "
             "output_projection query_down query_up up | 1-2: down[expert]*4 down[shared] "
             "gate[expert]*4 gate[shared] key_value_down key_value_up norm*4 output_projection "
             "query_down query_up router up[expert]*4 up[shared]"},
    {.folder = "distilbert",
     .name = "distilbert",
     .tied_head = true,
     .main = "embedding norm*2 position_embedding task_head | 0-2: " + kPlain},
    {.folder = "falcon",
     .name = "falcon",
     .tied_head = true,
     .main = "embedding norm | 0-2: " + kFusedPlain,
     .attention = Packing::kInterleavedGroups},
    {.folder = "falcon-7b-style",
     .name = "falcon",
     .tied_head = true,
     .main = "embedding norm | 0-2: down norm output_projection query_key_value up",
     .attention = Packing::kInterleavedGroups},
    {.folder = "gemma",
     .name = "gemma",
     .tied_head = true,
     .main = "embedding norm | 0-2: " + kGated},
    {.folder = "gemma2",
     .name = "gemma2",
     .tied_head = true,
     .main = "embedding norm | 0-2: down gate key norm*4 output_projection query up value"},
    {.folder = "gemma3",
     .name = "gemma3",
     .tied_head = true,
     .main = "embedding norm | 0-2: down gate key norm*6 output_projection query up value"},
    {.folder = "glm",
     .name = "glm",
     .tied_head = false,
     .main =
         "embedding norm output_head | 0-2: down gate_up key norm*2 output_projection query value",
     .gate = Packing::kConcatenated},
    {.folder = "glm4",
     .name = "glm4",
     .tied_head = false,
     .main =
         "embedding norm output_head | 0-2: down gate_up key norm*4 output_projection query value",
     .gate = Packing::kConcatenated},
    {.folder = "glm4-moe",
     .name = "glm4_moe",
     .tied_head = false,
     .main = "embedding norm output_head | 0: down gate key norm*2 output_projection query up "
             "value | 1-2: down[expert]*4 down[shared] gate[expert]*4 gate[shared] key norm*2 "
             "output_projection query router up[expert]*4 up[shared] value"},
    {.folder = "gpt-bigcode",
     .name = "gpt_bigcode",
     .tied_head = true,
     .main = "embedding norm position_embedding | 0-2: " + kFusedPlain,
     .attention = Packing::kConcatenated},
    {.folder = "gpt-neo",
     .name = "gpt_neo",
     .tied_head = true,
     .main = "embedding norm position_embedding | 0-3: " + kPlain},
    {.folder = "gpt-neox",
     .name = "gpt_neox",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: " + kFusedPlain,
     .attention = Packing::kInterleavedHeads},
    {.folder = "gpt-oss",
     .name = "gpt_oss",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down[stacked] gain gate_up[stacked] key norm*2 "
             "output_projection query router value",
     .gate = Packing::kInterleavedRows},
    {.folder = "gpt2",
     .name = "gpt2",
     .tied_head = true,
     .main = "embedding norm position_embedding | 0-2: " + kFusedPlain,
     .attention = Packing::kConcatenated},
    {.folder = "gptj",
     .name = "gptj",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down key norm output_projection query up value"},
    {.folder = "granite",
     .name = "granite",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: " + kGated},
    {.folder = "granitemoe",
     .name = "granitemoe",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down[stacked] gate_up[stacked] key norm*2 "
             "output_projection query router value",
     .gate = Packing::kConcatenated},
    {.folder = "jamba",
     .name = "jamba",
     .tied_head = false,
     .main = "embedding norm output_head | 0: down gate mixer*7 norm*5 up | 1: down[expert]*4 "
             "gate[expert]*4 key norm*2 output_projection query router up[expert]*4 value | 2: "
             "down gate mixer*7 norm*5 up"},
    {.folder = "llama",
     .name = "llama",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: " + kGated},
    {.folder = "llama-tied",
     .name = "llama",
     .tied_head = true,
     .main = "embedding norm | 0-2: " + kGated},
    {.folder = "llama4-text",
     .name = "llama4",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down[shared] down[stacked] gate[shared] "
             "gate_up[stacked] key norm*2 output_projection query router up[shared] value",
     .gate = Packing::kConcatenated},
    {.folder = "mamba",
     .name = "mamba",
     .tied_head = true,
     .main = "embedding norm | 0-2: mixer*7 norm"},
    {.folder = "mamba2",
     .name = "mamba2",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: mixer*5 norm*2"},
    {.folder = "minimax",
     .name = "minimax",
     .tied_head = false,
     .main = "embedding norm output_head | 0: down[expert]*4 gate[expert]*4 key norm*2 "
             "output_projection query router up[expert]*4 value | 1: buffer*4 down[expert]*4 "
             "gate[expert]*4 mixer*3 norm*3 router up[expert]*4 | 2: " +
             kExperts},
    {.folder = "mistral",
     .name = "mistral",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: " + kGated},
    {.folder = "mixtral",
     .name = "mixtral",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: " + kExperts},
    {.folder = "modernbert",
     .name = "modernbert",
     .tied_head = true,
     .main = "embedding norm*3 task_head | 0: down gate_up norm output_projection query_key_value "
             "| 1-2: down gate_up norm*2 output_projection query_key_value",
     .attention = Packing::kConcatenated,
     .gate = Packing::kConcatenated},
    {.folder = "mpt",
     .name = "mpt",
     .tied_head = true,
     .main = "embedding norm | 0-2: " + kFusedPlain,
     .attention = Packing::kConcatenated},
    {.folder = "olmo2",
     .name = "olmo2",
     .tied_head = false,
     .main =
         "embedding norm output_head | 0-2: down gate key norm*4 output_projection query up value"},
    {.folder = "olmoe",
     .name = "olmoe",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down[expert]*4 gate[expert]*4 key norm*4 "
             "output_projection query router up[expert]*4 value"},
    {.folder = "opt",
     .name = "opt",
     .tied_head = true,
     .main = "embedding norm position_embedding | 0-2: " + kPlain},
    {.folder = "persimmon",
     .name = "persimmon",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down norm*4 output_projection query_key_value up",
     .attention = Packing::kInterleavedHeads},
    {.folder = "phi",
     .name = "phi",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down key norm output_projection query up value"},
    {.folder = "phi3",
     .name = "phi3",
     .tied_head = false,
     .main =
         "embedding norm output_head | 0-2: down gate_up norm*2 output_projection query_key_value",
     .attention = Packing::kConcatenated,
     .gate = Packing::kConcatenated},
    {.folder = "phimoe",
     .name = "phimoe",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: " + kExperts},
    {.folder = "qwen2",
     .name = "qwen2",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: " + kGated},
    {.folder = "qwen2-moe",
     .name = "qwen2_moe",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down[expert]*4 down[shared] gate[expert]*4 "
             "gate[shared] key norm*2 output_projection query router router[shared] up[expert]*4 "
             "up[shared] value"},
    {.folder = "qwen3",
     .name = "qwen3",
     .tied_head = false,
     .main =
         "embedding norm output_head | 0-2: down gate key norm*4 output_projection query up value"},
    {.folder = "qwen3-moe",
     .name = "qwen3_moe",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down[expert]*4 gate[expert]*4 key norm*4 "
             "output_projection query router up[expert]*4 value"},
    {.folder = "qwen3-next",
     .name = "qwen3_next",
     .tied_head = false,
     .main = "embedding norm output_head | 0-2: down[expert]*4 down[shared] gate[expert]*4 "
             "gate[shared] mixer*5 norm*3 router router[shared] up[expert]*4 up[shared] | 3: "
             "down[expert]*4 down[shared] gate[expert]*4 gate[shared] key norm*4 output_projection "
             "query router router[shared] up[expert]*4 up[shared] value",
     .attention = Packing::kInterleavedGate},
    {.folder = "roberta",
     .name = "roberta",
     .tied_head = true,
     .main = "embedding norm*2 position_embedding*2 task_head | 0-2: " + kPlain},
    {.folder = "rwkv",
     .name = "rwkv",
     .tied_head = false,
     .main =
         "embedding norm output_head | 0: down mixer*12 norm*3 up | 1-2: down mixer*12 norm*2 up"},
    {.folder = "smollm3",
     .name = "smollm3",
     .tied_head = true,
     .main = "embedding norm | 0-2: " + kGated},
    {.folder = "starcoder2",
     .name = "starcoder2",
     .tied_head = true,
     .main = "embedding norm | 0-2: " + kPlain},
    {.folder = "t5",
     .name = "t5",
     .tied_head = true,
     .main = "norm | 0: down key key[cross] norm*3 output_projection output_projection[cross] "
             "position_embedding query query[cross] up value value[cross] | 1: down key key[cross] "
             "norm*3 output_projection output_projection[cross] query query[cross] up value "
             "value[cross]",
     .encoder =
         "norm | 0: down key norm*2 output_projection position_embedding query up value | 1: " +
         kPlain},
    {.folder = "t5-v1_1",
     .name = "t5",
     .tied_head = true,
     .main = "norm | 0: down gate key key[cross] norm*3 output_projection output_projection[cross] "
             "position_embedding query query[cross] up value value[cross] | 1: down gate key "
             "key[cross] norm*3 output_projection output_projection[cross] query query[cross] up "
             "value value[cross]",
     .encoder = "norm | 0: down gate key norm*2 output_projection position_embedding query up "
                "value | 1: " +
                kGated},
    {.folder = "xglm",
     .name = "xglm",
     .tied_head = true,
     .main = "embedding norm | 0-2: " + kPlain},
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_EXPECTED_ARCHITECTURES_H_
