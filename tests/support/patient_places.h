// What the tests of places share.
#ifndef TENSORGUARD_TESTS_SUPPORT_PATIENT_PLACES_H_
#define TENSORGUARD_TESTS_SUPPORT_PATIENT_PLACES_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "places/places.h"

namespace tensorguard::internal {

// Retries at once; no proxy stands between a test and its server.
inline PlaceOptions FastOptions() {
  ::setenv("no_proxy", "127.0.0.1", 1);
  PlaceOptions options;
  options.remote.fetch.first_retry_wait = std::chrono::milliseconds(1);
  options.remote.fetch.longest_retry_wait = std::chrono::milliseconds(2000);
  options.remote.http.stall_time = std::chrono::seconds(1);
  return options;
}

inline std::shared_ptr<const Places> PlacesWith(PlaceOptions options) {
  auto places = Places::Create(std::move(options));
  EXPECT_TRUE(places) << DescribeError(places.error());
  return *std::move(places);
}

// Bytes that differ wherever they are read.
inline std::string Pattern(size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  uint32_t state = 12345;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

inline Result<std::shared_ptr<const File>> OpenAt(const Places& places, const std::string& name) {
  const auto path = places.Locate(name);
  if (!path) return path.error();
  return places.Open(*path);
}

inline Result<std::string> ReadRange(const File& file, uint64_t begin, uint64_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  auto read = file.ReadAt(begin, std::as_writable_bytes(std::span(bytes)));
  if (!read) return std::move(read).error();
  return bytes;
}

// All of the file behind a URL.
inline Result<std::string> ReadAll(const Places& places, const std::string& name) {
  const auto file = OpenAt(places, name);
  if (!file) return file.error();
  return ReadRange(**file, 0, (*file)->size_bytes());
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_PATIENT_PLACES_H_
