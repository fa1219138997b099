add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)

# Fused multiply-add changes the last bit of a result and not every processor has it: with contraction
# off, every x86-64 and Arm64 machine computes the same fingerprint.
add_compile_options(-ffp-contract=off)

if(TENSORGUARD_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

if(TENSORGUARD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Every stage may become part of the shared library, which shows its public functions alone.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
