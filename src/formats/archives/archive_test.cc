// Archives by what they start with, whatever they are called, and by their names.
#include "formats/archives/archive.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/zip_builder.h"

namespace tensorguard::internal {
namespace {

using namespace std::string_literals;

std::string NameOf(const ArchiveKind* kind) {
  return kind == nullptr ? "" : std::string(kind->name);
}

std::string TarStart(std::string_view magic) {
  std::string start = "model/config.json";
  start.resize(257, '\0');
  return start + std::string(magic);
}

// What each tool wrote of one small file.
const std::string kGzip = "\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\xAB\xAE\xE5\x02\x00"s;
const std::string kXz = "\xFD\x37zXZ\x00\x00\x04\xE6\xD6\xB4\x46\x02\x00"s;
const std::string kBzip2 = "BZh91AY&SY\x80\x5A\x1C\x0D";
const std::string kZstandard = "\x28\xB5\x2F\xFD\x04\x58\x19\x00\x00{}\n"s;

TEST(ArchiveOfFile, KnowsArchivesOfAnyNameByTheirBytes) {
  const std::pair<std::string, std::string> rows[] = {
      {kGzip, "file packed by gzip"},
      {kXz, "file packed by xz"},
      {kBzip2, "file packed by bzip2"},
      {"BZh9\x17rE8P\x90\x00\x00\x00\x00"s, "file packed by bzip2"},  // of an empty file
      {kZstandard, "file packed by zstd"},
      {"\x04\x22\x4D\x18\x64\x40\xA7"s, "file packed by lz4"},
      {"7z\xBC\xAF\x27\x1C\x00\x04"s, "7-Zip archive"},
      {"Rar!\x1A\x07\x00"s, "RAR archive"},
      {"Rar!\x1A\x07\x01\x00"s, "RAR archive"},
      {TarStart("ustar\0"
                "00"),
       "tar archive"},
      {TarStart("ustar  "), "tar archive"},
  };
  for (const auto& [start, name] : rows) {
    for (const char* file : {"model", "model.safetensors", "model.bin", "a.gguf"}) {
      EXPECT_EQ(NameOf(ArchiveOfFile(file, start)), name) << file;
    }
  }
}

TEST(ArchiveOfFile, ANameThatAgreesTellsMore) {
  EXPECT_EQ(NameOf(ArchiveOfFile("m.tar.gz", kGzip)), "tar archive packed by gzip");
  EXPECT_EQ(NameOf(ArchiveOfFile("M.TGZ", kGzip)), "tar archive packed by gzip");
  EXPECT_EQ(NameOf(ArchiveOfFile("m.safetensors.gz", kGzip)), "file packed by gzip");
  EXPECT_EQ(ArchiveOfFile("m.safetensors.gz", kGzip)->unpack, "gunzip -k FILE");
  EXPECT_EQ(NameOf(ArchiveOfFile("m.tar.xz", kXz)), "tar archive packed by xz");
  EXPECT_EQ(NameOf(ArchiveOfFile("m.tar.bz2", kBzip2)), "tar archive packed by bzip2");
  EXPECT_EQ(NameOf(ArchiveOfFile("m.tar.zst", kZstandard)), "tar archive packed by zstd");
  EXPECT_EQ(NameOf(ArchiveOfFile("m.tar.xz", kGzip)), "file packed by gzip");  // the bytes decide
}

TEST(ArchiveOfFile, ANameAloneTells) {
  for (const char* name :
       {"a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.txz", "a.tar.bz2", "a.tbz2",
        "a.tar.zst", "a.zst", "a.gz", "a.xz", "a.bz2", "a.lz4", "a.7z", "a.rar", "A.ZIP"}) {
    EXPECT_NE(ArchiveOfName(name), nullptr) << name;
    EXPECT_EQ(ArchiveOfFile(name, "of no known kind"), ArchiveOfName(name)) << name;
  }
  for (const char* name : {"a.bin", "a.npz", "a.ckpt", "zip", "a.zip.safetensors", ""}) {
    EXPECT_EQ(ArchiveOfName(name), nullptr) << name;
  }
}

// PyTorch's files are called ".pth.tar", and any file may have been renamed.
TEST(ArchiveOfFile, WeightsOfAnyNameAreNone) {
  const std::string headers[] = {
      "\x02\0\0\0\0\0\0\0{}"s,
      "\x1F\x8B\x08\0\0\0\0\0{\"__metadata__\""s,  // a header as long as gzip's magic number says
      BuildZip({{"archive/data.pkl", "N."}}),
      "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."s,
      "\x93NUMPY\x01\0"s,
      "GGUF\x03\0\0\0"s,
  };
  for (const std::string& start : headers) {
    for (const char* name : {"model.pth.tar", "a.zip", "a.gz", "a"}) {
      EXPECT_EQ(ArchiveOfFile(name, start), nullptr) << name;
    }
  }
}

TEST(ArchiveOfFile, ShortFilesAreReadToTheirEnd) {
  for (const std::string& whole : {kGzip, kXz, kBzip2, kZstandard, TarStart("ustar")}) {
    for (size_t size = 0; size < 6; ++size)
      ArchiveOfFile("a", std::string_view(whole).substr(0, size));
    EXPECT_EQ(ArchiveOfFile("a", std::string_view(whole).substr(0, 2)), nullptr);
  }
}

}  // namespace
}  // namespace tensorguard::internal
