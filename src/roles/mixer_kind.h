// What mixes tokens in a layer.
#ifndef TENSORGUARD_ROLES_MIXER_KIND_H_
#define TENSORGUARD_ROLES_MIXER_KIND_H_

namespace tensorguard::internal {

enum class MixerKind { kNone, kAttention, kRecurrent };

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ROLES_MIXER_KIND_H_
