// Which files are chosen, and that every folder that cannot be a whole model is refused with its
// reason.
#include "weights/files/weight_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// A folder of empty files; the choice depends on names and the index alone.
class Folder : public ScratchFolder {
 public:
  explicit Folder(const std::vector<std::string>& names) {
    for (const std::string& name : names) Write(name, "");
  }
  const Folder& WithIndex(const std::string& weight_map,
                          const std::string& name = "model.safetensors.index.json") const {
    Write(name, R"({"metadata": {}, "weight_map": )" + weight_map + "}");
    return *this;
  }
};

std::vector<std::string> Chosen(const std::filesystem::path& path) {
  const auto files = FindWeightFiles(path);
  if (!files) return {DescribeError(files.error())};
  std::vector<std::string> names;
  for (const auto& file : files->files) names.push_back(file.filename().string());
  return names;
}

std::string Problem(const std::filesystem::path& path) {
  const auto files = FindWeightFiles(path);
  return files ? "no error" : DescribeError(files.error());
}

constexpr const char* kWhatIsRead =
    "  expected: safetensors: one file, numbered shards (model-00001-of-00003.safetensors), or an "
    "index (model.safetensors.index.json) and its shards; GGUF: one file or numbered parts; "
    "PyTorch: one file (.bin, .pt, .pth, .ckpt), numbered shards, or an index "
    "(pytorch_model.bin.index.json) and its shards; NumPy: one .npz; ONNX: one file with its "
    "external data, or those of an encoder and its decoder";

TEST(WeightFiles, OneFile) {
  const Folder folder({"config.json", "model.safetensors", "tokenizer.json"});
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("model.safetensors"));
  EXPECT_THAT(Chosen(folder.path() / "model.safetensors"), ElementsAre("model.safetensors"));
}

TEST(WeightFiles, OneFileOfAnyName) {
  EXPECT_THAT(Chosen(Folder({"weights.v2.safetensors"}).path()),
              ElementsAre("weights.v2.safetensors"));
  EXPECT_THAT(Chosen(Folder({"adapter_model.safetensors"}).path()),
              ElementsAre("adapter_model.safetensors"));
  EXPECT_THAT(Chosen(Folder({"0000600_adapters.safetensors"}).path()),
              ElementsAre("0000600_adapters.safetensors"));
}

TEST(WeightFiles, NumberedShardsWithoutIndex) {
  EXPECT_THAT(
      Chosen(
          Folder({"model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors"}).path()),
      ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"));
  EXPECT_THAT(Chosen(Folder({"w-0-of-2.safetensors", "w-1-of-2.safetensors"}).path()),
              ElementsAre("w-0-of-2.safetensors", "w-1-of-2.safetensors"));
}

TEST(WeightFiles, TheMainModelIsChosenAmongOthers) {
  EXPECT_THAT(Chosen(Folder({"golden.safetensors", "model.safetensors", "mtp.safetensors"}).path()),
              ElementsAre("model.safetensors"));
  EXPECT_THAT(Chosen(Folder({"model-1-of-1.safetensors", "mtp.safetensors",
                             "consolidated-1-of-3.safetensors"})
                         .path()),
              ElementsAre("model-1-of-1.safetensors"));
  EXPECT_THAT(Chosen(Folder({"model_1-of-1.safetensors", "x.safetensors"}).path()),
              ElementsAre("model_1-of-1.safetensors"));
}

TEST(WeightFiles, AdaptersAndFingerprintsBesideAModelDoNotCount) {
  EXPECT_THAT(Chosen(Folder({"adapter_model.safetensors", "x.safetensors", "y_adapters.safetensors",
                             "x.fingerprint.safetensors"})
                         .path()),
              ElementsAre("x.safetensors"));
  EXPECT_THAT(Chosen(Folder({"adapter_model.safetensors", "x-1-of-1.safetensors"}).path()),
              ElementsAre("x-1-of-1.safetensors"));
  EXPECT_THAT(Problem(Folder({"x.fingerprint.safetensors"}).path()),
              HasSubstr("folder holds no weights"));
}

TEST(WeightFiles, OtherPrecisionsInOneFolderAreNotGuessed) {
  const Folder folder({"x.fp16.safetensors", "x.safetensors"});
  EXPECT_EQ(Problem(folder.path()), folder.path().string() +
                                        ": folder holds more than one model\n"
                                        "  found:    x.fp16.safetensors, x.safetensors\n"
                                        "  try:      give the path of one weight file or index: " +
                                        (folder.path() / "x.fp16.safetensors").string());
}

TEST(WeightFiles, ASetAndAFileOfOtherNamesAreNotGuessed) {
  EXPECT_THAT(
      Problem(Folder({"x-1-of-2.safetensors", "x-2-of-2.safetensors", "y.safetensors"}).path()),
      HasSubstr("folder holds more than one model"));
}

TEST(WeightFiles, APartWithoutNumberIsNotLeftOut) {
  EXPECT_THAT(Problem(Folder({"model-1-of-1.safetensors", "model-vision.safetensors"}).path()),
              HasSubstr("folder holds more than one model\n"
                        "  found:    model-1-of-1.safetensors, model-vision.safetensors\n"));
  EXPECT_THAT(Problem(Folder({"model.safetensors", "model-vision.safetensors"}).path()),
              HasSubstr("folder holds more than one model\n"));
}

TEST(WeightFiles, TheSameModelWholeAndInShardsIsRefused) {
  EXPECT_THAT(
      Problem(Folder({"model.safetensors", "model-1-of-2.safetensors", "model-2-of-2.safetensors"})
                  .path()),
      HasSubstr("folder holds more than one model\n"
                "  found:    model.safetensors, model-1-of-2.safetensors\n"));
}

TEST(WeightFiles, MissingShardWithoutIndex) {
  const Folder folder({"model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors"});
  EXPECT_EQ(Problem(folder.path()),
            folder.path().string() +
                ": shards are missing\n"
                "  found:    2 of 3 shards, without number 2\n"
                "  try:      fetch the model again; the download was probably cut short");
}

TEST(WeightFiles, ContradictoryShardsWithoutIndex) {
  EXPECT_THAT(Problem(Folder({"model-1-of-2.safetensors", "model-2-of-2.safetensors",
                              "model-3-of-3.safetensors"})
                          .path()),
              HasSubstr("shards disagree on how many there are"));
  EXPECT_THAT(Problem(Folder({"model-1-of-2.safetensors", "model_2-of-2.safetensors"}).path()),
              HasSubstr("shards of two sets lie in one folder"));
}

TEST(WeightFiles, OneShardIsNoModel) {
  const Folder folder({"model-00001-of-00003.safetensors", "whole-1-of-1.safetensors"});
  const auto file = folder.path() / "model-00001-of-00003.safetensors";
  EXPECT_EQ(Problem(file), file.string() +
                               ": one shard of 3, not a whole model\n"
                               "  try:      give the path of the folder");
  EXPECT_THAT(Chosen(folder.path() / "whole-1-of-1.safetensors"),
              ElementsAre("whole-1-of-1.safetensors"));
}

TEST(WeightFiles, IndexAndItsShards) {
  const Folder folder({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"});
  folder.WithIndex(R"({"a": "model-00001-of-00002.safetensors",
                       "b": "model-00002-of-00002.safetensors"})");
  const auto files = FindWeightFiles(folder.path());
  ASSERT_TRUE(files) << DescribeError(files.error());
  ASSERT_TRUE(files->index);
  EXPECT_EQ(files->index->tensors.size(), 2u);
  EXPECT_THAT(Chosen(folder.path()),
              ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"));
  EXPECT_EQ(Chosen(folder.path() / "model.safetensors.index.json"), Chosen(folder.path()));
}

TEST(WeightFiles, IndexOfOneFile) {
  const Folder folder({"model.safetensors"});
  EXPECT_THAT(Chosen(folder.WithIndex(R"({"a": "model.safetensors"})").path()),
              ElementsAre("model.safetensors"));
}

TEST(WeightFiles, IndexNamesShardsOfAnyName) {
  const Folder folder(
      {"model-00001-of-00001.safetensors", "model-vision.safetensors", "sub/model-x.safetensors"});
  folder.WithIndex(R"({"a": "model-00001-of-00001.safetensors", "b": "model-vision.safetensors",
                       "c": "sub/model-x.safetensors"})");
  EXPECT_EQ(Chosen(folder.path()).size(), 3u);
}

TEST(WeightFiles, IndexOfAnyStem) {
  const Folder folder({"diffusion_pytorch_model-1-of-1.safetensors"});
  folder.WithIndex(R"({"a": "diffusion_pytorch_model-1-of-1.safetensors"})",
                   "diffusion_pytorch_model.safetensors.index.json");
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("diffusion_pytorch_model-1-of-1.safetensors"));
}

TEST(WeightFiles, MissingShardOfTheIndex) {
  const Folder folder({"model-1-of-3.safetensors"});
  folder.WithIndex(R"({"a": "model-1-of-3.safetensors", "b": "model-2-of-3.safetensors",
                       "c": "model-3-of-3.safetensors"})");
  EXPECT_EQ(Problem(folder.path()),
            (folder.path() / "model.safetensors.index.json").string() +
                ": shards that the index names are missing\n"
                "  found:    2 of 3 missing: model-2-of-3.safetensors, model-3-of-3.safetensors\n"
                "  try:      fetch the model again; the download was probably cut short");
  EXPECT_EQ(FindWeightFiles(folder.path()).error().kind, ErrorKind::kNotFound);
}

TEST(WeightFiles, ExtraShardBesideTheIndex) {
  for (const char* extra : {"model-3-of-2.safetensors", "model-1-of-3.safetensors",
                            "model-00001-of-00002.safetensors"}) {
    const Folder folder({"model-1-of-2.safetensors", "model-2-of-2.safetensors", extra});
    folder.WithIndex(R"({"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"})");
    EXPECT_EQ(Problem(folder.path()),
              (folder.path() / "model.safetensors.index.json").string() +
                  ": shard lies beside the index, but the index does not name it\n"
                  "  found:    " +
                  extra +
                  "\n  expected: 2 shards: model-1-of-2.safetensors, model-2-of-2.safetensors\n"
                  "  try:      remove the file if it belongs to another version of the model");
  }
}

TEST(WeightFiles, OtherFilesBesideTheIndexAreNotTheModel) {
  const Folder folder({"model-1-of-1.safetensors", "mtp.safetensors", "consolidated.safetensors",
                       "consolidated-1-of-9.safetensors", "adapter_model.safetensors",
                       "pytorch_model.bin", "model.gguf"});
  EXPECT_THAT(Chosen(folder.WithIndex(R"({"a": "model-1-of-1.safetensors"})").path()),
              ElementsAre("model-1-of-1.safetensors"));
}

TEST(WeightFiles, AFileThatTheIndexContradicts) {
  const Folder folder({"model-1-of-1.safetensors", "model.safetensors"});
  folder.WithIndex(R"({"a": "model-1-of-1.safetensors"})");
  EXPECT_EQ(Problem(folder.path()),
            folder.path().string() +
                ": folder holds more than one model\n"
                "  found:    model.safetensors, model.safetensors.index.json\n"
                "  try:      give the path of one weight file or index: " +
                (folder.path() / "model.safetensors").string());
  EXPECT_THAT(Chosen(folder.path() / "model.safetensors.index.json"),
              ElementsAre("model-1-of-1.safetensors"));
  EXPECT_THAT(Chosen(folder.path() / "model.safetensors"), ElementsAre("model.safetensors"));
}

TEST(WeightFiles, TwoIndexes) {
  const Folder folder({"a-1-of-1.safetensors", "b-1-of-1.safetensors"});
  folder.WithIndex(R"({"t": "a-1-of-1.safetensors"})", "a.safetensors.index.json");
  folder.WithIndex(R"({"t": "b-1-of-1.safetensors"})", "b.safetensors.index.json");
  EXPECT_THAT(Problem(folder.path()),
              HasSubstr("folder holds more than one model\n"
                        "  found:    a.safetensors.index.json, b.safetensors.index.json\n"));
  EXPECT_THAT(Chosen(folder.path() / "b.safetensors.index.json"),
              ElementsAre("b-1-of-1.safetensors"));

  folder.Write("model-1-of-1.safetensors", "");
  folder.WithIndex(R"({"t": "model-1-of-1.safetensors"})");
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("model-1-of-1.safetensors"));
}

TEST(WeightFiles, BadIndexesNameTheirFile) {
  const Folder folder({"model-1-of-1.safetensors"});
  folder.WithIndex(R"({"t": "../model-1-of-1.safetensors"})");
  EXPECT_THAT(Problem(folder.path()),
              StartsWith((folder.path() / "model.safetensors.index.json").string() +
                         ": tensor \"t\": index names a file outside of its folder\n"));
}

TEST(WeightFiles, OtherFormatsAreNamed) {
  const Folder folder(
      {"config.json", "flax_model.msgpack", "tf_model.h5", "model.tflite", "training_args.bin"});
  EXPECT_EQ(
      Problem(folder.path()),
      folder.path().string() +
          ": weights are in a format that is not read\n"
          "  found:    flax_model.msgpack (Flax), model.tflite (TensorFlow Lite), tf_model.h5 "
          "(Keras HDF5)\n" +
          kWhatIsRead + "\n  try:      save the model as safetensors first");
  EXPECT_EQ(FindWeightFiles(folder.path()).error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(Problem(folder.path() / "model.tflite"),
              StartsWith((folder.path() / "model.tflite").string() +
                         ": weights are in a format that is not read\n"
                         "  found:    TensorFlow Lite\n"));
}

TEST(WeightFiles, OtherFormatsAreKnownByTheirBytes) {
  const ScratchFolder folder;
  EXPECT_THAT(Problem(folder.Write("weights", "\x89HDF\r\n\x1a\n_more")),
              HasSubstr("  found:    HDF5\n"));
}

TEST(WeightFiles, PyTorchFiles) {
  const Folder folder({"pytorch_model.bin", "training_args.bin", "optimizer.pt", "rng_state.pth"});
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("pytorch_model.bin"));
  folder.Write("model.safetensors", "");
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("model.safetensors"));
  EXPECT_THAT(Chosen(Folder({"last.ckpt", "config.yaml"}).path()), ElementsAre("last.ckpt"));
  EXPECT_THAT(Problem(Folder({"a.pt", "b.pt"}).path()),
              HasSubstr("folder holds more than one model\n  found:    a.pt, b.pt\n"));
  const Folder shards({"pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"});
  EXPECT_EQ(Chosen(shards.path()).size(), 2u);
  shards.WithIndex(R"({"a": "pytorch_model-00001-of-00002.bin"})", "pytorch_model.bin.index.json");
  EXPECT_THAT(Problem(shards.path()), HasSubstr("the index does not name it"));
  EXPECT_THAT(Problem(shards.path() / "pytorch_model-00002-of-00002.bin"),
              HasSubstr("one shard of 2, not a whole model"));
}

TEST(WeightFiles, PartsForSeveralProcessorsAreJoinedWhereTheyAreMetas) {
  const Folder one({"consolidated.00.pth", "params.json", "tokenizer.model"});
  EXPECT_THAT(Chosen(one.path()), ElementsAre("consolidated.00.pth"));
  EXPECT_THAT(Chosen(one.path() / "consolidated.00.pth"), ElementsAre("consolidated.00.pth"));
  const Folder two({"consolidated.00.pth", "consolidated.01.pth", "params.json"});
  EXPECT_THAT(Chosen(two.path()), ElementsAre("consolidated.00.pth", "consolidated.01.pth"));
  const Folder silent({"consolidated.00.pth", "consolidated.01.pth"});
  const Folder hole({"consolidated.00.pth", "consolidated.02.pth", "params.json"});
  for (const auto& path : {two.path() / "consolidated.00.pth", silent.path(), hole.path()}) {
    EXPECT_THAT(Problem(path), HasSubstr("weights are split over several processors"));
    EXPECT_THAT(Problem(path), HasSubstr("consolidated.00.pth, consolidated.0"));
  }
}

TEST(WeightFiles, OneGgufFile) {
  const Folder folder({"config.json", "model-Q4_K_M.gguf", "mmproj-model-f16.gguf"});
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("model-Q4_K_M.gguf"));
  EXPECT_THAT(Chosen(folder.path() / "model-Q4_K_M.gguf"), ElementsAre("model-Q4_K_M.gguf"));
  EXPECT_THAT(Chosen(folder.Write("sha256-0123", "GGUF\x03_more")), ElementsAre("sha256-0123"));
}

TEST(WeightFiles, SafetensorsGoBeforeGguf) {
  const Folder folder({"model.safetensors", "model.gguf"});
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("model.safetensors"));
}

TEST(WeightFiles, SplitGguf) {
  const Folder folder({"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"});
  for (const auto& path : {folder.path(), folder.path() / "m-00001-of-00002.gguf"}) {
    EXPECT_THAT(Chosen(path), ElementsAre("m-00001-of-00002.gguf", "m-00002-of-00002.gguf"));
  }
  EXPECT_THAT(Problem(folder.path() / "m-00002-of-00002.gguf"),
              HasSubstr(": one shard of 2, not a whole model\n"
                        "  try:      give the path of the first part"));
}

TEST(WeightFiles, SplitGgufWithoutAPart) {
  const Folder folder({"m-00001-of-00003.gguf", "m-00003-of-00003.gguf"});
  for (const auto& path : {folder.path(), folder.path() / "m-00001-of-00003.gguf"}) {
    EXPECT_THAT(Problem(path), HasSubstr(": shards are missing\n"
                                         "  found:    2 of 3 shards, without number 2\n"));
  }
}

TEST(WeightFiles, SeveralGgufModelsAreListed) {
  const Folder folder({"m-Q2_K.gguf", "m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"});
  EXPECT_EQ(Problem(folder.path()), folder.path().string() +
                                        ": folder holds more than one model\n"
                                        "  found:    m-Q2_K.gguf, m-Q8_0-00001-of-00002.gguf\n"
                                        "  try:      give the path of one weight file or index: " +
                                        (folder.path() / "m-Q2_K.gguf").string());
  EXPECT_THAT(Chosen(folder.path() / "m-Q8_0-00001-of-00002.gguf"),
              ElementsAre("m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"));
}

TEST(WeightFiles, ReservedNamesGoBeforeFilesOfAnyName) {
  const Folder folder({"pytorch_model.bin", "vae.safetensors", "adapter_model.safetensors",
                       "optimizer.safetensors", "x.gguf"});
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("pytorch_model.bin"));
  EXPECT_THAT(FindWeightFiles(folder.path())->beside,
              ElementsAre("adapter_model.safetensors", "optimizer.safetensors", "vae.safetensors",
                          "x.gguf"));
  const Folder shards(
      {"pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "a.safetensors"});
  EXPECT_THAT(Chosen(shards.path()),
              ElementsAre("pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"));
  const Folder both({"pytorch_model.bin", "model.safetensors"});
  EXPECT_THAT(Chosen(both.path()), ElementsAre("model.safetensors"));
  const auto found = FindWeightFiles(both.path());
  ASSERT_EQ(found->in_other_formats.size(), 1u);
  EXPECT_EQ(found->in_other_formats[0].files[0].filename(), "pytorch_model.bin");
}

TEST(WeightFiles, AnIndexOfAnotherShardingNamesTheWayOut) {
  const char* const map =
      R"({"a": "model-00001-of-00004.safetensors", "b": "model-00002-of-00004.safetensors"})";
  Folder resharded({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"});
  resharded.WithIndex(map);
  EXPECT_THAT(Problem(resharded.path()),
              HasSubstr("model-00001-of-00002.safetensors and its like are a whole set: move "
                        "model.safetensors.index.json, which is of another sharding, out of the "
                        "folder"));
  Folder whole({"model.safetensors"});
  whole.WithIndex(map);
  EXPECT_THAT(Problem(whole.path()),
              HasSubstr("if model.safetensors is the whole model, give its path: " +
                        (whole.path() / "model.safetensors").string()));
  Folder torch({"pytorch_model.bin"});
  torch.WithIndex(map);
  EXPECT_THAT(Problem(torch.path()),
              HasSubstr("give the path of the model in PyTorch, if that is whole: " +
                        (torch.path() / "pytorch_model.bin").string()));
}

TEST(WeightFiles, CheckpointsOfTrainingsAreNamed) {
  const Folder distributed({"pytorch_model_fsdp_0/__0_0.distcp", "pytorch_model_fsdp_0/.metadata"});
  for (const auto& path : {distributed.path(), distributed.path() / "pytorch_model_fsdp_0"}) {
    EXPECT_THAT(Problem(path), HasSubstr("the weights are a distributed checkpoint of PyTorch"));
    EXPECT_THAT(Problem(path), HasSubstr("dcp_to_torch " +
                                         (distributed.path() / "pytorch_model_fsdp_0").string()));
  }
  EXPECT_THAT(Problem(distributed.path() / "pytorch_model_fsdp_0/__0_0.distcp"),
              HasSubstr("a part of a distributed checkpoint of PyTorch"));
  const Folder megatron(
      {"latest_checkpointed_iteration.txt", "iter_0000100/mp_rank_00/model_optim_rng.pt"});
  for (const auto& path : {megatron.path(), megatron.path() / "iter_0000100"}) {
    EXPECT_THAT(Problem(path), HasSubstr("the folder is a checkpoint of Megatron"));
  }
  const Folder zero({"latest", "global_step5/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt",
                     "global_step5/zero_pp_rank_0_mp_rank_00_model_states.pt"});
  for (const auto& path : {zero.path(), zero.path() / "global_step5"}) {
    EXPECT_THAT(Problem(path), HasSubstr("spread over processors by DeepSpeed's ZeRO"));
  }
  const Folder plain({"mp_rank_00_model_states.pt", "zero_pp_rank_0_mp_rank_00_optim_states.pt"});
  EXPECT_EQ(Problem(plain.path()).find("DeepSpeed"), std::string::npos);
}

TEST(WeightFiles, NothingThere) {
  const Folder folder({"config.json", "README.md"});
  EXPECT_EQ(Problem(folder.path()),
            folder.path().string() + ": folder holds no weights\n" + kWhatIsRead);
  EXPECT_EQ(FindWeightFiles(folder.path()).error().kind, ErrorKind::kNotFound);
  const auto missing = folder.path() / "missing";
  EXPECT_EQ(Problem(missing), missing.string() + ": no such file or folder");
  EXPECT_EQ(FindWeightFiles(missing).error().kind, ErrorKind::kNotFound);
}

TEST(WeightFiles, FoldersWithWeightNamesAreNotFiles) {
  const Folder folder({"model.safetensors/part"});
  EXPECT_THAT(Problem(folder.path()), HasSubstr("folder holds no weights"));
}

TEST(WeightFiles, ABlobThatWasNotFetched) {
  const Folder folder({"model-1-of-2.safetensors"});
  std::filesystem::create_symlink("../blobs/none", folder.path() / "model-2-of-2.safetensors");
  folder.WithIndex(R"({"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"})");
  EXPECT_THAT(Problem(folder.path()),
              HasSubstr("found:    1 of 2 missing: model-2-of-2.safetensors"));
}

TEST(WeightFiles, LinksStayInTheFolder) {
  const Folder folder({"m/model-1-of-2.safetensors", "m/below/part", "secret"});
  const auto model = folder.path() / "m";
  const auto second = model / "model-2-of-2.safetensors";
  std::filesystem::create_symlink("below/part", second);
  EXPECT_TRUE(FindWeightFiles(model));
  std::filesystem::remove(second);
  std::filesystem::create_symlink("../secret", second);
  EXPECT_THAT(Problem(model), HasSubstr("weights are a link that leads out of the model's folder"));
  EXPECT_THAT(Problem(model), Not(HasSubstr("secret")));
  // A file that is named may lie anywhere, and so may the blobs of a Hub cache.
  std::filesystem::create_symlink("../secret", model / "one.safetensors");
  EXPECT_TRUE(FindWeightFiles(model / "one.safetensors"));
  std::filesystem::create_directories(folder.path() / "cache" / "refs");
  std::filesystem::create_directories(folder.path() / "cache" / "snapshots" / "a");
  std::filesystem::create_symlink(
      "../../../secret", folder.path() / "cache" / "snapshots" / "a" / "model.safetensors");
  EXPECT_TRUE(FindWeightFiles(folder.path() / "cache" / "snapshots" / "a"));
}

TEST(WeightFiles, EveryPublishedLayoutIsAccepted) {
  const auto layouts = SharedData("real/layouts");
  SKIP_WITHOUT(layouts);
  size_t accepted = 0;
  for (const auto& layout : std::filesystem::directory_iterator(layouts)) {
    const auto index = layout.path() / "model.safetensors.index.json";
    if (!std::filesystem::exists(index)) continue;
    // What matters are the shards' names; an index of many tensors only takes longer.
    if (std::filesystem::file_size(index) > 100'000) continue;
    const ScratchFolder folder;
    std::filesystem::copy_file(index, folder.path() / index.filename());
    const auto parsed = ReadShardIndex(index);
    ASSERT_TRUE(parsed);
    for (const std::string& shard : parsed->shards) folder.Write(shard, "");
    const auto files = FindWeightFiles(folder.path());
    ASSERT_TRUE(files) << DescribeError(files.error());
    EXPECT_EQ(files->files.size(), parsed->shards.size());

    // The same shards without their index: numbered ones still say whether they are all there.
    std::filesystem::remove(folder.path() / index.filename());
    const auto without_index = FindWeightFiles(folder.path());
    EXPECT_TRUE(without_index) << layout.path();
    ++accepted;
  }
  EXPECT_GT(accepted, 20u);
}

}  // namespace
}  // namespace tensorguard::internal
