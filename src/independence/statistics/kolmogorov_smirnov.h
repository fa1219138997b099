// How well numbers follow the uniform distribution: what calibration asks of p-values.
#ifndef TENSORGUARD_INDEPENDENCE_STATISTICS_KOLMOGOROV_SMIRNOV_H_
#define TENSORGUARD_INDEPENDENCE_STATISTICS_KOLMOGOROV_SMIRNOV_H_

#include <vector>

namespace tensorguard::internal {

struct UniformityTest {
  double distance = 0.0;  // largest gap between the empirical and the uniform distribution function
  double p_value = 1.0;   // of a gap at least as large, for independent uniform numbers
};

// Kolmogorov's test against the uniform distribution on [0, 1]. The p-value is the limit
// distribution with Stephens' correction for the sample size (JRSS B 32, 1970), good to 0.01 from
// ten values on. REQUIRES: values in [0, 1], at least one.
UniformityTest TestUniformity(std::vector<double> values);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STATISTICS_KOLMOGOROV_SMIRNOV_H_
