// What mixes tokens in a layer.
#ifndef TENSORGUARD_ARCHITECTURE_MIXER_KIND_H_
#define TENSORGUARD_ARCHITECTURE_MIXER_KIND_H_

namespace tensorguard {

enum class MixerKind { kNone, kAttention, kRecurrent };

}  // namespace tensorguard

#endif  // TENSORGUARD_ARCHITECTURE_MIXER_KIND_H_
