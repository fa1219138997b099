// The tables of the calibration of the deep test, in markdown.
#ifndef TENSORGUARD_BENCH_INDEPENDENCE_TABLES_H_
#define TENSORGUARD_BENCH_INDEPENDENCE_TABLES_H_

#include <string>
#include <string_view>
#include <vector>

#include "independence/independence.h"

namespace tensorguard::internal {

// The p-values of one kind of pair.
struct PairGroup {
  std::string name;
  std::vector<double> log10_p;
};

// How the p-values of each kind lie, and of all together: on independent pairs evenly.
void PrintIndependent(const std::vector<PairGroup>& groups);

void PrintDerived(const std::vector<PairGroup>& groups);

// The p-values of each part of the test and of all parts combined, over independent pairs.
class PartTable {
 public:
  PartTable();
  void Add(const DeepTest& test);
  void Print() const;

 private:
  std::vector<PairGroup> parts_;  // in the order of kPartNames; then the combined one
};

// Agreement of the matched parts, to see how far independent networks come to the allowance.
class LargestAgreement {
 public:
  void Add(const DeepTest& test);
  void Print() const;

 private:
  struct Largest {
    double pooled = 0.0;
    double layer = 0.0;
    double log10_p = 0.0;  // smallest

    void Add(const DeepTestPart& part);
  };
  Largest units_;
  Largest heads_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BENCH_INDEPENDENCE_TABLES_H_
