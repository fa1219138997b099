// The places that MODEL arguments name, set up by the environment.
#ifndef TENSORGUARD_API_PLACE_SETTINGS_H_
#define TENSORGUARD_API_PLACE_SETTINGS_H_

#include <functional>
#include <optional>
#include <string>

#include "places/places.h"

namespace tensorguard::internal {

// The value of an environment variable; empty if it is not set.
using ReadVariable = std::function<std::optional<std::string>(const char* name)>;

// As huggingface_hub reads them: HF_ENDPOINT; HF_TOKEN, HUGGING_FACE_HUB_TOKEN, else the file
// HF_TOKEN_PATH or $HF_HOME/token, none with HF_HUB_DISABLE_IMPLICIT_TOKEN; HF_HUB_CACHE,
// HUGGINGFACE_HUB_CACHE or $HF_HOME/hub, with HF_HOME by default $XDG_CACHE_HOME/huggingface or
// ~/.cache/huggingface; HF_HUB_OFFLINE. As Amazon's tools do: AWS_REGION, AWS_DEFAULT_REGION,
// AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL. REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE for whom
// to trust. TMPDIR for what a server sends whole. TENSORGUARD_ALLOW_PRIVATE_REDIRECTS lets a server
// at a public address lead to a private one.
PlaceOptions PlaceOptionsFrom(const ReadVariable& variable);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_PLACE_SETTINGS_H_
