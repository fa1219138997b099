// Marks what the shared library shows.
#ifndef TENSORGUARD_TENSORGUARD_EXPORT_H_
#define TENSORGUARD_TENSORGUARD_EXPORT_H_

#if defined(__GNUC__)
#define TENSORGUARD_EXPORT __attribute__((visibility("default")))
#else
#define TENSORGUARD_EXPORT
#endif

#endif  // TENSORGUARD_TENSORGUARD_EXPORT_H_
