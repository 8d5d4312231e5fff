#include "examples/common/interrupt.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>

#include "autograd/tensors/error.h"

namespace mixtape::examples {
namespace {

constexpr std::array<int, 2> kSignals = {SIGINT, SIGTERM};
constexpr int kInterruptedExitCode = 130;

std::atomic<bool> installed = false;
std::atomic<int> signal_that_came = 0;
static_assert(std::atomic<int>::is_always_lock_free);
std::array<struct sigaction, kSignals.size()> former_handlers;

extern "C" void on_signal(int number) {
  int none = 0;
  if (!signal_that_came.compare_exchange_strong(none, number)) _exit(kInterruptedExitCode);
}

}  // namespace

Interrupt::Interrupt() {
  if (installed.exchange(true)) fail("Interrupt: another one is already in scope");
  signal_that_came = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &former_handlers[i]);
    if (former_handlers[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

Interrupt::~Interrupt() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &former_handlers[i], nullptr);
  installed = false;
}

int Interrupt::signal() const { return signal_that_came; }

}  // namespace mixtape::examples
