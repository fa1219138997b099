// What keeps a registry: relations, its state, and sets of models on the way to another one.
#include <utility>

#include "api/library/registry_session.h"
#include "api/registry/registry_addition.h"
#include "fingerprint/digest/hex_text.h"
#include "registry/exchange.h"
#include "registry/state.h"

namespace tensorguard {

Result<RegistryRelated> Registry::Relate(const std::string& child, const std::string& parent,
                                         const std::string& kind, int64_t related_at,
                                         const std::string& related_by) {
  TG_ASSIGN(const auto related,
            internal::RelateInRegistry(session_->registry(),
                                       {.child = child,
                                        .parent = parent,
                                        .kind = kind,
                                        .stamp = {.at = related_at, .who = related_by}}));
  const RegistryRelation asserted = {.child = related.child.name,
                                     .parent = related.parent.name,
                                     .kind = related.asserted,
                                     .added_at = related_at,
                                     .added_by = related_by};
  RegistryRelation measured = asserted;
  measured.kind = related.measured.kind;
  measured.measured = true;
  measured.score = related.measured.score;
  measured.p_value = related.measured.p_value;
  return RegistryRelated{
      .asserted = asserted, .measured = std::move(measured), .contradicted = related.contradicted};
}

Result<RegistryStatus> Registry::Status() {
  TG_ASSIGN(const auto status, internal::StatusOf(session_->registry()));
  return RegistryStatus{.engine = status.engine,
                        .blobs = status.blobs,
                        .schema_version = status.schema_version,
                        .models = status.models,
                        .past_models = status.past_models,
                        .fingerprints = status.fingerprints,
                        .fingerprint_bytes = status.fingerprint_bytes,
                        .matrices = status.matrices,
                        .relations = status.relations,
                        .events = status.events,
                        .created_at = status.created_at,
                        .last_added_at = status.last_added_at};
}

Result<RegistryVerification> Registry::Verify(bool repair, int64_t repaired_at,
                                              const std::string& repaired_by) {
  TG_ASSIGN(const auto found, internal::VerifyRegistry(session_->registry(), repair,
                                                       {.at = repaired_at, .who = repaired_by}));
  RegistryVerification verification;
  for (const internal::Fault& each : found.faults) {
    verification.faults.push_back(
        {.problem = each.problem, .subject = each.subject, .repaired = each.repaired});
  }
  for (const internal::Leftover& each : found.leftovers) {
    verification.leftovers.push_back(internal::HexOf(each.digest));
  }
  return verification;
}

Result<RegistryExport> Registry::Export(const std::string& folder) {
  TG_ASSIGN(const auto summary, internal::ExportRegistry(session_->registry(), folder));
  return RegistryExport{.models = summary.models,
                        .relations = summary.relations,
                        .fingerprints = summary.fingerprints};
}

Result<RegistryImport> Registry::Import(const std::string& folder, int64_t imported_at,
                                        const std::string& imported_by) {
  TG_ASSIGN(const auto summary, internal::ImportRegistry(session_->registry(), folder,
                                                         {.at = imported_at, .who = imported_by}));
  return RegistryImport{
      .added = summary.added, .already_there = summary.known, .relations = summary.relations};
}

}  // namespace tensorguard
