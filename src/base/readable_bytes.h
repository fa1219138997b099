// Sizes as people write them.
#ifndef TENSORGUARD_BASE_READABLE_BYTES_H_
#define TENSORGUARD_BASE_READABLE_BYTES_H_

#include <cstdint>
#include <string>

namespace tensorguard::internal {

// "512 B", "1.5 MB": powers of 1000, as disks and networks are sold.
std::string ReadableBytes(uint64_t bytes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_READABLE_BYTES_H_
