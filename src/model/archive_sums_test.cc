#include "model/archive_sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/scratch_folder.h"
#include "tests/support/torch_builder.h"
#include "tests/support/zip_builder.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<std::vector<std::string>> NotesOn(const std::filesystem::path& path) {
  auto model = OpenModel(path);
  if (!model) return std::move(model).error();
  return NotesOnArchiveSums(*model, 2);
}

std::string TorchFile() {
  const BuiltTorchTensor tensor = {
      .storage_key = "0", .storage_elements = 4, .shape = {2, 2}, .strides = {2, 1}};
  return BuildTorchZip(PickleDict({{"model.norm.weight", PickleTensor(tensor)}}),
                       {{"0", FloatBytes({1, 2, 3, 4})}});
}

TEST(ArchiveSums, AChangedNumberOfATorchFileIsTold) {
  const ScratchFolder folder;
  std::string bytes = TorchFile();
  const auto whole = NotesOn(folder.Write("a.pt", bytes));
  ASSERT_TRUE(whole) << DescribeError(whole.error());
  EXPECT_THAT(*whole, IsEmpty());

  bytes[bytes.find(FloatBytes({1, 2, 3, 4}))] = 'x';
  const auto changed = NotesOn(folder.Write("b.pt", bytes));
  ASSERT_TRUE(changed) << DescribeError(changed.error());
  EXPECT_THAT(*changed, ElementsAre(HasSubstr("data/0 of b.pt")));
}

TEST(ArchiveSums, AChangedArrayIsAnError) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  const std::string array = "\x93NUMPY\x01" + std::string(1, '\0') +
                            LittleEndian(static_cast<uint16_t>(header.size())) + header +
                            FloatBytes({1, 2});
  const ScratchFolder folder;
  const auto whole = NotesOn(folder.Write("a.npz", BuildZip({{"w.npy", array}})));
  ASSERT_TRUE(whole) << DescribeError(whole.error());
  EXPECT_THAT(*whole, IsEmpty());

  BuiltZipEntry changed = {"w.npy", array};
  changed.crc32 = 1;
  const auto notes = NotesOn(folder.Write("b.npz", BuildZip({changed})));
  ASSERT_FALSE(notes);
  EXPECT_EQ(notes.error().tensor, "w.npy");
  EXPECT_THAT(DescribeError(notes.error()), HasSubstr("checksum"));
}

}  // namespace
}  // namespace tensorguard::internal
