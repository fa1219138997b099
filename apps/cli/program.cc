#include "cli/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

#include "base/atomic_file.h"
#include "cli/arguments/command_line.h"
#include "cli/commands/commands.h"

namespace tensorguard::internal::cli {
namespace {

// A descriptor that was closed would be given to the first file we open, and that file would then
// get our output. The stand-ins are opened so that writing results to a closed stdout still fails.
void OccupyStandardDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1) continue;
    ::open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// Half-written files go, then the signal does what it does by default: the shell sees it.
extern "C" void EndAfterSignal(int signal) {
  RemovePartialFiles();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void CleanUpAfterSignals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // A shell that starts us in the background, and nohup, have them ignored: so they stay.
    if (std::signal(signal, SIG_IGN) != SIG_IGN) std::signal(signal, EndAfterSignal);
  }
}

struct Runner {
  Console& console;

  Result<ExitStatus> operator()(const ShowText& show) const {
    console.Print(show.text);
    return ExitStatus::kDone;
  }
  Result<ExitStatus> operator()(const InspectOptions& o) const { return RunInspect(o, console); }
  Result<ExitStatus> operator()(const FingerprintOptions& o) const {
    return RunFingerprint(o, console);
  }
  Result<ExitStatus> operator()(const CompareOptions& o) const { return RunCompare(o, console); }
  Result<ExitStatus> operator()(const ClassifyOptions& o) const { return RunClassify(o, console); }
  Result<ExitStatus> operator()(const ClusterOptions& o) const { return RunCluster(o, console); }
  Result<ExitStatus> operator()(const LineageOptions& o) const { return RunLineage(o, console); }
  Result<ExitStatus> operator()(const RegistryOptions& o) const { return RunRegistry(o, console); }
  Result<ExitStatus> operator()(const ConvertOptions& o) const { return RunConvert(o, console); }
  Result<ExitStatus> operator()(const SensitivityOptions& o) const {
    return RunSensitivity(o, console);
  }
  Result<ExitStatus> operator()(const EvaluateOptions& o) const { return RunEvaluate(o, console); }
  Result<ExitStatus> operator()(const TransformOptions& o) const {
    return RunTransform(o, console);
  }
  Result<ExitStatus> operator()(const StressCommandOptions& o) const {
    return RunStress(o, console);
  }
};

Result<ExitStatus> RunRequest(const Request& request, Console& console) {
  try {
    return std::visit(Runner{console}, request.options);
  } catch (const std::bad_alloc&) {
    return Error{.kind = ErrorKind::kSystem, .problem = "out of memory"};
  } catch (const std::exception& exception) {
    return Error{.kind = ErrorKind::kSystem, .problem = exception.what()};
  }
}

void PrintError(const Error& error, const std::string& command, Console& console) {
  console.ReportError(error);
  if (!console.json()) return;
  OrderedJson object = command.empty() ? OrderedJson::object() : ResultObject(command);
  object["error"] = ErrorToJson(error);
  console.PrintJson(object);
}

// Writes out what is pending; that may turn success into failure.
int Finish(ExitStatus status, Console& console) {
  const auto flushed = console.Flush();
  if (flushed) return static_cast<int>(status);
  console.ReportError(flushed.error());
  return static_cast<int>(ExitStatus::kError);
}

// Where there is no memory for anything else.
int EndWithoutMemory() noexcept {
  constexpr std::string_view kMessage = "tensorguard: out of memory\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  return static_cast<int>(ExitStatus::kError);
}

std::atomic<bool> g_memory_ran_out = false;

void NoteLackOfMemory() {
  g_memory_ran_out = true;
  throw std::bad_alloc();
}

// Some destructors of libraries (nlohmann::json's) take memory, and none may throw; oneDNN ends the
// program where it finds none. Both end here. Anything else is a fault, and shows as one.
[[noreturn]] void EndAfterException() {
  if (g_memory_ran_out) {
    RemovePartialFiles();
    ::_exit(EndWithoutMemory());
  }
  try {
    if (const auto exception = std::current_exception()) std::rethrow_exception(exception);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "tensorguard: %s\n", exception.what());
  } catch (...) {
  }
  std::abort();
}

int RunArguments(const std::vector<std::string>& arguments) {
  const auto request = ParseCommandLine(arguments);
  if (!request) {
    Console console(AsksForJson(arguments), /*quiet=*/false);
    PrintError(request.error(), "", console);
    return Finish(ExitStatus::kError, console);
  }
  Console console(request->json, request->quiet);
  const auto status = RunRequest(*request, console);
  if (!status) PrintError(status.error(), request->command, console);
  return Finish(status ? *status : ExitStatus::kError, console);
}

}  // namespace

int RunProgram(const std::vector<std::string>& arguments) noexcept {
  OccupyStandardDescriptors();
  CleanUpAfterSignals();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away shows as EPIPE, see Console::Flush
  std::set_new_handler(NoteLackOfMemory);
  std::set_terminate(EndAfterException);
  try {
    return RunArguments(arguments);
  } catch (...) {  // even the message of an error, or what was pending, found no memory
    return EndWithoutMemory();
  }
}

}  // namespace tensorguard::internal::cli
