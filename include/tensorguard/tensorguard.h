// All of TensorGuard: which model does this model come from?
//
// The library prints nothing, never exits, and reads neither the environment nor the clock. All
// functions may be called from several threads at once.
#ifndef TENSORGUARD_TENSORGUARD_TENSORGUARD_H_
#define TENSORGUARD_TENSORGUARD_TENSORGUARD_H_

#include "tensorguard/classify.h"
#include "tensorguard/compare.h"
#include "tensorguard/convert.h"
#include "tensorguard/error.h"
#include "tensorguard/fingerprint.h"
#include "tensorguard/lineage.h"
#include "tensorguard/model.h"
#include "tensorguard/progress.h"
#include "tensorguard/registry.h"
#include "tensorguard/result.h"
#include "tensorguard/tensors.h"
#include "tensorguard/verdict.h"
#include "tensorguard/version.h"

#endif  // TENSORGUARD_TENSORGUARD_TENSORGUARD_H_
