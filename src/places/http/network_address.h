// Which addresses are of this machine or of a network that the public cannot reach.
#ifndef TENSORGUARD_PLACES_HTTP_NETWORK_ADDRESS_H_
#define TENSORGUARD_PLACES_HTTP_NETWORK_ADDRESS_H_

#include <string>

namespace tensorguard::internal {

// Of an address in digits, as "127.0.0.1" or "fe80::1": loopback, link-local, private, shared,
// multicast and reserved ones (RFC 6890), also inside of IPv6 addresses that stand for them. True
// for what is no address.
bool IsPrivateAddress(const std::string& address);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_NETWORK_ADDRESS_H_
