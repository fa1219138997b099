#include "places/http/network_address.h"

#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

TEST(NetworkAddress, PrivateInEveryForm) {
  for (const char* address : {"127.0.0.1",
                              "127.255.1.2",
                              "10.0.0.1",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "0.0.0.0",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::1",
                              "::",
                              "fe80::1",
                              "fe80::1%2",
                              "fd00::1",
                              "fc00::1",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.1.2.3",
                              "64:ff9b::169.254.169.254",
                              "2002:7f00:1::",
                              "2001:db8::1",
                              "2001:0::1",
                              "not an address",
                              ""}) {
    EXPECT_TRUE(IsPrivateAddress(address)) << address;
  }
}

TEST(NetworkAddress, Public) {
  for (const char* address : {"1.1.1.1", "8.8.8.8", "11.0.0.1", "100.63.255.255", "100.128.0.1",
                              "128.0.0.1", "172.15.255.255", "172.32.0.1", "192.167.1.1",
                              "192.169.1.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
                              "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"}) {
    EXPECT_FALSE(IsPrivateAddress(address)) << address;
  }
}

}  // namespace
}  // namespace tensorguard::internal
