// Numbers of config.json that a layer cannot be understood without.
#ifndef TENSORGUARD_NETWORK_PARTS_STATED_NUMBER_H_
#define TENSORGUARD_NETWORK_PARTS_STATED_NUMBER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "architecture/config_view.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// The first of `keys` that is stated (null counts as not stated); empty where none is. Errors:
// kBadFile, naming the key, if what is stated there is no whole number above 0 and below 2^40.
Result<std::optional<uint64_t>> StatedNumber(const ConfigView& config,
                                             std::span<const std::string_view> keys);

// As StatedNumber, but also an error, naming the first key, where none is stated.
Result<uint64_t> RequireNumber(const ConfigView& config, std::span<const std::string_view> keys);

// kBadFile: the value of `key` contradicts something else.
Error ContradictoryNumber(std::string_view key, uint64_t value, std::string_view problem,
                          std::string_view expected);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_STATED_NUMBER_H_
