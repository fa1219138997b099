// Digests of a model's files, so that others can tell whether they have the same ones.
#ifndef TENSORGUARD_API_READING_FILE_DIGESTS_H_
#define TENSORGUARD_API_READING_FILE_DIGESTS_H_

#include <string>
#include <vector>

#include "api/session.h"
#include "report/page_origin.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Of the weight files and config.json of the model that `argument` names, of an adapter its own
// files, or of the fingerprint file itself. Reads all of them. None where they do not lie on this
// machine. Errors: those of Places::Find and of the files; kCancelled.
Result<std::vector<FileDigest>> DigestsOfFiles(const std::string& argument, const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_READING_FILE_DIGESTS_H_
