// In every program that links OpenBLAS: it must use the calling thread alone. Its bits change with
// the number of its threads, and the threads that there are have their own work.
extern "C" void openblas_set_num_threads(int count);

namespace {

[[maybe_unused]] const bool kOneThread = (openblas_set_num_threads(1), true);

}  // namespace
