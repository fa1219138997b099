#include "api/library/registry_session.h"

#include "base/text.h"
#include "fingerprint/digest/hex_text.h"

namespace tensorguard::internal {

RegistryModel PublicModel(const ModelRecord& model) {
  return {.id = model.id,
          .name = model.name,
          .source = model.source,
          .revision = model.revision,
          .collection = model.collection,
          .trust = model.trust,
          .state = model.state,
          .added_at = model.added.at,
          .added_by = model.added.who,
          .fingerprint = HexOf(model.digest),
          .architecture = model.architecture,
          .parameters = model.parameters};
}

RegistryFile PublicFile(const ModelFile& file) {
  return {.path = file.path, .bytes = file.bytes, .sha256 = HexOf(file.sha256)};
}

RegistryRelation PublicRelation(const RelationRecord& relation) {
  return {.child = relation.child,
          .parent = relation.parent,
          .kind = relation.kind,
          .measured = relation.origin == "measured",
          .score = relation.score,
          .p_value = relation.p_value,
          .added_at = relation.added.at,
          .added_by = relation.added.who};
}

Result<Sha256Digest> Sha256From(const std::string& digits) {
  if (const auto digest = DigestFromHex(digits)) return *digest;
  return Error{.kind = ErrorKind::kUsage,
               .problem = "not the SHA-256 of a file",
               .found = EscapeControl(digits, 80),
               .expected = "64 hexadecimal digits"};
}

Result<ModelFile> FileFrom(const RegistryFile& file) {
  TG_ASSIGN(const auto sha256, Sha256From(file.sha256));
  return ModelFile{.path = file.path, .bytes = file.bytes, .sha256 = sha256};
}

}  // namespace tensorguard::internal
